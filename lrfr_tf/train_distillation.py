"""See lrfr_tf.cli.train_distillation."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.train_distillation")
else:
    from lrfr_tf.cli.train_distillation import Config, main  # noqa: F401
