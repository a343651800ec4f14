"""See lrfr_tf.cli.show_face."""

from lrfr_tf.cli.show_face import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
