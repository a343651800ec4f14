"""See lrfr_tf.cli.evaluate_frmdb."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.evaluate_frmdb")
else:
    from lrfr_tf.cli.evaluate_frmdb import Config, main  # noqa: F401
