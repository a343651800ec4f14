"""See lrfr_tf.cli.train_distillation."""

from lrfr_tf.cli.train_distillation import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
