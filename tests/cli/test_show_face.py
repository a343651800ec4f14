"""The faces of one photo, side by side."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.errors import UserError
from tests.cli.conftest import Tool


def test_every_face_of_the_photo_is_a_row(tool: Tool, portrait: np.ndarray, tmp_path: Path) -> None:
    show_face = tool("show_face")
    sizes = []
    for name, photo in (("one", portrait), ("two", np.concatenate([portrait, portrait], axis=1))):
        Image.fromarray(photo).save(tmp_path / f"{name}.png")
        config = show_face.Config(image=str(tmp_path / f"{name}.png"), output=str(tmp_path / f"{name}_faces.png"))
        show_face.main(config)
        with Image.open(tmp_path / f"{name}_faces.png") as picture:
            sizes.append(picture.size)
    assert sizes == [(600, 230), (600, 430)]


def test_a_face_is_shown_as_a_camera_takes_it(tool: Tool, portrait: np.ndarray, tmp_path: Path) -> None:
    show_face = tool("show_face")
    Image.fromarray(portrait).save(tmp_path / "photo.png")
    shown = []
    for camera in ("clean", "harsh"):
        output = tmp_path / f"{camera}.png"
        show_face.main(show_face.Config(image=str(tmp_path / "photo.png"), output=str(output), camera=camera))
        with Image.open(output) as picture:
            shown.append(np.asarray(picture.convert("RGB")).astype(int))
    clean, harsh = shown
    change = [np.abs(clean - harsh)[:, column * 200 : (column + 1) * 200].mean() for column in range(3)]
    assert min(change[:2]) > 2  # LR and bicubic
    assert change[2] == 0  # HR


def test_a_photo_without_a_face_is_an_error(tool: Tool, tmp_path: Path) -> None:
    Image.new("RGB", (200, 200), "grey").save(tmp_path / "wall.png")
    show_face = tool("show_face")
    with pytest.raises(UserError, match=r"wall.png holds no face"):
        show_face.main(show_face.Config(image=str(tmp_path / "wall.png"), output=str(tmp_path / "x.png")))
    assert not (tmp_path / "x.png").exists()
