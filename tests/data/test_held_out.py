"""Whose faces networks are scored on."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.data.face_cache import load_faces
from lrfr_tf.data.held_out import EVERY_SPLIT, list_held_out
from lrfr_tf.errors import UserError
from lrfr_tf.files import write_json
from lrfr_tf.images.decode import write_png


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Persons 3, 5 and 10 in two splits; the grey level of an image says which it is."""
    for split, base in (("train", 0), ("extra", 100)):
        for person in (3, 5, 10):
            write_png(tmp_path / "hr" / split / str(person) / "1.png", np.full((4, 4, 3), base + person, np.uint8))
    write_json(tmp_path / "manifest.json", {"schema": 1})
    return tmp_path


def test_held_out_persons_of_all_splits_that_exist(tree: Path) -> None:
    faces = list_held_out(tree, EVERY_SPLIT, 5)
    assert [face.path for face in faces] == ["train/5/1.png", "train/10/1.png", "extra/5/1.png", "extra/10/1.png"]
    assert [face.identity for face in faces] == ["5", "10", "5", "10"]
    assert load_faces(tree / "hr", faces)[:, 0, 0, 0].tolist() == [5, 10, 105, 110]


def test_zero_takes_everybody(tree: Path) -> None:
    assert [face.identity for face in list_held_out(tree, ("extra",), 0)] == ["3", "5", "10"]


def test_nobody_to_score(tree: Path) -> None:
    with pytest.raises(UserError, match="no identity there is divisible by `held_out_divisor`=7"):
        list_held_out(tree, EVERY_SPLIT, 7)
    with pytest.raises(UserError, match="holds no face to score in its splits val"):
        list_held_out(tree, ("val",), 5)
    with pytest.raises(UserError, match="not a finished tree"):
        list_held_out(tree / "hr", EVERY_SPLIT, 5)
