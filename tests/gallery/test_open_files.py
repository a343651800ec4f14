"""Opening a gallery twice in one process must not end the locks that keep its write-ahead log in place."""

import gc
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lrfr_tf.gallery.kept_file import is_gallery_file
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import Store
from tests.gallery.ready_people import new_people, references

OTHER = """
import sys
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import Store
from tests.gallery.ready_people import references
people = People(Store(sys.argv[1]))
people.add("second", references(2, 1))
people.close()
"""
FIRST = """
import os, subprocess, sys
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.kept_file import is_gallery_file
from lrfr_tf.gallery.store import Store
from tests.gallery.ready_people import references
path, other = sys.argv[1:]
people = People(Store(path))
people.add("first", references(1, 1))
Store(path).close()
assert is_gallery_file(path)
subprocess.run([sys.executable, "-c", other, path], check=True)
people.add("third", references(3, 1))
print("acknowledged", flush=True)
os.kill(os.getpid(), 9)
"""


def test_what_was_acknowledged_beside_a_second_opening_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    new_people(path).close()
    done = subprocess.run([sys.executable, "-c", FIRST, str(path), OTHER], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "acknowledged\n"), done.stderr
    assert [person.name for person in People(Store(path)).persons()] == ["first", "second", "third"]


def test_nothing_stays_open(tmp_path: Path) -> None:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("The system does not list open files.")
    new_people(tmp_path / "people.db").close()
    gc.collect()  # what earlier tests left open
    before = len(os.listdir("/proc/self/fd"))
    stores = [Store(tmp_path / "people.db") for _ in range(3)]
    assert is_gallery_file(tmp_path / "people.db")
    for store in stores:
        store.close()
        store.close()
    (tmp_path / "photos.zip").write_bytes(b"PK")
    assert not is_gallery_file(tmp_path / "photos.zip")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_in_the_place_of_a_gallery_is_looked_at_anew(tmp_path: Path) -> None:
    people = new_people(tmp_path / "people.db")
    people.add("first", references(1, 1))
    (tmp_path / "people.db").unlink()
    (tmp_path / "people.db").write_bytes(b"PK")
    assert not is_gallery_file(tmp_path / "people.db")
    people.close()


def test_what_a_reader_left_beside_a_file_keeps_nobody_from_writing_it(tmp_path: Path) -> None:
    # As `list` leaves beside a gallery of the mode 0444. Root may write in any case, so modes are what is looked at.
    people = new_people(tmp_path / "people.db")
    beside = [tmp_path / f"people.db{ending}" for ending in ("-wal", "-shm")]
    for path in beside:
        path.chmod(0o444)
    (tmp_path / "link.db").symlink_to("people.db")
    People(Store(tmp_path / "link.db")).close()
    assert [stat.S_IMODE(path.stat().st_mode) for path in beside] == [0o600, 0o600]
    people.close()
