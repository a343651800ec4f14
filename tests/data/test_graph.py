"""Batches are a pure function of (seed, step)."""

import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.data.graph import augmentation_seed, face_batches
from lrfr_tf.errors import UserError
from lrfr_tf.faces.frame import celeba_template_box
from lrfr_tf.images.camera_in_graph import photograph_with_target_in_graph
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import resize


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Eleven faces, each recognizable by its first pixel, whatever side it is mirrored to."""
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
    with pytest.raises(UserError, match="A batch takes 12 faces, more than the 11 there"):
        face_batches(faces, batch_size=12, seed=0)


@pytest.fixture(scope="module")
def portraits(portrait: np.ndarray) -> np.ndarray:
    """Three real portraits of CelebA's proportions, 89 x 109 pixels."""
    return np.stack([resize(portrait[i : i + 218, 150 + i : 328 + i], 109, 89) for i in (0, 20, 40)])


def take_framed(portraits: np.ndarray, count: int, **settings: int) -> list[np.ndarray]:
    batches = face_batches(portraits, 3, low_size=16, framed_size=64, flip=False, **settings)  # type: ignore[arg-type]
    return [batch["high"] for batch in batches.take(count).as_numpy_iterator()]


def test_random_frames_lie_between_squash_and_face() -> None:
    # A picture of coordinates: its columns and rows say where they lie, so each frame tells its own corners.
    rows, columns = np.mgrid[0:109, 0:89]
    coordinates = np.stack([2 * columns, 2 * rows, 0 * rows], -1).astype(np.uint8)
    frames = np.concatenate(take_framed(np.stack([coordinates] * 3), 80, seed=4)).astype(float)
    # Pixels 4 and 59 of 64, away from the border where the kernel is cut off; their distance is 55/64 of the side.
    left, right = frames[:, 32, 4, 0] / 2, frames[:, 32, 59, 0] / 2
    top, bottom = frames[:, 4, 32, 1] / 2, frames[:, 59, 32, 1] / 2
    widths, heights = (right - left) * 64 / 55, (bottom - top) * 64 / 55
    # The tightest is "face", 65 x 65, with edges that wander by 2.2 pixels each; the widest the whole portrait.
    assert 60 < widths.min() < 66
    assert 60 < heights.min() < 66
    assert np.abs([widths.max() - 89, heights.max() - 109]).max() < 1
    # All four edges move together: a frame that is narrow is also low, and as far off the center as "face" is.
    assert np.corrcoef(widths, heights)[0, 1] > 0.9
    squashes = np.isclose(widths, 89, atol=1) & np.isclose(heights, 109, atol=1)
    assert 0.1 < squashes.mean() < 0.3  # 3/16 expected, 240 draws
    tight = heights < 70
    assert np.abs(np.median(((top + bottom) / 2)[tight]) - 59.5) < 1.5
    assert np.abs(np.median(((left + right) / 2)[tight]) - 44.5) < 1.5


def test_a_squash_is_the_whole_portrait(portraits: np.ndarray) -> None:
    whole = resize(portraits, 64, 64).astype(int)
    distances = [
        np.abs(frame.astype(int) - whole).max(axis=(1, 2, 3)).min()
        for batch in take_framed(portraits, 40, seed=2)
        for frame in batch
    ]
    assert min(distances) <= 1


def test_framed_batches_start_at_any_step(portraits: np.ndarray) -> None:
    whole = take_framed(portraits, 6, seed=3)
    for later, expected in zip(take_framed(portraits, 3, seed=3, first_step=3), whole[3:], strict=True):
        assert np.array_equal(later, expected)


def test_features_follow_their_faces(faces: np.ndarray) -> None:
    plain = tf.constant(np.arange(11, dtype=np.float32)[:, None])
    batches = face_batches(faces, 4, seed=5, low_size=8, features=(plain, -plain - 1))
    for batch in batches.take(20).as_numpy_iterator():
        for high, feature in zip(batch["high"], batch["high_features"][:, 0], strict=True):
            number = int(high[0, 0, 0])
            mirrored = not np.array_equal(high, faces[number])
            assert feature == (-number - 1.0 if mirrored else number)
    with pytest.raises(ValueError, match="frame is fixed"):
        face_batches(faces, 4, seed=5, framed_size=8, features=(plain, plain))


