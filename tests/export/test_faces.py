"""Faces to calibrate on: what is cut out of a tree of aligned faces is the template's own frame."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.export.faces import sample_faces
from lrfr_tf.files import write_json


def test_margins_of_an_aligned_tree_are_cut(tmp_path: Path) -> None:
    inner = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    for name, left, margin in (("left", 5, 0), ("around", 0, 4), ("both", 5, 4), ("plain", 0, 0)):
        whole = np.pad(inner, ((margin, margin), (left + margin, margin), (0, 0)))
        (tmp_path / name / "1").mkdir(parents=True)
        Image.fromarray(whole).save(tmp_path / name / "1" / "1.png")
        write_json(tmp_path / name / "manifest.json", {"left_margin": left, "margin": margin})
        np.testing.assert_array_equal(sample_faces(tmp_path / name, 24, 1, 0, held_out=False)[0], inner)


def test_a_bad_photo_is_left_out_and_only_bad_ones_are_an_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "1").mkdir()
    for number in range(3):
        Image.new("RGB", (8, 8)).save(tmp_path / "1" / f"{number}.png")
    (tmp_path / "1" / "1.png").write_text("no image")
    assert len(sample_faces(tmp_path, 8, 3, 0, held_out=False)) == 2
    assert "1/1.png is not an image" in caplog.text
    for number in range(3):
        (tmp_path / "1" / f"{number}.png").write_text("no image")
    with pytest.raises(UserError, match=r"1/0.png is not an image"):
        sample_faces(tmp_path, 8, 3, 0, held_out=False)
