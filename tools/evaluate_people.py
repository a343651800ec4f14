"""See lrfr_tf.cli.evaluate_people."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.evaluate_people")
else:
    from lrfr_tf.cli.evaluate_people import Config, main  # noqa: F401
