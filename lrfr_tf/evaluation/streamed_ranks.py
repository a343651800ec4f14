"""Closed-set ranks of probes among the images of a gallery that is too large to compare with at once."""

from collections.abc import Iterable

import numpy as np

SCORES_AT_ONCE = 2**22  # bounds the memory: so many similarities are held at a time, 16 MiB

# Similarities of float32 embeddings that differ by less are equal: sums of 512 products are rounded that much, by an
# amount that depends on how many images are compared at once.
TIE = 1e-6


class StreamedRanks:
    """Ranks images as TinyFace does: rank 1 means that the gallery image most like a probe shows the same person.

    The rank of a probe is 1 + the number of gallery images of others that are at least as alike as the most alike image
    of its own person, which is the place of the first right image in the sorted gallery. Ties count against us, within
    `TIE`; what is not a number counts against us too. For each probe two numbers are kept, so distractors may come in
    any number, in chunks of any size.

    Args:
        probes: float32 [n, D], of unit length.
        labels: int [n].
        gallery: float32 [m, D], of unit length: images of the probes' persons.
        gallery_labels: int [m]; each label of a probe is among them.

    Raises:
        ValueError: a probe's person is not in the gallery.
    """

    def __init__(self, probes: np.ndarray, labels: np.ndarray, gallery: np.ndarray, gallery_labels: np.ndarray) -> None:
        if not np.isin(labels, gallery_labels).all():
            raise ValueError("Each probe needs an image of its person in the gallery.")
        self._probes = probes
        self._own = np.full(len(probes), -np.inf, np.float32)
        self._ahead = np.zeros(len(probes), np.int64)
        for start, scores in self._scores(gallery):
            own = labels[:, None] == gallery_labels[None, start : start + scores.shape[1]]
            self._own = np.fmax(self._own, np.where(own, scores, -np.inf).max(axis=1))
        for start, scores in self._scores(gallery):
            others = labels[:, None] != gallery_labels[None, start : start + scores.shape[1]]
            self._ahead += np.count_nonzero(others & ~(scores < self._own[:, None] - TIE), axis=1)

    def add_distractors(self, distractors: np.ndarray) -> None:
        """Adds gallery images of nobody among the probes: float32 [k, D], of unit length."""
        for _, scores in self._scores(distractors):
            self._ahead += np.count_nonzero(~(scores < self._own[:, None] - TIE), axis=1)

    def ranks(self) -> np.ndarray:
        """The ranks among all gallery images so far, int64 [n]."""
        return self._ahead + 1

    def _scores(self, images: np.ndarray) -> Iterable[tuple[int, np.ndarray]]:
        step = max(1, SCORES_AT_ONCE // max(1, len(self._probes)))
        for start in range(0, len(images), step):
            yield start, self._probes @ images[start : start + step].T
