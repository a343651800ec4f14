"""The picture of camera levels: every face at its place, and a line below it whose color says whether it is right."""

from pathlib import Path

import numpy as np

from lrfr_tf.benchmarks.level_sheet import CELL, GAP, LINE, Tile, level_sheet
from lrfr_tf.images.annotate import KNOWN, UNKNOWN
from lrfr_tf.images.decode import read_image, write_png


def test_every_face_has_its_place_and_its_line(tmp_path: Path) -> None:
    grey, red = np.full((CELL, CELL, 3), 90, np.uint8), np.full((31, 31, 3), (200, 0, 0), np.uint8)
    blue = np.full((64, 64, 3), (0, 0, 200), np.uint8)
    rows = [
        [Tile((grey,), "ann 0.80", True), Tile((red, blue), "ann 0.60", True)],
        [Tile((grey,), "ann 0.70", True), Tile((blue, red), f"bob {200 * 'x'}", False)],
    ]
    sheet = level_sheet(["as it is", "harsh"], rows)
    assert sheet.shape == (LINE + 2 * (CELL + LINE + GAP), 3 * CELL + 3 * GAP, 3)
    left = 2 * GAP + CELL
    for row, colors in enumerate((((200, 0, 0), (0, 0, 200)), ((0, 0, 200), (200, 0, 0)))):
        top = LINE + row * (CELL + LINE + GAP)
        assert (sheet[top : top + CELL, GAP : GAP + CELL] == 90).all()
        for place, color in enumerate(colors):
            cell = sheet[top : top + CELL, left + place * CELL : left + (place + 1) * CELL]
            assert (cell == color).all()
        for start, width, color in ((GAP, CELL, KNOWN), (left, 2 * CELL, (KNOWN, UNKNOWN)[row])):
            line = sheet[top + CELL : top + CELL + LINE, start : start + width]
            assert (line[:, :2] == color).all()  # a margin on either side, however long the name is
            assert (line[:, -2:] == color).all()
            assert (line.min(axis=2) > 200).any()  # white letters
    write_png(tmp_path / "levels.png", level_sheet(["as it is", "harsh"], rows))
    assert np.array_equal(read_image(tmp_path / "levels.png"), sheet)
