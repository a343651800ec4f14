"""See lrfr_tf.cli.query_serving."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.query_serving")
else:
    from lrfr_tf.cli.query_serving import Config, main  # noqa: F401
