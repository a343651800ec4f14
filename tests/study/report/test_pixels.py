"""Accuracy against pixels: pictures beside the result, read back for the report, refused where they do not fit."""

import io
from pathlib import Path

import pytest
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.files import sha256, write_json
from lrfr_tf.images.decode import read_image
from lrfr_tf.study.report.pixels import draw_pixels, pixels_table, read_pixels
from lrfr_tf.study.report.text import pixels_markdown, pixels_text
from tests.result_by_hand import make_camera_pixels, make_pixels


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
    with pytest.raises(UserError, match="no result of lrfr evaluate pixels"):
        read_pixels(path, tmp_path / "tree")


def test_camera_levels_stand_below_each_other(tmp_path: Path) -> None:
    result = make_camera_pixels()
    block = result["blocks"]["all"]
    table = pixels_table(block, result)
    assert table.titles == ["Shrunk cleanly", "Camera: harsh"]
    assert [[row[1].text for row in group] for group in table.groups] == [["clean"] * 3, ["harsh"] * 3]
    assert [[row[2].text for row in group] for group in table.groups] == [
        ["10.0", "20.0", "30.0"],
        ["5.0", "10.0", "15.0"],
    ]
    # The best of each level is marked, not of all.
    assert [[row[2].best for row in group] for group in table.groups] == [[False, False, True]] * 2
    assert pixels_table(make_pixels()["blocks"]["all"], result).headings[:2] == ["Method", "8 px"]
    text = pixels_text(result)
    assert text.count("Camera: harsh") == 2  # blocks
    clean, harsh = text.split("All identities")[1].split("Camera: harsh")
    assert " 10.0 [5.0, 15.0]" in clean
    assert "  5.0 [0.0, 10.0]" in harsh
    assert "| Siamese, no super-resolution | harsh | **15.0** [10.0, 20.0] |" in "\n".join(pixels_markdown(result, {}))
    draw_pixels(tmp_path / "result.json", result)
    draw_pixels(tmp_path / "clean.json", make_pixels())
    assert read_image(tmp_path / "result.all.png").shape == (550, 960, 3)
    assert read_image(tmp_path / "clean.all.png").shape == (550, 800, 3)
