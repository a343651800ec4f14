"""The one kind of error that a user can mend."""


class UserError(Exception):
    """Bad input (a flag, a path, a file, a data set): its message is one sentence that names the thing.

    Every script turns it into that sentence on stderr and exit code 2 (see `lrfr_tf.main`).
    """
