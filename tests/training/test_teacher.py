"""The teacher's embeddings, and their means."""

import keras
import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.face_source import FacesInMemory
from lrfr_tf.models.facenet import UnitLength
from lrfr_tf.training.teacher import embed_as_teacher, mean_rows


def network() -> keras.Model:
    """In FaceNet's place: unit-length embeddings of images of 20 x 20."""
    keras.utils.set_random_seed(0)
    images = keras.Input((20, 20, 3))
    x = keras.layers.Dense(6, use_bias=False)(keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(images)))
    return keras.Model(images, UnitLength()(x))


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """More than a batch, with a margin of two columns."""
    random = np.random.default_rng(0)
    return random.integers(0, 256, (70, 16, 18, 3), dtype=np.uint8)


def test_the_mean_of_face_and_mirror_image_of_the_rightmost_square(faces: np.ndarray) -> None:
    embed = network()
    (kernel,) = embed.get_weights()

    def by_hand(face: np.ndarray) -> np.ndarray:
        planes = [Image.fromarray(face[..., channel].astype(np.float32), mode="F") for channel in range(3)]
        large = np.stack([np.asarray(plane.resize((20, 20), Image.Resampling.BICUBIC)) for plane in planes], -1)
        row = (large.reshape(-1) / 255) @ kernel
        return row / np.linalg.norm(row)

    expected = []
    for face in faces[:, :, 2:]:
        both = by_hand(face) + by_hand(face[:, ::-1])
        expected.append(both / np.linalg.norm(both))
    found = embed_as_teacher(embed, FacesInMemory(faces))
    assert (found.shape, found.dtype) == ((70, 6), np.float32)
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_the_mean_of_each_identity() -> None:
    rows = mean_rows(np.array([[1.0, 0], [0, 1], [0, 1], [0, 1]], np.float32), np.array([1, 1, 0, 1]))
    np.testing.assert_allclose(rows, [[0, 1], np.array([1, 2]) / np.sqrt(5)], rtol=1e-6)


def test_margins_are_cut_away() -> None:
    random = np.random.default_rng(1)
    faces = random.integers(0, 256, (3, 26, 26, 3), dtype=np.uint8)
    inner = np.ascontiguousarray(faces[:, 3:-3, 3:-3])
    expected = embed_as_teacher(network(), FacesInMemory(inner))
    np.testing.assert_allclose(embed_as_teacher(network(), FacesInMemory(faces), margin=3), expected, atol=1e-6)
