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


def test_a_photo_without_a_face_is_an_error(tool: Tool, tmp_path: Path) -> None:
    Image.new("RGB", (200, 200), "grey").save(tmp_path / "wall.png")
    show_face = tool("show_face")
    with pytest.raises(UserError, match=r"wall.png holds no face"):
        show_face.main(show_face.Config(image=str(tmp_path / "wall.png"), output=str(tmp_path / "x.png")))
    assert not (tmp_path / "x.png").exists()
