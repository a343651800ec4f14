"""Names that an encoding, a terminal or a file cannot hold are written as escapes."""

import hashlib
import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.data.landmarks import by_image, key_of, read_landmarks, write_landmarks
from lrfr_tf.data.pairs import Pair, read_pairs, write_pairs
from lrfr_tf.files import atomic_file, replace_between_markers, write_json
from lrfr_tf.printable import ESCAPED, in_table, in_utf8, name_bytes, print_every_name, printable

NOT_UTF8 = os.fsdecode(b"caf\xe9")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zoë 林 محمد 👍🏽", "Zoë 林 محمد 👍🏽"),
        (NOT_UTF8, "caf\\xe9"),
        ("a\x1b[31m\r\n\t\x9b", "a\\x1b[31m\\x0d\\x0a\\x09\\x9b"),
        ("photo\u202egpj.exe", "photo\\u202egpj.exe"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_breaks_or_steers_a_line_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable("a\nb\x07", kept="\n") == "a\nb\\x07"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", b"Zo\\xeb \\u6797 \\U0001f600 caf\\xe9"),
        ("cp1252", b"Zo\xeb \\u6797 \\U0001f600 caf\\xe9"),
        ("utf-8", "Zoë 林 😀 caf\\xe9".encode()),
    ],
)
def test_stdout_and_stderr_take_every_name(encoding: str, shown: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    print_every_name()
    for stream in (sys.stdout, sys.stderr):
        print(f"Zoë 林 😀 {NOT_UTF8}", end="", file=stream)
        stream.flush()
        assert stream.buffer.getvalue() == shown  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Jos\u00e9 \u6797", "Jos\u00e9 \u6797"),
        ("Jos\udcc3\udca9", "Jos\u00e9"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\ud800"),
    ],
)
def test_a_database_takes_every_name(text: str, kept: str) -> None:
    assert in_utf8(text) == kept


def test_digests_take_every_name_and_stay_as_they_were() -> None:
    assert name_bytes("Zoë 林") == "Zoë 林".encode()
    assert len({hashlib.sha256(name_bytes(name)).digest() for name in (NOT_UTF8, "caf\\xe9", "\ud800", "café")}) == 4


def test_files_take_every_name(tmp_path: Path) -> None:
    assert in_table(f"林 {NOT_UTF8}") == "林 caf%e9"
    write_json(tmp_path / f"{NOT_UTF8}.json", {"name": NOT_UTF8})
    document = tmp_path / "document.md"
    document.write_text("<!-- x -->\n<!-- end of x -->\n")
    replace_between_markers(document, NOT_UTF8, "x")
    assert "caf\\xe9" in document.read_text(encoding="utf-8")
    with open(tmp_path / "table.csv", "w", encoding="utf-8", errors=ESCAPED) as file:
        file.write(NOT_UTF8)
    assert (tmp_path / "table.csv").read_text(encoding="utf-8") == "caf\\xe9"


def test_a_table_of_landmarks_and_a_list_of_pairs_find_the_image_again(tmp_path: Path) -> None:
    points = np.arange(10, dtype=float).reshape(5, 2)
    images = [f"{NOT_UTF8}/{NOT_UTF8}.jpg", "bob/two\r\nlines.jpg", "Zoë/林.jpg"]
    write_landmarks(tmp_path / "table.csv", dict.fromkeys(images, points))
    assert list(by_image(read_landmarks(tmp_path / "table.csv"))) == [key_of(image) for image in images]
    names = [(NOT_UTF8, "1.jpg"), (NOT_UTF8, f"{NOT_UTF8}.jpg"), ("bob", "2.jpg")]
    write_pairs(tmp_path / "pairs.txt", [[Pair(names[0], names[1]), Pair(names[0], names[2])]])
    ((same, _),) = read_pairs(tmp_path / "pairs.txt")
    assert key_of("/".join(same.second)) == key_of("/".join(names[1]))


def test_a_file_may_have_a_name_as_long_as_the_system_takes(tmp_path: Path) -> None:
    path = tmp_path / ("林" * 83 + ".json")  # 254 bytes, and 255 are the most
    with atomic_file(path) as temporary:
        assert temporary.suffix == ".json"
        temporary.write_text("{}")
    assert path.read_text() == "{}"
