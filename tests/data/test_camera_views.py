"""Batches for the distillation: a function of seed and step, in the groups that were asked for, of the right photos."""

import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.data.camera_views import CameraViews, camera_batches, misalign, parse_groups
from lrfr_tf.data.face_source import FacesInMemory
from lrfr_tf.errors import UserError

SIDE, MARGIN, PHOTOS = 32, 6, 5


def views(*groups: str, **options) -> CameraViews:
    return CameraViews(parse_groups(groups), SIDE, **options)


VIEWS = views("clean:8-20", "moderate:24-32")


@pytest.fixture(scope="module")
def faces(portrait: np.ndarray) -> FacesInMemory:
    """Photos that one mean color tells apart: number n is of level 40 * n + 20, give or take some detail."""
    side = SIDE + 2 * MARGIN
    detail = portrait[60 : 60 + side, 200 : 200 + side].astype(np.float32)
    detail = (detail - detail.mean()) / 12
    return FacesInMemory(np.stack([np.clip(40 * n + 20 + detail, 0, 255) for n in range(PHOTOS)]).astype(np.uint8))


def first_batches(faces: FacesInMemory, count: int = 1, first_step: int = 0, **options) -> list[dict]:
    settings = {"views": VIEWS, "weights": np.ones(PHOTOS), "batch_size": 8, "seed": 3} | options
    targets = np.arange(PHOTOS, dtype=np.float32)[:, None]
    weights, batch_size = settings.pop("weights"), settings.pop("batch_size")
    batches = camera_batches(
        faces, targets, np.arange(PHOTOS) // 2, weights, batch_size=batch_size, **settings, first_step=first_step
    )
    return [{name: value.numpy() for name, value in batch.items()} for batch in batches.take(count)]


def test_a_batch_is_a_function_of_seed_and_step(faces: FacesInMemory) -> None:
    mixed = views("moderate:8-20", "clean:32", misaligned=0.5)
    whole = first_batches(faces, 3, views=mixed)
    (last,) = first_batches(faces, first_step=2, views=mixed)
    np.testing.assert_array_equal(whole[2]["faces"], last["faces"])
    np.testing.assert_array_equal(whole[2]["targets"], last["targets"])
    assert not np.array_equal(whole[0]["faces"], whole[1]["faces"])
    assert not np.array_equal(whole[0]["faces"], first_batches(faces, seed=4, views=mixed)[0]["faces"])
    assert (whole[0]["faces"].shape, whole[0]["faces"].dtype) == ((8, SIDE, SIDE, 3), np.uint8)


def test_targets_belong_to_the_faces(faces: FacesInMemory) -> None:
    for batch in first_batches(faces, 4, views=views("clean:8-20")):
        levels = batch["faces"].mean(axis=(1, 2, 3))
        np.testing.assert_array_equal(np.round((levels - 20) / 40), batch["targets"][:, 0])
        np.testing.assert_array_equal(batch["identities"], batch["targets"][:, 0] // 2)


def test_rows_take_turns_in_the_groups(faces: FacesInMemory) -> None:
    def detail(images: np.ndarray) -> np.ndarray:
        return np.abs(np.diff(images.astype(float), axis=2)).mean(axis=(1, 2, 3))

    batches = first_batches(faces, 6, views=views("clean:4-6", "clean:20-32"))
    clean, sharp = (np.concatenate([detail(batch["faces"][place::2]) for batch in batches]) for place in (0, 1))
    assert np.median(sharp) > 2 * np.median(clean)


def test_photos_are_drawn_in_proportion_to_their_weights(faces: FacesInMemory) -> None:
    weights = np.array([0.0, 3.0, 0.0, 1.0, 0.0])
    batches = first_batches(faces, 8, weights=weights, batch_size=32)
    drawn = np.concatenate([batch["targets"][:, 0] for batch in batches])
    assert set(drawn) == {1.0, 3.0}
    assert np.mean(drawn == 1.0) == pytest.approx(0.75, abs=0.1)


def test_sizes_are_spread_on_a_logarithmic_scale() -> None:
    small, few, one = parse_groups(["harsh:8-40", "clean:10-12", "moderate:112"])
    assert small.kinds() == [("harsh", size) for size in (8, 10, 11, 14, 16, 20, 23, 28, 33, 40)]
    assert few.kinds() == [("clean", 10), ("clean", 11), ("clean", 12)]
    assert one.kinds() == [("moderate", 112)]


def test_misalignment_moves_a_share_of_the_photos(portrait: np.ndarray) -> None:
    photos = tf.constant(np.repeat(portrait[None, 40:140, 180:280], 64, axis=0))
    seed = tf.constant([1, 2], tf.int64)
    np.testing.assert_array_equal(misalign(photos, 0.0, seed, 80), photos)
    moved = np.any(misalign(photos, 0.5, seed, 80).numpy() != photos.numpy(), axis=(1, 2, 3))
    assert 0.3 < moved.mean() < 0.7
    # Not far: the middle of the photo stays in it, and its light.
    everywhere = misalign(photos, 1.0, seed, 80).numpy().astype(float)
    assert abs(everywhere.mean() - photos.numpy().mean()) < 12


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (("dark:8-20",), "'dark:8-20' is no <level>:<least>-<largest>, with a level clean, moderate, harsh"),
        (("clean",), "'clean' is no"),
        ((), "names no group"),
        (("clean:20-8",), "the sizes of clean:20-8 do not lie within 1 to 32"),
        (("clean:8-33",), "the sizes of clean:8-33 do not"),
    ],
)
def test_wrong_groups_are_named(groups: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        views(*groups)


def test_wrong_batches_are_named(faces: FacesInMemory) -> None:
    with pytest.raises(UserError, match="`misaligned`=1.5 is out of range"):
        views("clean:8-20", misaligned=1.5)
    with pytest.raises(UserError, match="`batch_size`=7 is no multiple of the 2 of `groups`"):
        first_batches(faces, batch_size=7)
    with pytest.raises(UserError, match="aligned faces of 31 pixels with equal margins, not 44 x 44"):
        first_batches(faces, views=CameraViews(parse_groups(["clean:8-20"]), 31))
    with pytest.raises(UserError, match="not 45 x 44"):
        first_batches(FacesInMemory(np.zeros((PHOTOS, 44, 45, 3), np.uint8)))
