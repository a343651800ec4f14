"""See lrfr_tf.cli.compare_detection."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.compare_detection")
else:
    from lrfr_tf.cli.compare_detection import Config, main  # noqa: F401
