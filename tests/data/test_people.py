"""Whose photos lie where, in one place or several."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.data.held_out import CALIBRATION, EVERYBODY, REPORTED, held_out_half
from lrfr_tf.data.people import find_people
from lrfr_tf.errors import UserError
from lrfr_tf.images.decode import write_png


def write_photos(root: Path, *names: str) -> None:
    for name in names:
        write_png(root / name, np.zeros((4, 4, 3), np.uint8))


def test_a_person_in_several_places_is_one(tmp_path: Path) -> None:
    write_photos(tmp_path / "first", "7/b.png", "7/a.png", "15/a.png")
    write_photos(tmp_path / "second", "000001.png", "000002.png")
    (tmp_path / "list.txt").write_text("000001.png 7\n000002.png 20\n")
    places = (str(tmp_path / "first"), f"{tmp_path / 'second'}:{tmp_path / 'list.txt'}")
    people = find_people(places)
    assert {person: [name for _, name in photos] for person, photos in people.items()} == {
        "7": ["7/a.png", "7/b.png", "000001.png"], "15": ["15/a.png"], "20": ["000002.png"],
    }  # fmt: skip
    assert list(find_people(places, CALIBRATION)) == ["15"]
    assert list(find_people(places, REPORTED)) == ["20"]
    with pytest.raises(UserError, match="shows nobody in the half 'reported'"):
        find_people(places[:1], REPORTED)


def test_nobody_is_in_both_halves() -> None:
    """Who is held out (a number divisible by 5) is in one half or the other, never in both; nobody else is."""
    for number in range(10_178):
        half = held_out_half(str(number))
        assert (half is not None) == (number % 5 == 0)
        assert half == {0: REPORTED, 5: CALIBRATION}.get(number % 10)
    assert held_out_half("anna") is None
    assert EVERYBODY not in (CALIBRATION, REPORTED)
