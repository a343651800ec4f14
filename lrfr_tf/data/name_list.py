"""Text files with one entry a line: who is left out of a training, who is tested on, and the like.

An editor on another system writes a byte-order mark, other line ends or accents as letters of their own. None of that
may change who is meant, so every such file is read here.
"""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from lrfr_tf.data.folders import identity_name
from lrfr_tf.errors import UserError
from lrfr_tf.names import nfc

SHOWN = 5  # entries that match nobody are named up to so many


def read_lines(path: Path, what: str) -> list[str]:
    """The lines of a text file: UTF-8 with or without byte-order mark, ended by LF, CR LF or CR, normalized to NFC.

    Blank lines at the end are left out.

    Args:
        what: what the file should be, for messages, such as "a list of pairs".

    Raises:
        UserError: the file cannot be read, or is not in UTF-8.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")  # which makes every line end LF
    except OSError as error:
        raise UserError(f"{path} cannot be read as {what}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} cannot be read as {what}: it is no text in UTF-8.") from None
    return nfc(text).rstrip().split("\n")


def read_name_list(path: Path, what: str = "a list of identities", before_tab: bool = False) -> list[str]:
    """The entries of a list, one a line; a name may hold blanks. Blank lines do not count.

    Args:
        before_tab: what follows a tab is no part of the name, as in LFW's lists.

    Raises:
        UserError: the file cannot be read, names nobody, or has a line with a comma, which is several entries or a
            table; the message names the line.
    """
    entries = []
    for number, line in enumerate(read_lines(path, what), start=1):
        entry = (line.split("\t")[0] if before_tab else line).strip()
        if "," in entry:
            raise UserError(f"{path}, line {number}: {entry[:60]!r} holds a comma; {what} has one entry a line.")
        if entry:
            entries.append(entry)
    if not entries:
        raise UserError(f"{path} is empty; it should be {what}, one a line.")
    return entries


def read_exclusions(
    path: str | Path | None, there: Iterable[str], allow_unmatched: bool, note: Callable[[str], None]
) -> frozenset[str]:
    """Reads a list of identities to leave out, one name or number a line: as `identity_name` writes them.

    Args:
        path: the list; None leaves nobody out.
        there: all identities of the data, also those that other rules leave out.
        allow_unmatched, note: see `check_matched`.

    Raises:
        UserError: see `read_name_list` and `check_matched`.
    """
    if path is None:
        return frozenset()
    names = {identity_name(entry): entry for entry in read_name_list(Path(path))}
    known = {identity_name(name) for name in there}
    unmatched = [entry for name, entry in names.items() if name not in known]
    check_matched(path, unmatched, len(names), allow_unmatched, note)
    return frozenset(names)


def check_matched(
    path: str | Path, unmatched: Collection[str], count: int, allow_unmatched: bool, note: Callable[[str], None]
) -> None:
    """Refuses a list of persons to leave out with entries that match nobody: who is misspelled is not left out.

    Args:
        unmatched: the entries that match nobody.
        count: how many entries there are.
        allow_unmatched: the list is of more data than there is here, so some of its entries may match nobody.
        note: told about those, in one sentence.

    Raises:
        UserError: an entry matches nobody and that was not allowed, or none matches anybody.
    """
    if not unmatched:
        return
    shown = ", ".join(list(unmatched)[:SHOWN]) + (" ..." if len(unmatched) > SHOWN else "")
    if len(unmatched) == count:
        raise UserError(f"{path} leaves nobody out: none of its {count} entries ({shown}) is a person of the data.")
    sentence = f"{len(unmatched)} of the {count} entries of {path} match nobody ({shown})"
    if not allow_unmatched:
        raise UserError(
            f"{sentence}; if the list is of more data than is here, --allow_unmatched_exclusions lets them pass."
        )
    note(f"{sentence}.")
