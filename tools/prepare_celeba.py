"""See lrfr_tf.cli.prepare_celeba."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.prepare_celeba")
else:
    from lrfr_tf.cli.prepare_celeba import Config, main  # noqa: F401
