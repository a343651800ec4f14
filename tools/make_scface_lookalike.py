"""See lrfr_tf.cli.make_scface_lookalike."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.make_scface_lookalike")
else:
    from lrfr_tf.cli.make_scface_lookalike import Config, main  # noqa: F401
