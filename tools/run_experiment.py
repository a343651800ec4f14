"""See lrfr_tf.cli.run_experiment."""

from lrfr_tf.cli.run_experiment import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
