"""See lrfr_tf.cli.evaluate_scface."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.evaluate_scface")
else:
    from lrfr_tf.cli.evaluate_scface import Config, main  # noqa: F401
