"""Text files with one entry or one row a line: who is left out of a training, whom a photo shows, and the like.

An editor on another system writes a byte-order mark, other line ends, tabs or accents as letters of their own. None of
that may change who is meant, so every such file is read here.
"""

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from lrfr_tf.data.folders import identity_name
from lrfr_tf.errors import UserError
from lrfr_tf.names import nfc
from lrfr_tf.plural import counted

SHOWN = 5  # entries that match nobody are named up to so many
# What the first line of a list says where it is no entry.
HEADERS = {"name", "names", "person", "persons", "identity", "identities", "subject", "subjects", "label", "class_id"}


def lines_of(path: Path, what: str) -> Iterator[tuple[int, str]]:
    """The lines of a text file that are not blank, each with its number from 1 on.

    The text is UTF-8 with or without byte-order mark, its lines end with LF, CR LF or CR; it is normalized to NFC.

    Args:
        what: what the file should be, for messages, such as "a list of pairs".

    Raises:
        UserError: the file cannot be read, or is not in UTF-8.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:  # which makes every line end LF
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, nfc(line.rstrip("\n"))
    except OSError as error:
        raise UserError(f"{path} cannot be read as {what}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} cannot be read as {what}: it is no text in UTF-8.") from None


def read_table(path: Path, what: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table: the number of the line, and its fields without the blanks about them.

    The fields of a line are separated by tabs if it holds one, else by commas or semicolons if it holds those, and may
    be quoted; else by blanks. Whether the first row is a header, its reader knows.

    Raises:
        UserError: see `lines_of`, or a line is no row of such a table.
    """
    for number, line in lines_of(path, what):
        yield number, fields_of(line, f"{path}, line {number}, is no row of {what}")


def fields_of(line: str, complaint: str = "A line is no row of a table") -> list[str]:
    """The fields of one line, as `read_table` separates them.

    Raises:
        UserError: it cannot be taken apart; the message begins with `complaint`.
    """
    unquoted = re.sub('"[^"]*"', "", line) if '"' in line else line
    mark = "\t" if "\t" in unquoted else max(",;", key=unquoted.count)
    if mark not in unquoted:
        return line.split()
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=mark, skipinitialspace=True))]
    except csv.Error as error:
        raise UserError(f"{complaint}: {error}.") from None


def read_name_list(path: Path, what: str = "a list of identities", before_tab: bool = False) -> list[str]:
    """The entries of a list, one a line; a name may hold blanks. Blank lines and a header do not count.

    Args:
        before_tab: what follows a tab is no part of the name, as in LFW's lists.

    Raises:
        UserError: the file cannot be read, names nobody, or has a line with a comma or a tab, which is several entries
            or a table; the message names the line.
    """
    entries = []
    for place, (number, line) in enumerate(lines_of(path, what)):
        entry = (line.split("\t")[0] if before_tab else line).strip()
        for mark, name in ((",", "a comma"), ("\t", "a tab")):
            if mark in entry:
                raise UserError(f"{path}, line {number}: {entry[:60]!r} holds {name}; {what} has one entry a line.")
        if place > 0 or entry.casefold() not in HEADERS:
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
    check_matched(path, unmatched, len(names), allow_unmatched, note=note)
    return frozenset(names)


def check_matched(
    path: str | Path, unmatched: Collection[str], count: int, allow_unmatched: bool, *, note: Callable[[str], None]
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
    shown = some_of(unmatched)
    if len(unmatched) == count:
        raise UserError(
            f"{path} leaves nobody out: of its {counted(count, 'entry', 'entries')} none ({shown}) is a person of the "
            "data."
        )
    sentence = f"{path} has entries that match nobody, {len(unmatched)} of {count:,} ({shown})"
    if not allow_unmatched:
        raise UserError(
            f"{sentence}; if the list is of more data than is here, `allow_unmatched_exclusions` lets them pass."
        )
    note(f"{sentence}.")


def some_of(entries: Collection[str], shown: int = SHOWN) -> str:
    """The first of some entries, for messages; "..." where there are more."""
    return ", ".join(list(entries)[:shown]) + (" ..." if len(entries) > shown else "")
