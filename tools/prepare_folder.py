"""See lrfr_tf.cli.prepare_folder."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.prepare_folder")
else:
    from lrfr_tf.cli.prepare_folder import Config, main  # noqa: F401
