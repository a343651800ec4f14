"""Faces by number: the same pixels out of memory and out of files."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lrfr_tf.data.face_source import FacesInFiles, FacesInMemory
from tests.faces_by_code import person


@pytest.fixture(scope="module")
def paths(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """JPEGs of 128 x 138 pixels: of several qualities, with and without full color, progressive, and grey."""
    root = tmp_path_factory.mktemp("faces")
    kinds = [
        {"quality": 95}, {"quality": 95, "subsampling": 0}, {"quality": 60}, {"quality": 85, "progressive": True},
        {"quality": 90, "subsampling": 1},
    ]  # fmt: skip
    for number, options in enumerate(kinds):
        Image.fromarray(person(portrait, number, 0, 138)[10:]).save(root / f"{number}.jpg", **options)
    Image.fromarray(person(portrait, 9, 0, 138)[10:]).convert("L").save(root / "9.jpg")
    return [str(path) for path in sorted(root.iterdir())]


def test_files_have_pillows_pixels_in_the_order_asked_for(paths: list[str]) -> None:
    images = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])
    in_files, in_memory = FacesInFiles(paths), FacesInMemory(images)
    assert (in_files.count, in_files.height, in_files.width) == (6, 128, 138)
    assert (in_memory.count, in_memory.height, in_memory.width) == (6, 128, 138)
    places = tf.constant([5, 0, 3, 3, 1, 2, 4], tf.int64)
    for faces in (in_files, in_memory):
        found = tf.function(faces)(places)
        assert (found.shape, found.dtype) == ((7, 128, 138, 3), tf.uint8)
        np.testing.assert_array_equal(found, images[places.numpy()])


def test_a_file_of_another_size_is_named(paths: list[str], tmp_path: Path) -> None:
    Image.new("RGB", (128, 128)).save(tmp_path / "other.jpg")
    faces = FacesInFiles([*paths, str(tmp_path / "other.jpg")])
    with pytest.raises(tf.errors.InvalidArgumentError, match="other.jpg.*is not 138 x 128 pixels"):
        tf.function(faces)(tf.constant([0, 6], tf.int64))
