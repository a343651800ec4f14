"""Accuracy against pixels: pictures beside the result, read back for the report, refused where they do not fit."""

import io
from pathlib import Path

import pytest
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.report.pixels import draw_pixels, read_pixels
from lrfr_tf.files import sha256, write_json
from tests.result_by_hand import make_pixels


def test_the_pictures_are_drawn_and_read_back(tmp_path: Path) -> None:
    write_json(tmp_path / "tree" / "manifest.json", {"schema": 1})
    checksum = sha256(tmp_path / "tree" / "manifest.json")
    path = tmp_path / "result.json"
    made = make_pixels(data={"manifest_sha256": checksum})
    draw_pixels(path, made)
    write_json(path, made)
    result, pictures = read_pixels(path, tmp_path / "tree")
    assert result == made
    assert list(pictures) == ["held_out", "all"]
    for block, png in pictures.items():
        assert Image.open(io.BytesIO(png)).format == "PNG"
        assert (tmp_path / f"result.{block}.png").read_bytes() == png

    (tmp_path / "result.all.png").unlink()
    with pytest.raises(UserError, match=r"result\.all\.png is missing"):
        read_pixels(path, tmp_path / "tree")
    write_json(tmp_path / "tree" / "manifest.json", {"schema": 1, "framing": "another"})
    with pytest.raises(UserError, match="measured on another tree"):
        read_pixels(path, tmp_path / "tree")
    write_json(path, {"schema": 1, "benchmark": "lfw"})
    with pytest.raises(UserError, match="no result of tools/evaluate_pixels"):
        read_pixels(path, tmp_path / "tree")
