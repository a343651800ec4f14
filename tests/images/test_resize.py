"""Resizing against Pillow, which is the definition."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lrfr_tf.images.resize import KERNEL, resize, resize_boxes_in_graph, resize_in_graph

# (old height, old width), (new height, new width)
CASES = [
    ((218, 178), (64, 64)),  # an aligned CelebA file
    ((218, 178), (160, 160)),  # one that Pillow 13 by itself resizes height first
    ((218, 178), (16, 16)),
    ((64, 64), (16, 16)),
    ((16, 16), (64, 64)),
    ((64, 64), (160, 160)),
    ((128, 128), (8, 8)),
    ((8, 8), (128, 128)),
    ((64, 64), (64, 64)),
    ((64, 64), (64, 31)),
    ((64, 64), (97, 64)),
    ((37, 53), (29, 101)),
    ((250, 131), (7, 33)),
    ((1, 1), (5, 3)),
    ((90, 2), (1, 1)),
]


def pillow_by_hand(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Width, then height; each call changes one direction only, so that no version of Pillow can choose an order."""
    horizontal = Image.fromarray(image).resize((width, image.shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(horizontal.resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture(params=["portrait", "noise", "black and white"])
def make_images(request: pytest.FixtureRequest, portrait: np.ndarray) -> Callable[[int, int], np.ndarray]:
    def make(height: int, width: int) -> np.ndarray:
        random = np.random.default_rng(height * 1000 + width)
        if request.param == "portrait":
            corners = ((10, 130), (60, 160))
            return np.stack([portrait[top : top + height, left : left + width] for top, left in corners])
        if request.param == "noise":
            return random.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
        # The hardest input: overshoots are clipped after both passes.
        return random.integers(0, 2, (2, height, width, 3), dtype=np.uint8) * np.uint8(255)

    return make


@pytest.fixture(scope="module")
def graphs() -> dict[tuple[int, int], Callable[[np.ndarray], tf.Tensor]]:
    """One graph for each new size, traced with everything about the input unknown but its channels."""
    anything = [tf.TensorSpec([None, None, None, 3], tf.uint8)]

    def trace(height: int, width: int) -> Callable[[np.ndarray], tf.Tensor]:
        return tf.function(lambda images: resize_in_graph(images, height, width), input_signature=anything)

    return {new: trace(*new) for _, new in CASES}


@pytest.mark.parametrize(("old", "new"), CASES)
def test_all_forms_equal_pillow(
    old: tuple[int, int],
    new: tuple[int, int],
    make_images: Callable[[int, int], np.ndarray],
    graphs: dict[tuple[int, int], Callable[[np.ndarray], tf.Tensor]],
) -> None:
    images = make_images(*old)
    expected = np.stack([pillow_by_hand(image, *new) for image in images])
    batch = resize(images, *new)
    assert batch.dtype == np.uint8
    np.testing.assert_array_equal(batch, expected)
    np.testing.assert_array_equal(resize(images[1], *new), expected[1])
    np.testing.assert_array_equal(graphs[new](images), expected)
    np.testing.assert_array_equal(resize_in_graph(images, *new), expected)


@pytest.mark.parametrize(
    ("old", "new"), [(old, new) for old, new in CASES if old[0] == old[1] and new[0] == new[1]] + [CASES[0], CASES[2]]
)
def test_squares_and_celeba_equal_one_call_of_any_pillow(old: tuple[int, int], new: tuple[int, int]) -> None:
    image = np.random.default_rng(5).integers(0, 256, (*old, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(image).resize(new[::-1], Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(resize(image, *new), expected)


@pytest.mark.parametrize(("old", "new"), [((218, 178), (64, 64)), ((16, 16), (64, 64)), ((64, 64), (16, 16))])
def test_compiled_graph_equals_pillow(old: tuple[int, int], new: tuple[int, int]) -> None:
    images = np.random.default_rng(6).integers(0, 256, (3, *old, 3), dtype=np.uint8)
    compiled = tf.function(lambda images: resize_in_graph(images, *new), jit_compile=True)
    np.testing.assert_array_equal(compiled(images), resize(images, *new))


def test_random_sizes_equal_pillow() -> None:
    random = np.random.default_rng(8)
    for _ in range(40):
        height, width, new_height, new_width = (int(value) for value in random.integers(1, 140, 4))
        images = random.integers(0, 256, (1, height, width, 3), dtype=np.uint8)
        expected = pillow_by_hand(images[0], new_height, new_width)
        np.testing.assert_array_equal(resize_in_graph(images, new_height, new_width)[0], expected)


def test_graph_has_static_shapes_and_takes_an_empty_batch() -> None:
    anything = tf.TensorSpec([None, None, None, 3], tf.uint8)
    graph = tf.function(lambda images: resize_in_graph(images, 9, 11)).get_concrete_function(anything)
    assert graph.structured_outputs.shape.as_list() == [None, 9, 11, 3]
    assert graph.structured_outputs.dtype == tf.uint8
    empty = np.zeros((0, 20, 20, 3), np.uint8)
    assert graph(tf.constant(empty)).shape == (0, 9, 11, 3)
    assert resize(empty, 9, 11).shape == (0, 9, 11, 3)


def test_other_arrays_are_refused() -> None:
    for images in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 1), np.uint8)):
        with pytest.raises(ValueError, match="images are uint8"):
            resize(images, 2, 2)
    for images in (np.zeros((4, 4, 3), np.uint8), np.zeros((1, 4, 4, 3), np.float32)):
        with pytest.raises(ValueError, match="images are uint8"):
            resize_in_graph(images, 2, 2)


def test_the_kernel_has_a_name() -> None:
    assert KERNEL == "pillow-bicubic-antialias"


def test_boxes_are_resized_as_by_pillow(portrait: np.ndarray) -> None:
    images = np.stack([portrait[:218, 130:308], portrait[20:238, 140:318]])
    boxes = np.array([[3.25, 10.5, 150.0, 201.75], [0.0, 0.0, 178.0, 218.0]])
    results = resize_boxes_in_graph(images, boxes, 64, 48).numpy()
    assert results.shape == (2, 64, 48, 3)
    for image, (x1, y1, x2, y2), result in zip(images, boxes, results, strict=True):
        across = Image.fromarray(image).resize((48, 218), Image.Resampling.BICUBIC, box=(x1, 0, x2, 218))
        expected = across.resize((48, 64), Image.Resampling.BICUBIC, box=(0, y1, 48, y2))
        difference = np.abs(result.astype(int) - np.asarray(expected).astype(int))
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.01
