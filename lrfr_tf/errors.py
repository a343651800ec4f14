"""The one kind of error that a user can mend."""


class UserError(Exception):
    """Bad input (a setting, a path, a file, a data set): its message is one sentence that names the thing.

    Settings stand between backquotes, such as `batch_size`: where a command has a flag of that name, its user reads
    --batch_size. Every script turns the error into that sentence on stderr and exit code 2 (see `lrfr_tf.main`).
    """
