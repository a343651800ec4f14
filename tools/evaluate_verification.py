"""See lrfr_tf.cli.evaluate_verification."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.evaluate_verification")
else:
    from lrfr_tf.cli.evaluate_verification import Config, main  # noqa: F401
