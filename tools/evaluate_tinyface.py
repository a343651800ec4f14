"""See lrfr_tf.cli.evaluate_tinyface."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.evaluate_tinyface")
else:
    from lrfr_tf.cli.evaluate_tinyface import Config, main  # noqa: F401
