"""Lists of one entry a line, however they were saved, and names in them that match nobody."""

import unicodedata
from pathlib import Path

import pytest

from lrfr_tf.benchmarks.scface.files import read_test_subjects
from lrfr_tf.data.celeba import read_identities
from lrfr_tf.data.landmarks import read_landmarks, read_vggface2_landmarks
from lrfr_tf.data.name_list import fields_of, lines_of, read_exclusions, read_name_list
from lrfr_tf.data.pairs import read_pairs
from lrfr_tf.data.vggface2 import read_identity_names
from lrfr_tf.errors import UserError

BOM = b"\xef\xbb\xbf"


def never(sentence: str) -> None:
    raise AssertionError(sentence)


@pytest.mark.parametrize("mark", [b"", BOM])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_editors_do_not_change_who_is_meant(mark: bytes, end: bytes, tmp_path: Path) -> None:
    names = ["Anna Meier", "Zoë", "041", "", "  Cy  "]
    decomposed = unicodedata.normalize("NFD", "Zoë")
    assert decomposed != "Zoë"
    lines = [decomposed if name == "Zoë" else name for name in names]
    (tmp_path / "list.txt").write_bytes(mark + end.join(line.encode() for line in lines) + end)
    assert read_name_list(tmp_path / "list.txt") == ["Anna Meier", "Zoë", "041", "Cy"]
    there = ["Anna Meier", decomposed, "41", "Cy", "Bob"]
    assert read_exclusions(tmp_path / "list.txt", there, False, never) == {"Anna Meier", "Zoë", "41", "Cy"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_list_may_begin_with_a_byte_order_mark(end: str, tmp_path: Path) -> None:
    def saved(text: str) -> Path:
        (tmp_path / "list.txt").write_bytes(BOM + text.replace("\n", end).encode())
        return tmp_path / "list.txt"

    assert read_identities(saved("000001.jpg 7\n000002.jpg 8\n")) == {"000001.jpg": "7", "000002.jpg": "8"}
    assert len(read_pairs(saved("1\t1\nAnn\t1\t2\nAnn\t1\tCy\t1\n"))[0]) == 2
    assert read_test_subjects(saved("1\n3\n"), [1, 2, 3]) == [1, 3]
    assert read_identity_names(saved('Class_ID, Name\nn000001, "Ann"\n')) == {"n000001": "Ann"}
    points = "1,2,3,4,5,6,7,8,9,10"
    assert list(read_landmarks(saved(f"file,{','.join('abcdefghij')}\nann/1.jpg,{points}\n"))) == ["ann/1.jpg"]
    header = "NAME_ID," + ",".join(f"P{point}{axis}" for point in range(1, 6) for axis in "XY")
    assert list(read_vggface2_landmarks(saved(f"{header}\nn000001/1,{points}\n"))) == ["n000001/1"]


def test_rows_are_separated_by_whatever_a_program_wrote(tmp_path: Path) -> None:
    assert fields_of("a.jpg\t7") == fields_of("a.jpg 7") == fields_of('"a.jpg"; 7') == fields_of("a.jpg,7")
    assert fields_of('n1, "Smith; John; Jr.", 3') == ["n1", "Smith; John; Jr.", "3"]
    assert fields_of("Anna Meier/1.jpg\t7") == ["Anna Meier/1.jpg", "7"]
    for text in (
        "202599\nimage_id identity\n1.jpg 7\n\n2.jpg   8\n", "image_id,identity,note\n1.jpg,7,\n2.jpg,8,blurred\n",
        "file name\tidentity\n1.jpg\t7\n2.jpg\t8\n", "\n1.jpg 7\n2.jpg\t8\n",
    ):  # fmt: skip
        (tmp_path / "list.txt").write_text(text)
        assert read_identities(tmp_path / "list.txt") == {"1.jpg": "7", "2.jpg": "8"}
    meta = tmp_path / "meta.tsv"
    meta.write_text("Class_ID\tName\tSample_Num\nn000001\tSmith,_John\t3\n")
    assert read_identity_names(meta) == {"n000001": "Smith,_John"}


def test_pairs_without_their_tabs_and_with_blank_lines(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("\n1 1\n\nAnn 1  2\n\nAnn 1 Cy 1\n\n")
    (fold,) = read_pairs(tmp_path / "pairs.txt")
    assert [pair.same for pair in fold] == [True, False]
    (tmp_path / "pairs.txt").write_text("1\nAnn\t1\t2\nAnn\t1\tCy\t1\n")  # LFW's development sets have no folds
    assert read_pairs(tmp_path / "pairs.txt") == [fold]


def test_a_header_is_nobody(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("Identity\n41\n")
    assert read_exclusions(tmp_path / "list.txt", ["41"], False, never) == {"41"}
    (tmp_path / "list.txt").write_text("41\t42\n")
    with pytest.raises(UserError, match=r"line 1: '41\\t42' holds a tab; a list of identities has one entry a line"):
        read_exclusions(tmp_path / "list.txt", ["41", "42"], False, never)


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("Anna Meier\nBob, Cy\n")
    with pytest.raises(UserError, match=r"list.txt, line 2: 'Bob, Cy' holds a comma; a list of identities has one"):
        read_name_list(path)
    path.write_bytes(BOM + b"\r\n \r\n")
    with pytest.raises(UserError, match=r"list.txt is empty"):
        read_name_list(path)
    path.write_bytes("41\r\n44\r\n".encode("utf-16"))  # Notepad's "Unicode"
    with pytest.raises(UserError, match=r"list.txt cannot be read as a list of identities: it is no text in UTF-8"):
        read_name_list(path)
    with pytest.raises(UserError, match=r"none.txt cannot be read as a list of pets: No such file"):
        list(lines_of(tmp_path / "none.txt", "a list of pets"))
    assert read_name_list(path.parent / _lfw(tmp_path), before_tab=True) == ["Zoe_Kravitz", "AC_Green"]


def _lfw(folder: Path) -> str:
    (folder / "lfw-names.txt").write_text("Zoe_Kravitz\t5\nAC_Green\t1\n")
    return "lfw-names.txt"


def test_names_that_match_nobody_are_counted_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("\n".join(["00041", "Ann", *map(str, range(100, 107))]))
    with pytest.raises(UserError) as refused:
        read_exclusions(path, ["41", "Ann", "Bob"], False, never)
    assert str(refused.value) == (
        f"{path} has entries that match nobody, 7 of 9 (100, 101, 102, 103, 104 ...); if the list is of more data "
        "than is here, `allow_unmatched_exclusions` lets them pass."
    )
    notes: list[str] = []
    assert "41" in read_exclusions(path, ["41", "Ann", "Bob"], True, notes.append)
    assert notes == [f"{path} has entries that match nobody, 7 of 9 (100, 101, 102, 103, 104 ...)."]
    # A list that leaves nobody out is of other data, whatever was allowed.
    for allowed in (False, True):
        with pytest.raises(UserError, match=r"list.txt leaves nobody out: of its 9 entries none \(00041, Ann, 100"):
            read_exclusions(path, ["Bob"], allowed, never)
    assert read_exclusions(None, ["Bob"], False, never) == frozenset()


def test_subjects_that_nobody_has_are_counted(tmp_path: Path) -> None:
    (tmp_path / "subjects.txt").write_text("1\n2\n77\nx\n")
    with pytest.raises(UserError, match=r"names others \(2\) than the 3 persons there, such as 77, x"):
        read_test_subjects(tmp_path / "subjects.txt", [1, 2, 3])
