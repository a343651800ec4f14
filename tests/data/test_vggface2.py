"""VGGFace2's table of persons and the names in it."""

from pathlib import Path

import pytest

from lrfr_tf.data.vggface2 import identities_named, normalized_name, read_identity_names
from lrfr_tf.errors import UserError

TABLE = """Class_ID, Name, Sample_Num, Flag, Gender
n000001, "14th_Dalai_Lama", 424, 0, m
n000002, "A_Fine_Frenzy", 315, 1, f
n000003, "José_Ángel_Pérez", 205, 1, m
n000004, "Smith,_John_Jr.", 387, 1, m
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "identity_meta.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path / "identity_meta.csv"


def test_the_table_names_identities(table: Path) -> None:
    assert read_identity_names(table) == {
        "n000001": "14th_Dalai_Lama",
        "n000002": "A_Fine_Frenzy",
        "n000003": "José_Ángel_Pérez",
        "n000004": "Smith,_John_Jr.",
    }


def test_names_are_compared_without_accents_and_punctuation(table: Path, tmp_path: Path) -> None:
    assert normalized_name("José_Ángel Pérez") == "joseangelperez"
    assert normalized_name("Лев") == "лев"
    # LFW's lfw-names.txt has "name<TAB>number of images".
    (tmp_path / "names.txt").write_text("Jose_Angel_Perez\t3\nSMITH John jr\n\nA_Fine\t1\n14th_Dalai_Lamas\n")
    names, notes = read_identity_names(table), []
    there = ["n000001", "n000003", "n000004", "n000009"]
    assert identities_named(names, tmp_path / "names.txt", there, True, note=notes.append) == {"n000003", "n000004"}
    assert notes == [f"{tmp_path}/names.txt has entries that match nobody, 2 of 4 (A_Fine, 14th_Dalai_Lamas)."]
    with pytest.raises(UserError, match=r"has entries that match nobody, 2 of 4"):
        identities_named(names, tmp_path / "names.txt", there, False, note=notes.append)
    # The table knows them, and the photos are of others.
    with pytest.raises(UserError, match=r"names.txt leaves nobody out: of its 4 entries none"):
        identities_named(names, tmp_path / "names.txt", ["1", "3"], True, note=notes.append)


def test_wrong_files_are_errors(table: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("\n \n")
    with pytest.raises(UserError, match=r"names.txt is empty"):
        identities_named({}, tmp_path / "names.txt", [], False, note=print)
    with pytest.raises(UserError, match=r"none.txt cannot be read"):
        identities_named({}, tmp_path / "none.txt", [], False, note=print)
    with pytest.raises(UserError, match=r"none.csv cannot be read as a table"):
        read_identity_names(tmp_path / "none.csv")
    with pytest.raises(UserError, match=r"it should be identity_meta.csv"):
        read_identity_names(tmp_path / "names.txt")
    table.write_text(TABLE + "n000005\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"identity_meta.csv, line 6: 'n000005' holds no identity and name"):
        read_identity_names(table)
