"""See lrfr_tf.cli.show_face."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.show_face")
else:
    from lrfr_tf.cli.show_face import Config, main  # noqa: F401
