"""VGGFace2's list of persons, `identity_meta.csv`, and who of them is also in a test set.

Cao et al., "VGGFace2: A dataset for recognising faces across pose and age", FG 2018.
"""

import unicodedata
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from lrfr_tf.data.name_list import check_matched, read_name_list, read_table
from lrfr_tf.errors import UserError


def read_identity_names(path: Path) -> dict[str, str]:
    """Reads `identity_meta.csv`: a header "Class_ID, Name, ...", then `n000001, "14th_Dalai_Lama", ...`.

    Returns:
        Identity -> name as written there.

    Raises:
        UserError: the file cannot be read or is not such a list; the message names the line.
    """
    rows = read_table(path, "a table")
    _, header = next(rows, (0, []))
    if [word.casefold() for word in header[:2]] != ["class_id", "name"]:
        raise UserError(f"{path} does not begin with the columns Class_ID and Name; it should be identity_meta.csv.")
    names: dict[str, str] = {}
    for number, row in rows:
        if len(row) < 2 or not row[0] or not row[1]:
            raise UserError(f"{path}, line {number}: {', '.join(row)[:60]!r} holds no identity and name.")
        names[row[0]] = row[1]
    return names


def normalized_name(name: str) -> str:
    """Small letters and digits only, accents taken off: "José_Ángel Pérez" and "Jose Angel Perez" are one.

    Letters that are no letter with an accent (Cyrillic, Chinese) stay as they are.
    """
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(character for character in decomposed if character.isalnum())


def identities_named(
    names: Mapping[str, str], path: Path, there: Collection[str], allow_unmatched: bool, *, note: Callable[[str], None]
) -> frozenset[str]:
    """The identities whose name is in the list `path`: one name a line; what follows a tab is ignored (LFW's lists).

    Args:
        names: identity -> name, from `read_identity_names`.
        there: the identities of the data.
        allow_unmatched, note: see `lrfr_tf.data.name_list.check_matched`.

    Raises:
        UserError: see `read_name_list` and `check_matched`.
    """
    wanted = {normalized_name(entry): entry for entry in read_name_list(path, "a list of names", before_tab=True)}
    named = {identity: normalized_name(name) for identity, name in names.items() if identity in there}
    unmatched = [entry for name, entry in wanted.items() if name not in set(named.values())]
    check_matched(path, unmatched, len(wanted), allow_unmatched, note=note)
    return frozenset(identity for identity, name in named.items() if name in wanted)
