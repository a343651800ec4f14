"""Changed and mixed faces: what is changed, by how much, and that a seed decides it all."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lrfr_tf.data import vary as vary_module
from lrfr_tf.data.vary import mix, vary

SIDE = 32
SEED = tf.constant([3, 4], tf.int64)


@pytest.fixture(scope="module")
def faces(portrait: np.ndarray) -> np.ndarray:
    """Of many, so that shares can be counted."""
    random = np.random.default_rng(0)
    photos = []
    for _ in range(400):
        x, y = random.integers(0, 200, 2)
        photos.append(np.asarray(Image.fromarray(portrait[y : y + 200, x : x + 200]).resize((SIDE, SIDE))))
    return np.stack(photos)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (before != after).any(axis=(1, 2, 3))


@pytest.mark.parametrize("change", [vary, mix])
def test_a_share_is_changed_by_the_seed_alone(change: object, faces: np.ndarray) -> None:
    assert callable(change)
    found = change(tf.constant(faces), 0.3, SEED).numpy()
    assert (found.dtype, found.shape) == (np.uint8, faces.shape)
    assert 0.22 < changed(faces, found).mean() < 0.38
    np.testing.assert_array_equal(change(tf.constant(faces), 0.3, SEED), found)
    other = change(tf.constant(faces), 0.3, SEED + 1).numpy()
    assert (changed(faces, other) != changed(faces, found)).any()
    assert not changed(faces, change(tf.constant(faces), 0.0, SEED).numpy()).any()
    assert changed(faces, change(tf.constant(faces), 1.0, SEED).numpy()).mean() > 0.99


def test_a_mixture_is_the_mean_with_the_face_before(faces: np.ndarray) -> None:
    found = mix(tf.constant(faces), 1.0, SEED).numpy().astype(float)
    own, partners = faces.astype(float), np.roll(faces, 1, axis=0).astype(float)
    shares = []
    for one, mine, other in zip(found, own, partners, strict=True):
        difference = mine - other
        share = ((one - other) * difference).sum() / np.square(difference).sum()
        np.testing.assert_allclose(one, other + share * difference, atol=1)
        shares.append(share)
    assert min(shares) > -0.01
    assert max(shares) < 1.01
    assert abs(np.mean(shares) - 0.5) < 0.05
    assert 0.2 < np.mean(np.array(shares) > 0.7) < 0.4


def test_place_alone(faces: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a change of light it is Pillow's affine transform, of at most so much."""
    for name, none in (("LOG_CONTRAST", 0.0), ("BRIGHTNESS", 0.0), ("SATURATION", (1.0, 1.0))):
        monkeypatch.setattr(vary_module, name, none)
    found = vary(tf.constant(faces[:50]), 1.0, SEED).numpy()
    draws = 2 * tf.random.stateless_uniform((8, 50), SEED).numpy()[:4] - 1
    for before, after, (angle, scale, right, down) in zip(faces, found, draws.T, strict=False):
        angle, scale = np.radians(6.0 * angle), np.exp(0.12 * scale)
        matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / scale
        middle = np.full(2, SIDE / 2)  # Pillow counts from a pixel's corner
        offset = middle - matrix @ (middle + np.array([right, down]) * 0.05 * SIDE)
        data = (*matrix[0], offset[0], *matrix[1], offset[1])
        expected = Image.fromarray(before).transform(
            (SIDE, SIDE), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR
        )
        inner = np.s_[6:-6, 6:-6]  # beyond its edges Pillow has black
        np.testing.assert_allclose(after[inner].astype(int), np.asarray(expected)[inner].astype(int), atol=2)


def test_light_alone(faces: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a change of place, brightness of the whole face moves and colours fade, within bounds."""
    for name in ("ROTATION", "LOG_SCALE", "SHIFT", "LOG_CONTRAST"):
        monkeypatch.setattr(vary_module, name, 0.0)
    monkeypatch.setattr(vary_module, "SATURATION", (0.0, 0.0))
    found = vary(tf.constant(faces), 1.0, SEED).numpy().astype(float)
    assert (found[..., 0] == found[..., 1]).all()
    grey = faces.astype(float).mean(axis=3)
    moved = np.median(found[..., 0] - grey, axis=(1, 2))
    assert -31 <= moved.min() < -24
    assert 24 < moved.max() <= 31
    unclipped = (grey > 40) & (grey < 215)
    np.testing.assert_allclose((found[..., 0] - grey - moved[:, None, None])[unclipped], 0, atol=1.1)
