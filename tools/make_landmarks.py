"""See lrfr_tf.cli.make_landmarks."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.make_landmarks")
else:
    from lrfr_tf.cli.make_landmarks import Config, main  # noqa: F401