LEVELS = ("clean", "moderate", "moderate", "harsh")


def take_photos(portraits: np.ndarray, count: int, **settings: object) -> list[dict[str, np.ndarray]]:
    three = np.concatenate([portraits] * 3)
    return list(
        face_batches(three, 8, 7, low_size=16, framed_size=64, **settings).take(count).as_numpy_iterator()  # type: ignore[arg-type]
    )


def test_levels_take_turns_from_row_to_row(portraits: np.ndarray) -> None:
    clean, photos = take_photos(portraits, 2), take_photos(portraits, 2, cameras=LEVELS)
    for step, (before, batch) in enumerate(zip(clean, photos, strict=True)):
        # The same faces in the same frames; a quarter is shrunk as ever, and what is to be made of it is the face.
        for name in ("low", "high"):
            assert np.array_equal(batch[name][::4], before[name][::4])
        assert np.array_equal(batch["low"][::4], degrade(batch["high"][::4], 16))
        seeds = tf.random.experimental.stateless_split(augmentation_seed(7, 2, tf.constant(step, tf.int64)), 8)
        for row in range(8):
            low, high = photograph_with_target_in_graph(
                before["high"][row : row + 1], 16, LEVELS[row % 4], seeds[row : row + 1], misplaced=False
            )
            # Alone and in a batch sums may be rounded differently; JPEG makes more of that.
            assert np.abs(low[0].numpy().astype(int) - batch["low"][row]).mean() < 0.5
            assert np.abs(high[0].numpy().astype(int) - batch["high"][row]).max() <= 1
        apart = [
            np.abs(degrade(batch["high"][row : row + 1], 16).astype(int) - batch["low"][row]).mean() for row in range(8)
        ]
        assert min(apart[1:4] + apart[5:]) > 1  # blur, noise and JPEG are in LR alone


def test_photos_start_at_any_step(portraits: np.ndarray) -> None:
    whole = take_photos(portraits, 5, cameras=LEVELS)
    for later, expected in zip(take_photos(portraits, 3, cameras=LEVELS, first_step=2), whole[2:], strict=True):
        for name in ("low", "high"):
            assert np.array_equal(later[name], expected[name])
    other = take_photos(portraits, 1, cameras=LEVELS, first_step=1)[0]
    assert not np.array_equal(other["low"], whole[0]["low"])


def test_levels_that_do_not_fit(faces: np.ndarray) -> None:
    with pytest.raises(UserError, match="`batch_size`=6 is no multiple of the 4 levels of `camera`"):
        face_batches(faces, 6, seed=0, low_size=8, cameras=LEVELS)
    one = tf.zeros((11, 1))
    with pytest.raises(ValueError, match="frame is fixed, and whose colors are"):
        face_batches(faces, 4, seed=0, low_size=8, cameras=LEVELS, features=(one, one))
    with pytest.raises(ValueError, match="A box can only be followed"):
        face_batches(faces, 4, seed=0, low_size=8, face_box=(1.0, 1.0, 2.0, 2.0))


def test_boxes_follow_their_frames() -> None:
    rows, columns = np.mgrid[0:109, 0:89]
    coordinates = np.stack([2 * columns, 2 * rows, 0 * rows], -1).astype(np.uint8)
    box = celeba_template_box("centred", 109, 89)
    batches = face_batches(np.stack([coordinates] * 3), 3, 4, framed_size=64, flip=False, face_box=box)
    sides = set()
    for batch in batches.take(20).as_numpy_iterator():
        for image, (x1, y1, x2, y2) in zip(batch["high"].astype(float), batch["face_boxes"], strict=True):
            # The picture says where its pixels lie in the portrait; their middles are half a pixel further.
            middle = image[round((y1 + y2) / 2 - 0.5), round((x1 + x2) / 2 - 0.5), :2] / 2
            expected = ((box[0] + box[2]) / 2 - 0.5, (box[1] + box[3]) / 2 - 0.5)
            np.testing.assert_allclose(middle, expected, atol=1.2)
            sides.add(round(x2 - x1))
    assert min(sides) < 44
    assert max(sides) > 55
