"""See lrfr_tf.cli.prepare_vggface2."""

from lrfr_tf.cli.prepare_vggface2 import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
