"""Images of many sizes -> batches of one size, for networks that compute a whole batch at once."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

Shape = tuple[int, ...]
Images = np.ndarray | Sequence[np.ndarray]


def places_by_shape(images: Images) -> dict[Shape, list[int]]:
    """Which images have each shape; shapes come in the order in which they are first met."""
    places: dict[Shape, list[int]] = {}
    for place, image in enumerate(images):
        places.setdefault(image.shape, []).append(place)
    return places


def batches_by_shape(images: Images, at_most: Callable[[Shape], int]) -> Iterator[tuple[list[int], np.ndarray]]:
    """Yields the places of some images of one shape, as many as `at_most` says of it, and these images stacked."""
    for shape, places in places_by_shape(images).items():
        for start in range(0, len(places), at_most(shape)):
            batch = places[start : start + at_most(shape)]
            yield batch, np.stack([images[place] for place in batch])
