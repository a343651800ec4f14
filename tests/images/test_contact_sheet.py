"""Every face is on the sheet, in its place, enlarged without a change of color."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.images.contact_sheet import HEADING, MARGIN, MAX_WIDTH, contact_sheet
from lrfr_tf.images.decode import write_png


def test_every_face_in_its_place(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    columns = {
        "lr": random.integers(0, 256, (30, 4, 4, 3), dtype=np.uint8),
        "hr": random.integers(0, 256, (30, 16, 16, 3), dtype=np.uint8),
    }
    write_png(tmp_path / "sheet.png", contact_sheet(columns))
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    across = MAX_WIDTH // (64 + MARGIN)
    assert sheet.shape == (HEADING + 2 * (32 + MARGIN), across * (64 + MARGIN), 3)
    for face in range(30):
        top, left = HEADING + face // across * (32 + MARGIN), face % across * (64 + MARGIN)
        assert np.array_equal(sheet[top : top + 32 : 8, left : left + 32 : 8], columns["lr"][face])
        assert np.array_equal(sheet[top + 1 : top + 32 : 2, left + 33 : left + 64 : 2], columns["hr"][face])
    assert (sheet[:HEADING] < 128).any()  # the headings


def test_few_faces_make_a_narrow_sheet() -> None:
    faces = np.zeros((1, 64, 64, 3), np.uint8)
    assert contact_sheet({"hr": faces}, zoom=1).shape == (HEADING + 64 + MARGIN, 64 + MARGIN, 3)


def test_columns_that_do_not_fit_are_refused() -> None:
    faces = np.zeros((2, 64, 64, 3), np.uint8)
    for other in (faces[:1], np.zeros((2, 24, 24, 3), np.uint8)):
        with pytest.raises(ValueError, match="same faces"):
            contact_sheet({"a": faces, "b": other})
