"""See lrfr_tf.cli.train_srgan."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.train_srgan")
else:
    from lrfr_tf.cli.train_srgan import Config, main  # noqa: F401
