"""What is wrong with a gallery's file, in words that a user understands."""

import sqlite3

from lrfr_tf.errors import UserError

GO_BACK = "go back to a backup of it (lrfr gallery backup makes them)"
# An error code of SQLite, or its low byte -> what to tell; it is kept in `sqlite_errorcode`.
SENTENCES = {
    sqlite3.SQLITE_BUSY: "is being changed by another process; nothing was changed, try again in a moment",
    sqlite3.SQLITE_LOCKED: "is being changed by another process; nothing was changed, try again in a moment",
    sqlite3.SQLITE_READONLY: "is read-only; nothing was changed",
    sqlite3.SQLITE_READONLY_DIRECTORY: (
        "lies in a folder that cannot be written, and even reading needs files beside it; copy it to another folder"
    ),
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full; nothing was changed",
    sqlite3.SQLITE_IOERR: "cannot be read or written (the disk may be full or broken); nothing was changed",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened, or files beside it cannot be written",
    sqlite3.SQLITE_PERM: "cannot be opened for want of rights",
    sqlite3.SQLITE_CORRUPT: f"is damaged; {GO_BACK}",
    sqlite3.SQLITE_NOTADB: "is not a gallery, or is damaged",
}


class StoreError(UserError):
    """The gallery's file is locked, read-only, damaged or cannot grow; what was asked for may be right."""


def sentence_of(error: Exception) -> str | None:
    """What to tell about an error of SQLite; None where the error may be our own."""
    if not isinstance(error, sqlite3.Error):
        return None
    code = getattr(error, "sqlite_errorcode", None)
    if code is None and "decode to UTF-8" in str(error):  # said by Python, not by SQLite
        code = sqlite3.SQLITE_CORRUPT
    return None if code is None else SENTENCES.get(code, SENTENCES.get(code & 0xFF))
