"""See lrfr_tf.cli.show_levels."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.show_levels")
else:
    from lrfr_tf.cli.show_levels import Config, main  # noqa: F401
