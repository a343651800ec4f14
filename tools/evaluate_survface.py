"""See lrfr_tf.cli.evaluate_survface."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.evaluate_survface")
else:
    from lrfr_tf.cli.evaluate_survface import Config, main  # noqa: F401
