"""See lrfr_tf.cli.evaluate_all."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.evaluate_all")
else:
    from lrfr_tf.cli.evaluate_all import Config, main  # noqa: F401
