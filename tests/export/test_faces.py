"""Faces to calibrate on: what is cut out of a tree of aligned faces is the template's own frame."""

from pathlib import Path

import numpy as np
from PIL import Image

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
