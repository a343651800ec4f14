"""Batches are a pure function of (seed, step)."""

import numpy as np
import pytest

from lrfr_tf.data.graph import face_batches
from lrfr_tf.errors import UserError
from lrfr_tf.images.degrade import degrade


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Eleven faces, each recognisable by its first pixel, whatever side it is mirrored to."""
    images = np.random.default_rng(0).integers(0, 256, (11, 32, 32, 3), dtype=np.uint8)
    images[:, 0, 0] = images[:, 0, -1] = np.arange(11, dtype=np.uint8)[:, None]
    return images


def take(faces: np.ndarray, count: int, **settings: int) -> list[dict[str, np.ndarray]]:
    return list(face_batches(faces, batch_size=4, low_size=8, **settings).take(count).as_numpy_iterator())  # type: ignore[arg-type]


def test_low_is_made_from_the_mirrored_high(faces: np.ndarray) -> None:
    for batch in take(faces, 5, seed=1):
        assert batch["high"].shape == (4, 32, 32, 3)
        assert np.array_equal(batch["low"], degrade(batch["high"], 8))


def test_an_epoch_passes_every_face_at_most_once_and_epochs_differ(faces: np.ndarray) -> None:
    numbers = [batch["high"][:, 0, 0, 0] for batch in take(faces, 40, seed=1)]
    epochs = [np.concatenate(numbers[i : i + 2]) for i in range(0, 40, 2)]
    assert all(len(set(epoch)) == 8 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 20
    # Over many epochs no face is left out.
    assert set(np.concatenate(epochs)) == set(range(11))


def test_starting_at_a_step_gives_what_would_have_come_there(faces: np.ndarray) -> None:
    whole = take(faces, 12, seed=3)
    for first in (1, 2, 5, 8):
        for later, expected in zip(take(faces, 4, seed=3, first_step=first), whole[first:], strict=False):
            assert np.array_equal(later["high"], expected["high"])
            assert np.array_equal(later["low"], expected["low"])


def test_the_seed_changes_order_and_flips(faces: np.ndarray) -> None:
    assert not np.array_equal(take(faces, 1, seed=1)[0]["high"], take(faces, 1, seed=2)[0]["high"])


def test_about_half_of_the_faces_are_mirrored(faces: np.ndarray) -> None:
    mirrored = 0
    for batch in take(faces, 250, seed=5):
        originals = faces[batch["high"][:, 0, 0, 0]]
        same = (batch["high"] == originals).all(axis=(1, 2, 3))
        assert (same | (batch["high"] == originals[:, :, ::-1]).all(axis=(1, 2, 3))).all()
        mirrored += int((~same).sum())
    assert 440 < mirrored < 560  # 1,000 draws; four standard deviations are 63


def test_too_few_faces_are_an_error(faces: np.ndarray) -> None:
    with pytest.raises(UserError, match="A batch takes 12 faces and there are only 11"):
        face_batches(faces, batch_size=12, seed=0)
