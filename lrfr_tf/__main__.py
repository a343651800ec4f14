"""`python -m lrfr_tf` is the command `lrfr`."""

from lrfr_tf.cli.command import main

if __name__ == "__main__":
    main()
