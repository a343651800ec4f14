"""Camera levels side by side, from a folder of photos to the picture and the table of names."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.images.decode import read_image
from lrfr_tf.study.experiment import path_in_checkout
from tests.cli.conftest import Tool
from tests.faces_by_code import write_people
from tests.tools.small_embedders import write_small_embedder


def test_the_picture_and_the_names(
    tool: Tool,
    photos: Path,
    portrait: np.ndarray,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    script = tool("show_levels")
    write_people(tmp_path / "asked", portrait, {"1": 1, "2": 1})
    write_small_embedder(tmp_path / "small" / "1", template="centred", input_size=112)
    flags = {
        "photos": str(tmp_path / "asked"), "gallery": str(photos), "embedder": str(tmp_path / "small"),
        "super_resolver": path_in_checkout("saved_models/srcnn"), "output": str(tmp_path / "levels.png"),
    }  # fmt: skip
    script.main(script.Config(**flags, camera=("clean", "moderate"), height=30))
    said = capsys.readouterr()
    assert "small-1-" in said.err
    assert "has no calibration: the most similar person is named" in said.err
    heading, first, second, _, right, *_ = said.out.splitlines()
    assert heading.split("  ")[0] == "photo"
    assert "clean 30 px" in heading
    assert "moderate 30 px" in heading
    assert first.startswith("1/00.png")
    assert second.startswith("2/00.png")
    assert int(right.split()[3]) == 2  # both, as they are
    picture = read_image(tmp_path / "levels.png")
    assert picture.shape == (18 + 2 * (128 + 18 + 10), 5 * 128 + 4 * 10, 3)

    with pytest.raises(UserError, match=r"No photo in .*asked shows a face of 2000 pixels or more\."):
        script.main(script.Config(**flags, height=2000))
    assert "00.png shows a face that is too small, and is left out." in capsys.readouterr().err
