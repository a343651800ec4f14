"""See lrfr_tf.cli.prepare_vggface2."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.prepare_vggface2")
else:
    from lrfr_tf.cli.prepare_vggface2 import Config, main  # noqa: F401
