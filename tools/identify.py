"""See lrfr_tf.cli.identify."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.identify")
else:
    from lrfr_tf.cli.identify import Config, main  # noqa: F401
