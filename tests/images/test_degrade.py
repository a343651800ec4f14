"""Degrading: the same pixels in both forms, and Pillow's."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy.ndimage import gaussian_filter

from lrfr_tf.images.degrade import CAMERA_KINDS, degrade, degrade_in_graph, degrade_like_cameras_in_graph


@pytest.mark.parametrize(("high", "low"), [(64, 16), (128, 8), (128, 12), (160, 16)])
def test_both_forms_equal_pillow(high: int, low: int, portrait: np.ndarray) -> None:
    images = np.stack([portrait[20 : 20 + high, 150 : 150 + high], portrait[200 : 200 + high, 50 : 50 + high]])
    expected = np.stack([np.asarray(Image.fromarray(image).resize((low, low), 3)) for image in images])
    assert expected.std() > 20
    np.testing.assert_array_equal(degrade(images, low), expected)
    np.testing.assert_array_equal(degrade_in_graph(images, low), expected)


def test_graph_form_works_in_a_data_pipeline() -> None:
    images = np.random.default_rng(3).integers(0, 256, (6, 64, 64, 3), dtype=np.uint8)
    batches = tf.data.Dataset.from_tensor_slices(images).batch(4).map(lambda batch: degrade_in_graph(batch, 16))
    np.testing.assert_array_equal(np.concatenate(list(batches.as_numpy_iterator())), degrade(images, 16))


SEED = tf.constant([1, 2], tf.int64)


@pytest.fixture(scope="module")
def faces(portrait: np.ndarray) -> np.ndarray:
    random = np.random.default_rng(0)
    places = random.integers(0, 300, (60, 2))
    return np.stack([portrait[y : y + 64, x : x + 64] for y, x in places])


def as_cameras(faces: np.ndarray, size: int, *kinds: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The images, and for each kind and image whether it happens and how much."""
    found = degrade_like_cameras_in_graph(tf.constant(faces), size, kinds, SEED).numpy()
    assert (found.dtype, found.shape) == (np.uint8, (len(faces), size, size, 3))
    seeds = tf.random.experimental.stateless_split(SEED, 3)
    draws = [tf.random.stateless_uniform((4, len(faces)), seed).numpy() for seed in (seeds[0], seeds[1])]
    return found, draws[0] < 0.5, draws[1]


def test_without_a_kind_it_is_bicubic_and_the_seed_decides(faces: np.ndarray) -> None:
    np.testing.assert_array_equal(as_cameras(faces, 16)[0], degrade(faces, 16))
    all_kinds = as_cameras(faces, 16, *CAMERA_KINDS)[0]
    np.testing.assert_array_equal(as_cameras(faces, 16, *CAMERA_KINDS)[0], all_kinds)
    other = degrade_like_cameras_in_graph(tf.constant(faces), 16, CAMERA_KINDS, SEED + 1).numpy()
    assert (other != all_kinds).any()
    assert np.abs(all_kinds.astype(float) - degrade(faces, 16)).mean() < 15


def test_blur_is_scipys_gaussian(faces: np.ndarray) -> None:
    found, happens, how_much = as_cameras(faces, 16, "blur")
    for image, plain, blurred, deviation in zip(found, degrade(faces, 16), happens[1], how_much[1], strict=True):
        expected = plain.astype(float)
        if blurred and deviation > 0.05:
            expected = gaussian_filter(expected, (deviation, deviation, 0), mode="reflect", radius=3)
        if not blurred or deviation > 0.05:
            np.testing.assert_allclose(image, expected, atol=0.6)
    assert 20 < happens[1].sum() < 40


def test_noise_has_its_strength(faces: np.ndarray) -> None:
    middle = faces // 2 + 64  # far from black and white
    found, happens, how_much = as_cameras(middle, 32, "noise")
    noise = found.astype(float) - degrade(middle, 32)
    assert (noise[~happens[2]] == 0).all()
    expected = np.sqrt(np.square(10 * how_much[2]) + 1 / 12)  # and rounding, which swallows the least noise
    clear = happens[2] & (how_much[2] > 0.1)
    assert clear.sum() > 20
    np.testing.assert_allclose(noise.std(axis=(1, 2, 3))[clear], expected[clear], rtol=0.08)
    assert np.abs(noise.mean(axis=(1, 2, 3))).max() < 1


def test_jpeg_is_pillows_at_the_quality(faces: np.ndarray) -> None:
    found, happens, how_much = as_cameras(faces, 32, "jpeg")
    plain = degrade(faces, 32)
    for number in range(len(faces)):
        expected = plain[number]
        if happens[3, number]:
            buffer = io.BytesIO()
            Image.fromarray(expected).save(buffer, "JPEG", quality=30 + int(how_much[3, number] * 65))
            expected = np.asarray(Image.open(buffer))
        assert np.abs(found[number].astype(int) - expected).mean() < 0.5
    assert (np.abs(found.astype(int) - plain).mean(axis=(1, 2, 3))[happens[3]] > 0.5).all()


def test_kernels_are_other_ways_to_shrink(faces: np.ndarray) -> None:
    """Of ten seeds some are bicubic; the mean of the area is the mean of blocks."""
    seen = set()
    blocks = faces.reshape(60, 16, 4, 16, 4, 3).mean(axis=(2, 4))
    for number in range(12):
        found = degrade_like_cameras_in_graph(tf.constant(faces), 16, ("kernel",), SEED + number).numpy()
        if np.array_equal(found, degrade(faces, 16)):
            seen.add("bicubic")
        elif np.abs(found - blocks).max() <= 0.5:
            seen.add("area")
        else:
            assert np.abs(found.astype(float) - blocks).mean() < 5
            seen.add("other")
    assert seen == {"bicubic", "area", "other"}
