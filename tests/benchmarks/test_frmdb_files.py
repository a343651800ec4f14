"""FRMDB's reader: who is on which photo, and what is missing in one sentence."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.benchmarks.frmdb import find_frmdb
from lrfr_tf.errors import UserError
from tests.frmdb_by_code import CAMERAS, write_frmdb


@pytest.fixture
def tree(portrait: np.ndarray, tmp_path: Path) -> Path:
    return write_frmdb(tmp_path / "frmdb", portrait)


def test_finds_persons_and_cameras(tree: Path) -> None:
    images = find_frmdb(tree)
    assert images.persons == list(CAMERAS)
    assert images.mugshots == [f"{name}/mugshot.jpg" for name in CAMERAS]
    expected = [(f"{name}/cam{camera}.jpg", camera) for name, cameras in CAMERAS.items() for camera in cameras]
    assert list(zip(images.probes, images.cameras, strict=True)) == expected
    assert [images.persons[label] for label in images.labels] == [name.split("/")[0] for name, _ in expected]
    faces = images.aligned(images.probes, "centred", 112)
    assert (faces.shape, faces.dtype) == ((len(expected), 112, 112, 3), np.uint8)


def test_what_is_missing_is_named(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere holds no <person>/mugshot\.jpg"):
        find_frmdb(tmp_path / "nowhere")
    (tree / "003" / "mugshot.jpg").rename(tree / "mugshot.jpg")
    with pytest.raises(UserError, match="frmdb/003 has no mugshot"):
        find_frmdb(tree)
    (tree / "mugshot.jpg").rename(tree / "003" / "mugshot.jpg")
    table = tree / "points.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(line for line in lines if "005/cam4" not in line))
    with pytest.raises(UserError, match=r"points\.csv has no landmarks of 005/cam4\.jpg"):
        find_frmdb(tree)
    table.unlink()
    with pytest.raises(UserError, match=r"points\.csv is missing"):
        find_frmdb(tree)
