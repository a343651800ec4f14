"""See lrfr_tf.cli.super_resolve."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.super_resolve")
else:
    from lrfr_tf.cli.super_resolve import Config, main  # noqa: F401
