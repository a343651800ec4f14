"""See lrfr_tf.cli.evaluate_frmdb."""

from lrfr_tf.cli.evaluate_frmdb import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)
