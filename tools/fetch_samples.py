"""See lrfr_tf.cli.fetch_samples."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.fetch_samples")
else:
    from lrfr_tf.cli.fetch_samples import Config, main  # noqa: F401
