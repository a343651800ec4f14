"""See lrfr_tf.cli.make_landmarks."""

from lrfr_tf.cli.make_landmarks import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
