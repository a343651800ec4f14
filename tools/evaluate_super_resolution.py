"""See lrfr_tf.cli.evaluate_super_resolution."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.evaluate_super_resolution")
else:
    from lrfr_tf.cli.evaluate_super_resolution import Config, main  # noqa: F401
