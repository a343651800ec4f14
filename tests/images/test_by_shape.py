"""Images of many sizes come out in batches of one size, each of them once."""

import numpy as np

from lrfr_tf.images.by_shape import batches_by_shape, places_by_shape


def test_every_image_is_in_one_batch_of_its_shape() -> None:
    sides = [4, 6, 4, 4, 6, 8, 4]
    images = [np.full((side, side, 3), place, np.uint8) for place, side in enumerate(sides)]
    assert places_by_shape(images) == {(4, 4, 3): [0, 2, 3, 6], (6, 6, 3): [1, 4], (8, 8, 3): [5]}
    batches = list(batches_by_shape(images, lambda shape: 3 if shape[0] == 4 else 1))
    assert [places for places, _ in batches] == [[0, 2, 3], [6], [1], [4], [5]]
    for places, stacked in batches:
        assert stacked[:, 0, 0, 0].tolist() == places


def test_an_array_of_images_is_one_shape_and_nothing_is_none() -> None:
    images = np.arange(5 * 2 * 2 * 3, dtype=np.uint8).reshape(5, 2, 2, 3)
    batches = list(batches_by_shape(images, lambda _: 4))
    assert [places for places, _ in batches] == [[0, 1, 2, 3], [4]]
    np.testing.assert_array_equal(np.concatenate([stacked for _, stacked in batches]), images)
    assert list(batches_by_shape([], lambda _: 4)) == []
