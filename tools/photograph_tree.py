"""See lrfr_tf.cli.photograph_tree."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.photograph_tree")
else:
    from lrfr_tf.cli.photograph_tree import Config, main  # noqa: F401
