"""See lrfr_tf.cli.export_saved_model."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.export_saved_model")
else:
    from lrfr_tf.cli.export_saved_model import Config, main  # noqa: F401
