"""See lrfr_tf.cli.train_classifier."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.train_classifier")
else:
    from lrfr_tf.cli.train_classifier import Config, main  # noqa: F401
