"""See lrfr_tf.cli.run_experiment."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.run_experiment")
else:
    from lrfr_tf.cli.run_experiment import Config, main  # noqa: F401
