"""The benchmark frmdb; see lrfr_tf.cli.evaluate_benchmark."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.evaluate_benchmark", part="frmdb")
else:
    from lrfr_tf.cli.evaluate_benchmark import command_of

    command = command_of("frmdb")
    main, Config = command.main, command.Config
