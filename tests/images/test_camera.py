"""The levels of the camera model, and what a photo draws from them."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.images.camera import (
    BOUNDS,
    CLEAN,
    DRAWS,
    HARSH,
    LEVELS,
    MODERATE,
    Camera,
    find_camera,
    misplacement_factor,
    sample_shot,
)
from tests.conftest import ROOT


def test_levels_are_found_by_name_and_cameras_are_themselves() -> None:
    assert list(LEVELS) == ["clean", "moderate", "harsh"]
    assert find_camera("harsh") is HARSH
    own = Camera(noise=(1.0, 2.0))
    assert find_camera(own) is own
    with pytest.raises(UserError, match=r"no camera level 'awful', only clean, moderate, harsh\.$"):
        find_camera("awful")


def test_levels_are_at_least_as_hard_as_was_agreed() -> None:
    """Blur in small pixels, noise in grey levels, JPEG qualities, and how far a crop is off as a share of its side."""
    assert MODERATE.defocus[1] >= 0.6
    assert MODERATE.noise[0] >= 2
    assert MODERATE.noise[1] >= 8
    assert MODERATE.jpeg is not None
    assert MODERATE.jpeg[0] <= 50
    assert MODERATE.jpeg[1] <= 90
    assert len(MODERATE.kernels) >= 4
    assert HARSH.defocus[1] >= 1.2
    assert HARSH.noise[1] >= 16
    assert HARSH.jpeg is not None
    assert HARSH.jpeg[0] <= 25
    assert HARSH.jpeg[1] <= 70
    assert HARSH.shift >= 0.04
    assert set(MODERATE.kernels) < set(HARSH.kernels)


def test_each_level_goes_farther_than_the_one_before() -> None:
    """In every option, to both sides; that a range begins lower is no matter where its upper end counts."""
    for before, after in ((CLEAN, MODERATE), (MODERATE, HARSH)):
        for name in ("defocus", "motion", "sharpening", "color_cast", "gamma", "contrast", "brightness", "noise"):
            assert getattr(after, name)[1] > getattr(before, name)[1], name
        for name in ("color_cast", "gamma", "contrast", "brightness"):
            assert getattr(after, name)[0] < getattr(before, name)[0], name
        for name in ("infrared", "second_jpeg", "rotation", "scale", "shift"):
            assert getattr(after, name) > getattr(before, name), name


@pytest.mark.parametrize(
    "options",
    [
        {"kernels": ()},
        {"kernels": ("nearest",)},
        {"defocus": (-0.1, 1.0)},
        {"defocus": (1.0, 0.5)},
        {"motion": (0.0, 9.0)},
        {"sharpening": (0.0, 5.0)},
        {"color_cast": (0.0, 1.0)},
        {"infrared": 1.1},
        {"gamma": (0.0, 1.0)},
        {"contrast": (0.0, 1.0)},
        {"brightness": (-300.0, 0.0)},
        {"noise": (float("nan"), 1.0)},
        {"shot_noise": (0.0, 1.5)},
        {"chroma_noise": (-0.5, 1.0)},
        {"jpeg": (0, 50)},
        {"jpeg": (50, 101)},
        {"jpeg": (60, 50)},
        {"second_jpeg": -0.1},
        {"rotation": -1.0},
        {"scale": 0.9},
        {"shift": 0.6},
    ],
)
def test_impossible_options_are_refused_by_name(options: dict) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(options))}"):
        Camera(**options)


def test_every_option_with_a_range_is_bounded() -> None:
    assert {name for name, _, _ in BOUNDS} == {field.name for field in dataclasses.fields(Camera)} - {"kernels", "jpeg"}


def test_small_faces_are_farther_off() -> None:
    assert misplacement_factor(112) == misplacement_factor(24) == 1
    assert misplacement_factor(12) == pytest.approx(2**0.5)
    assert misplacement_factor(8) == misplacement_factor(4) == 1.6
    large, small = (sample_shot(HARSH, np.ones(len(DRAWS)), size) for size in (24, 12))
    assert large.right == pytest.approx(HARSH.shift)
    assert small.right == pytest.approx(HARSH.shift * 2**0.5)
    assert small.angle == pytest.approx(large.angle * 2**0.5)
    assert np.log(small.scale) == pytest.approx(np.log(large.scale) * 2**0.5)


def test_draws_of_0_and_1_are_the_ends_of_the_ranges() -> None:
    low, high = (sample_shot(HARSH, np.full(len(DRAWS), end), 32) for end in (0.0, 1.0))
    for name in ("defocus", "motion", "sharpening", "gamma", "contrast", "brightness", "noise", "chroma_noise"):
        assert (getattr(low, name), getattr(high, name)) == pytest.approx(getattr(HARSH, name)), name
    assert (low.gains, high.gains) == (pytest.approx([0.85] * 3), pytest.approx([1.18] * 3))
    assert (low.infrared, high.infrared) == (True, False)
    assert (low.second_jpeg, high.second_jpeg) == (True, False)
    assert (low.qualities, high.qualities) == ((25, 25), (71, 71))  # whole parts count, and a draw is less than 1
    assert (low.kernel, high.kernel) == (0, 5)
    assert (low.down, high.down) == pytest.approx((-0.04, 0.04))
    assert (low.scale, high.scale) == pytest.approx((1 / 1.06, 1.06))
    assert (low.angle, high.angle) == pytest.approx((-np.radians(6), np.radians(6)))


@pytest.mark.parametrize("name", DRAWS)
def test_each_draw_decides_something_of_its_own(name: str) -> None:
    changed = np.full(len(DRAWS), 0.5)
    changed[DRAWS.index(name)] = 0.01
    before, after = (dataclasses.asdict(sample_shot(HARSH, draws, 32)) for draws in (np.full(len(DRAWS), 0.5), changed))
    assert sum(before[key] != after[key] for key in before) == 1


def test_numbers_arrays_and_tensors_draw_the_same() -> None:
    draws = np.random.default_rng(1).random((len(DRAWS), 7))
    arrays = dataclasses.asdict(sample_shot(MODERATE, draws, 16))
    tensors = dataclasses.asdict(sample_shot(MODERATE, list(tf.constant(draws, tf.float32)), 16))
    numbers = dataclasses.asdict(sample_shot(MODERATE, [float(value) for value in draws[:, 3]], 16))
    for key, array in arrays.items():
        np.testing.assert_allclose(np.array(tensors[key]), np.array(array), rtol=1e-4, atol=1e-5, err_msg=key)
        np.testing.assert_allclose(np.array(numbers[key]), np.array(array)[..., 3], rtol=1e-12, err_msg=key)


def test_in_place_leaves_all_else() -> None:
    placed = HARSH.without_misplacement()
    assert not placed.has_misplacement
    assert HARSH.has_misplacement
    assert dataclasses.replace(placed, rotation=6.0, scale=1.06, shift=0.04) == HARSH


def test_the_document_has_the_numbers_of_the_levels() -> None:
    """docs/camera.md is where people read them."""
    rows = {}
    levels, _ = (ROOT / "docs" / "camera.md").read_text().split("## Which tools use it")
    for line in levels.splitlines():
        if line.startswith("| `"):
            option, _, moderate, harsh, _ = (cell.strip() for cell in line.strip("|").split("|"))
            rows[option.strip("`")] = (moderate, harsh)
    assert set(rows) == {field.name for field in dataclasses.fields(Camera)}
    del rows["kernels"]
    for option, texts in rows.items():
        for camera, text in zip((MODERATE, HARSH), texts, strict=True):
            value = getattr(camera, option)
            expected = value if isinstance(value, tuple) else (value,)
            assert tuple(float(number) for number in text.split(" to ")) == expected, option
