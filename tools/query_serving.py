"""See lrfr_tf.cli.query_serving."""

from lrfr_tf.cli.query_serving import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
