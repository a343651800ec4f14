"""See lrfr_tf.cli.evaluate_lfw."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.evaluate_lfw")
else:
    from lrfr_tf.cli.evaluate_lfw import Config, main  # noqa: F401
