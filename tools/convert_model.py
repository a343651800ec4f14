"""See lrfr_tf.cli.convert_model."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.convert_model")
else:
    from lrfr_tf.cli.convert_model import Config, main  # noqa: F401
