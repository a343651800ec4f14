"""See lrfr_tf.cli.train_siamese."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.train_siamese")
else:
    from lrfr_tf.cli.train_siamese import Config, main  # noqa: F401
