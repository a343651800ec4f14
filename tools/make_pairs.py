"""See lrfr_tf.cli.make_pairs."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.make_pairs")
else:
    from lrfr_tf.cli.make_pairs import Config, main  # noqa: F401
