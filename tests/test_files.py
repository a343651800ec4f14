"""Files are whole or absent; folders are resumed only with the same settings."""

import errno
import hashlib
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.files import (
    atomic_file,
    atomic_folder,
    check_result_file,
    read_json,
    replace_between_markers,
    sha256,
    write_json,
)
from lrfr_tf.resumable import open_folder


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def write_half() -> None:
        with atomic_file(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        write_half()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_written_files_replace_and_have_ordinary_permissions(tmp_path: Path) -> None:
    write_json(tmp_path / "deep" / "a.json", {"x": [1, 2]})
    write_json(tmp_path / "deep" / "a.json", {"x": 3})
    assert read_json(tmp_path / "deep" / "a.json") == {"x": 3}
    assert (tmp_path / "deep" / "a.json").stat().st_mode & 0o044 == 0o044


def test_threads_that_write_leave_the_umask_as_it_was(tmp_path: Path) -> None:
    interval, before = sys.getswitchinterval(), os.umask(0o022)

    def write_many(worker: int) -> None:
        for number in range(400):
            write_json(tmp_path / f"{worker}-{number}.json", number)

    sys.setswitchinterval(1e-6)  # threads take turns at every chance, so that one comes between two steps of another
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write_many, range(8)))
    finally:
        sys.setswitchinterval(interval)
        after = os.umask(before)
    assert after == 0o022
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o644}


def test_a_folder_is_replaced_as_a_whole_or_stays(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with atomic_folder(tmp_path / "model") as temporary:
            (temporary / name).write_text(name)
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "second"]

    def fail() -> None:
        with atomic_folder(tmp_path / "model") as temporary:
            (temporary / "third").write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["model", "second"]


def test_what_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(UserError, match="there is a folder; it should be the file to write"):
        write_json(tmp_path / "there", {})
    with pytest.raises(UserError, match="cannot be written: File name too long"):
        write_json(tmp_path / ("a" * 300), {})

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with (
        pytest.raises(UserError, match="model cannot be written: No space left on device"),
        atomic_folder(tmp_path / "model"),
    ):
        pass
    with pytest.raises(UserError, match="a.txt cannot be written: No space"), atomic_file(tmp_path / "a.txt"):
        full()
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_a_defect_of_ours_keeps_its_kind(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "a.txt"):
        (tmp_path / "none").read_text()


def test_bad_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    for name in ("bad.json", "none.json"):
        with pytest.raises(UserError, match=name):
            read_json(tmp_path / name)


def test_a_folder_is_no_result_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder"):
        check_result_file(tmp_path)
    check_result_file(tmp_path / "not_there_yet.json")
    write_json(tmp_path / "old.json", {})
    check_result_file(tmp_path / "old.json")


def test_only_what_stands_between_the_marks_is_replaced(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("x\n<!-- b -->\nold\n<!-- end of b -->\n<!-- c -->\nkept\n<!-- end of c -->\n")
    replace_between_markers(document, "new", "b")
    assert document.read_text() == (
        "x\n<!-- b -->\nnew\n<!-- end of b -->\n<!-- c -->\nkept\n<!-- end of c -->\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "<!-- b -->", "<!-- end of b --> <!-- b -->", "<!-- b --> <!-- b --> <!-- end of b -->"],
)
def test_a_document_whose_marks_are_unclear_stays(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.md").write_text(text)
    with pytest.raises(UserError, match="a.md holds no <!-- b -->"):
        replace_between_markers(tmp_path / "a.md", "new", "b")
    assert (tmp_path / "a.md").read_text() == text


def test_a_missing_document_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none.md is missing; it should be a document with <!-- b -->"):
        replace_between_markers(tmp_path / "none.md", "new", "b")
    assert not list(tmp_path.iterdir())


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_a_folder_is_resumed_only_with_the_same_settings(tmp_path: Path) -> None:
    open_folder(tmp_path / "run", {"steps": 1, "seed": 2})
    open_folder(tmp_path / "run", {"steps": 1, "seed": 2})
    with pytest.raises(UserError, match=r"\(seed, size\)"):
        open_folder(tmp_path / "run", {"steps": 1, "seed": 3, "size": 4})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("do not touch")
    with pytest.raises(UserError, match="not empty"):
        open_folder(tmp_path / "other", {})


def test_a_folder_is_not_resumed_with_other_data_at_the_same_place(tmp_path: Path) -> None:
    def open_with(sums: dict[str, str] | str, folder: str = "run", **settings: int) -> dict:
        return open_folder(tmp_path / folder, {**settings, "sums": sums}, of_data=("sums",))

    open_with({"trees/a": "1", "trees/b": "2"}, seed=1)
    assert open_with({"trees/a": "1", "trees/b": "2"}, seed=1)["seed"] == 1
    with pytest.raises(UserError, match=r"run was begun with other data: trees/b changed since; choose another"):
        open_with({"trees/a": "1", "trees/b": "3"}, seed=1)
    with pytest.raises(UserError, match=r"other settings \(seed, sums\)"):
        open_with({"trees/a": "0", "trees/b": "2"}, seed=2)
    # What was begun before there were checksums goes on.
    open_folder(tmp_path / "old", {"seed": 1})
    assert open_with({"trees/a": "1"}, "old", seed=1) == {"seed": 1}
    with pytest.raises(UserError, match=r"other settings \(seed\)"):
        open_with({"trees/a": "1"}, "old", seed=2)


def test_a_private_file_is_never_anybody_elses_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    replace = Path.replace

    def look_and_replace(self: Path, target: Path) -> Path:
        modes.append(self.stat().st_mode & 0o777)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", look_and_replace)
    with atomic_file(tmp_path / "a.zip", private=True) as temporary:
        modes.append(temporary.stat().st_mode & 0o777)
        temporary.write_bytes(b"a")
    assert modes == [0o600, 0o600]
    assert (tmp_path / "a.zip").stat().st_mode & 0o777 == 0o600
