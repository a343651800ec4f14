"""Photos for evaluation: what each option does, and that nothing but the arguments decides."""

import dataclasses
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.images.camera import DRAWS, HARSH, LEVELS, MODERATE, NOISE_CHANNELS, Camera, sample_shot
from lrfr_tf.images.camera_numpy import apply_shot, draw, photograph, photograph_all, photograph_with_target
from lrfr_tf.images.degrade import degrade
from tests.faces_by_code import person

FIRST_DRAWS = [0.8882358586256796, 0.16719585277090387, 0.003974374222471044]
FIRST_NOISE = [0.2122689050306108, -3.144685381180112]
MARGIN, SIDE = 16, 112
WHOLE = SIDE + 2 * MARGIN


@pytest.fixture(scope="module")
def faces(portrait: np.ndarray) -> np.ndarray:
    """Twelve made-up persons with a margin, uint8 [12, 144, 144, 3]."""
    return np.stack([person(portrait, identity, 0, WHOLE) for identity in range(12)])


@pytest.fixture(scope="module")
def face(faces: np.ndarray) -> np.ndarray:
    return faces[0]


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    return np.full((WHOLE, WHOLE, 3), 128, np.uint8)


def without_margin(images: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(images[..., MARGIN:-MARGIN, MARGIN:-MARGIN, :])


def take(image: np.ndarray, size: int = 32, seed: int = 5, **options: Any) -> np.ndarray:
    """A photo by a camera with these options alone, as floats."""
    return photograph(image, size, Camera(**options), seed, margin=MARGIN).astype(float)


def plain(image: np.ndarray, size: int = 32) -> np.ndarray:
    """By a camera that only shrinks, but not with Pillow: the noise is 0."""
    return take(image, size, noise=(0.0, 1e-9))


def fineness(image: np.ndarray) -> float:
    """Mean difference of neighbors."""
    return float(np.abs(np.diff(image, axis=0)).mean() + np.abs(np.diff(image, axis=1)).mean())


@pytest.mark.parametrize("size", [8, 16, 64])
def test_clean_is_degrade(faces: np.ndarray, size: int) -> None:
    expected = degrade(without_margin(faces), size)
    np.testing.assert_array_equal(photograph_all(faces, size, "clean", range(12), margin=MARGIN), expected)
    np.testing.assert_array_equal(photograph(without_margin(faces)[3], size, "clean", 0), expected[3])


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_arguments_give_the_same_photo(face: np.ndarray, level: str) -> None:
    before = face.copy()
    first = photograph(face, 16, level, 3, margin=MARGIN)
    photograph(face, 24, "harsh", 9)
    np.testing.assert_array_equal(photograph(face, 16, level, 3, margin=MARGIN), first)
    np.testing.assert_array_equal(face, before)
    assert (first.dtype, first.shape) == (np.uint8, (16, 16, 3))
    assert (photograph(face, 16, level, 4, margin=MARGIN) != first).any() == (level != "clean")


def test_the_numbers_of_a_seed_stay() -> None:
    """Published figures rest on them."""
    draws, noise = draw(7, 16)
    np.testing.assert_allclose(draws[:3], FIRST_DRAWS, rtol=0, atol=1e-15)
    np.testing.assert_allclose(noise[0, 0, :2], FIRST_NOISE, rtol=0, atol=1e-12)
    assert draws.shape == (len(DRAWS),)
    assert noise.shape == (16, 16, NOISE_CHANNELS)


def test_all_is_one_by_one(faces: np.ndarray) -> None:
    seeds = range(40, 52)
    photos = photograph_all(faces, 12, "moderate", seeds, margin=MARGIN)
    for image, seed, photo in zip(faces, seeds, photos, strict=True):
        np.testing.assert_array_equal(photo, photograph(image, 12, "moderate", seed, margin=MARGIN))
    with pytest.raises(ValueError, match="shorter"):
        photograph_all(faces, 12, "moderate", range(11), margin=MARGIN)


@pytest.mark.parametrize("option", ["defocus", "motion"])
def test_blur_takes_detail_away_by_small_pixels(face: np.ndarray, option: str) -> None:
    for size in (16, 32):
        sharp = fineness(plain(face, size))
        levels = [
            np.mean([fineness(take(face, size, seed, **{option: (much, much)})) for seed in range(8)])
            for much in (0.5, 1.0, 2.0)
        ]
        assert sharp > levels[0] > levels[1] > levels[2]
        assert levels[2] < 0.9 * sharp


def test_sharpening_adds_detail(face: np.ndarray) -> None:
    assert fineness(take(face, sharpening=(0.6, 0.6))) > 1.15 * fineness(plain(face))


def test_color_cast_multiplies_each_channel(face: np.ndarray) -> None:
    gains = np.array([take(face, seed=seed, color_cast=(0.8, 1.0)).mean((0, 1)) for seed in range(30)])
    gains /= plain(face).mean((0, 1))
    assert (gains > 0.79).all()
    assert (gains < 1.001).all()
    assert np.abs(np.corrcoef(gains.T)[np.triu_indices(3, 1)]).max() < 0.6
    assert gains.std(axis=0).min() > 0.03


def test_a_share_of_the_photos_is_grey(face: np.ndarray) -> None:
    photos = [take(face, 8, seed, infrared=0.3) for seed in range(200)]
    grey = np.array([np.ptp(photo, axis=2).max() == 0 for photo in photos])
    assert 0.2 < grey.mean() < 0.4
    # Some see more of the red channel than others, and none is darker than the darkest channel.
    levels = np.array([photo.mean() for photo, is_grey in zip(photos, grey, strict=True) if is_grey])
    red = plain(face, 8)[..., 0].mean()
    luma = (plain(face, 8) @ [0.299, 0.587, 0.114]).mean()
    assert min(red, luma) - 1 < levels.min() < levels.max() < max(red, luma) + 1
    assert np.ptp(levels) > 0.7 * abs(red - luma)


def test_gamma_contrast_and_brightness_change_the_tone(face: np.ndarray) -> None:
    before = plain(face)
    np.testing.assert_allclose(take(face, gamma=(1.5, 1.5)), 255 * (before / 255) ** 1.5, atol=1.5)
    np.testing.assert_allclose(take(face, contrast=(0.5, 0.5)), 127.5 + 0.5 * (before - 127.5), atol=1)
    np.testing.assert_allclose(take(face, brightness=(20.0, 20.0)), np.minimum(before + 20, 255), atol=1)


@pytest.mark.parametrize("chroma", [0.0, 0.5, 1.0])
def test_noise_has_its_strength_and_its_color(grey: np.ndarray, chroma: float) -> None:
    noise = take(grey, 112, noise=(8.0, 8.0), chroma_noise=(chroma, chroma)) - 128
    assert noise.std(axis=(0, 1)) == pytest.approx(8, rel=0.05)
    assert abs(noise.mean()) < 0.3
    correlations = np.corrcoef(noise.reshape(-1, 3).T)[np.triu_indices(3, 1)]
    np.testing.assert_allclose(correlations, 1 - chroma, atol=0.05)


def test_shot_noise_grows_with_light(grey: np.ndarray) -> None:
    def at(level: int, share: float) -> float:
        return take(grey // 128 * np.uint8(level), 112, noise=(8.0, 8.0), shot_noise=(share, share)).std()

    assert at(32, 0.0) == pytest.approx(8, rel=0.05)
    assert at(200, 0.0) == pytest.approx(8, rel=0.05)
    assert at(32, 1.0) == pytest.approx(8 * np.sqrt(32 / 127.5), rel=0.05)
    assert at(200, 0.8) == pytest.approx(8 * np.sqrt(0.2 + 0.8 * 200 / 127.5), rel=0.05)


def test_grey_photos_have_grey_noise(grey: np.ndarray) -> None:
    noise = take(grey, infrared=1.0, noise=(8.0, 8.0), chroma_noise=(1.0, 1.0))
    assert np.ptp(noise, axis=2).max() == 0
    assert noise.std() == pytest.approx(8, rel=0.1)


def as_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(buffer)).astype(int)


def test_jpeg_is_pillows_of_the_crop_or_of_a_picture_around_it(face: np.ndarray) -> None:
    before = plain(face).astype(np.uint8)
    expected = as_jpeg(before, 40)
    same = [np.array_equal(take(face, seed=seed, jpeg=(40, 40)), expected) for seed in range(60)]
    assert 18 < sum(same) < 42
    for seed in range(60):
        found = take(face, seed=seed, jpeg=(40, 40))
        assert np.abs(found - expected).mean() < 9
        assert np.abs(found - before).mean() > 0.5


def test_jpeg_qualities_are_whole_numbers_of_the_range(face: np.ndarray) -> None:
    shot = dataclasses.replace(sample_shot(Camera(jpeg=(50, 90)), np.full(len(DRAWS), 0.5), 32), block=100.0)
    before = plain(face).astype(np.uint8)
    for qualities, again in (((50.0, 90.0), False), ((72.9, 90.0), False), ((90.99, 61.2), True)):
        own = dataclasses.replace(shot, qualities=qualities, second_jpeg=again)
        found = apply_shot(
            face, own, np.zeros((32, 32, NOISE_CHANNELS)), 32, camera=Camera(jpeg=(50, 90)), margin=MARGIN
        )[0]
        expected = as_jpeg(before, int(qualities[0]))
        if again:
            expected = as_jpeg(expected.astype(np.uint8), int(qualities[1]))
        np.testing.assert_array_equal(found, expected)


def test_second_jpeg_is_worse(face: np.ndarray) -> None:
    before = plain(face)
    once, twice = (
        np.mean([np.abs(take(face, seed=seed, jpeg=(25, 70), second_jpeg=share) - before).mean() for seed in range(40)])
        for share in (0.0, 1.0)
    )
    assert twice > 1.1 * once


def shifted(image: np.ndarray, right: int, down: int) -> np.ndarray:
    """The crop as if the face lay farther to the right and farther down."""
    start = MARGIN - down, MARGIN - right
    return image[start[0] : start[0] + SIDE, start[1] : start[1] + SIDE]


def test_a_crop_is_misplaced_by_what_lies_in_the_margin(face: np.ndarray) -> None:
    camera = Camera(shift=0.1)
    shot = sample_shot(camera, np.full(len(DRAWS), 0.5), SIDE)
    for right, down in ((7, 0), (0, -5), (-12, 9)):
        own = dataclasses.replace(shot, right=right / SIDE, down=down / SIDE)
        found = apply_shot(face, own, np.zeros((SIDE, SIDE, NOISE_CHANNELS)), SIDE, camera=camera, margin=MARGIN)[0]
        np.testing.assert_array_equal(found, shifted(face, right, down))


def test_turned_and_scaled_crops_are_opencvs(face: np.ndarray) -> None:
    import cv2

    camera = Camera(rotation=10.0, scale=1.2, shift=0.1)
    shot = sample_shot(camera, np.full(len(DRAWS), 0.5), SIDE)
    own = dataclasses.replace(shot, angle=np.radians(9), scale=1.1, right=0.03, down=-0.02)
    found = apply_shot(face, own, np.zeros((SIDE, SIDE, NOISE_CHANNELS)), SIDE, camera=camera, margin=MARGIN)[0].astype(
        float
    )
    middle = (WHOLE - 1) / 2
    # OpenCV turns to the left for positive angles, we turn to the right.
    matrix = cv2.getRotationMatrix2D((middle, middle), -9, 1.1) + [[0, 0, 0.03 * SIDE], [0, 0, -0.02 * SIDE]]
    expected = cv2.warpAffine(face, matrix, (WHOLE, WHOLE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    assert np.abs(found - without_margin(expected)).mean() < 1
    assert np.abs(found - without_margin(face)).mean() > 8


def test_no_black_corners_without_a_margin() -> None:
    white = np.full((64, 64, 3), 255, np.uint8)
    camera = Camera(rotation=20.0, scale=1.3, shift=0.2)
    for seed in range(20):
        assert (photograph(white, 16, camera, seed) == 255).all()


def test_misplacement_can_be_switched_off(faces: np.ndarray) -> None:
    camera = Camera(rotation=6.0, scale=1.06, shift=0.04)
    np.testing.assert_array_equal(
        photograph(faces[0], 16, camera, 1, margin=MARGIN, misplaced=False), degrade(without_margin(faces[0]), 16)
    )
    placed = photograph_all(faces, 16, HARSH, range(12), margin=MARGIN, misplaced=False)
    np.testing.assert_array_equal(
        placed, photograph_all(faces, 16, HARSH.without_misplacement(), range(12), margin=MARGIN)
    )
    assert (placed != photograph_all(faces, 16, HARSH, range(12), margin=MARGIN)).any()


@pytest.mark.parametrize("level", ["moderate", "harsh"])
def test_the_target_has_the_place_and_the_colors_of_the_photo(faces: np.ndarray, level: str) -> None:
    ours, undone = [], []
    for seed, image in enumerate(faces):
        photo, target = photograph_with_target(image, 24, level, seed, margin=MARGIN)
        np.testing.assert_array_equal(photo, photograph(image, 24, level, seed, margin=MARGIN))
        assert (target.dtype, target.shape) == (np.uint8, (SIDE, SIDE, 3))
        ours.append(np.square(photo - degrade(target, 24).astype(float)).mean())
        undone.append(np.square(photo - degrade(without_margin(image), 24).astype(float)).mean())
    assert np.mean(ours) < 0.6 * np.mean(undone)
    soft = dataclasses.replace(LEVELS[level], defocus=(0.0, 0.0), motion=(0.0, 0.0), sharpening=(0.0, 0.0))
    soft = dataclasses.replace(soft, noise=(0.0, 0.0), jpeg=None, kernels=("bicubic",), gamma=(1.0, 1.0))
    for seed, image in enumerate(faces):
        photo, target = photograph_with_target(image, 24, soft, seed, margin=MARGIN)
        assert np.abs(photo - degrade(target, 24).astype(float))[1:-1, 1:-1].mean() < 0.5


def test_the_target_of_a_clean_photo_is_the_face(face: np.ndarray) -> None:
    photo, target = photograph_with_target(face, 16, "clean", 0, margin=MARGIN)
    np.testing.assert_array_equal(target, without_margin(face))
    np.testing.assert_array_equal(photo, degrade(target, 16))


def test_levels_come_farther_and_farther_from_clean(faces: np.ndarray) -> None:
    for size in (12, 24):
        clean = photograph_all(faces, size, "clean", range(12), margin=MARGIN).astype(float)
        errors = [
            np.square(photograph_all(faces, size, level, range(12), margin=MARGIN) - clean).mean(axis=(1, 2, 3))
            for level in (MODERATE, HARSH)
        ]
        assert 20 < errors[0].mean() < 0.6 * errors[1].mean()
        assert (errors[0] < errors[1]).mean() > 0.8  # the same accident, only stronger


def test_bad_arguments_are_refused(face: np.ndarray) -> None:
    with pytest.raises(UserError, match="'worst'"):
        photograph(face, 16, "worst", 0)
    for image in (face[:, :100], face[..., :1], face.astype(np.float32), face[None]):
        with pytest.raises(ValueError, match="an image is uint8"):
            photograph(image, 16, "harsh", 0)
    for size, margin in ((0, 0), (145, 0), (113, 16), (16, -1), (1, 72)):
        with pytest.raises(ValueError, match="^size is 1 to"):
            photograph(face, size, "harsh", 0, margin=margin)
    with pytest.raises(ValueError, match="a seed is 0 or above, not -1"):
        photograph(face, 16, "harsh", -1)
