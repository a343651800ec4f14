"""See lrfr_tf.cli.train_srcnn."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.train_srcnn")
else:
    from lrfr_tf.cli.train_srcnn import Config, main  # noqa: F401
