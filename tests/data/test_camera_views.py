"""Batches for the distillation: a function of seed and step, in the groups that were asked for, of the right photos."""

import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.data.camera_views import SIZES, CameraViews, camera_batches, misalign
from lrfr_tf.data.face_source import FacesInMemory
from lrfr_tf.errors import UserError

SIDE, MARGIN, PHOTOS = 32, 6, 5
VIEWS = CameraViews(("clean", "sharp"), (8, 20), SIDE)


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
    batches = camera_batches(faces, targets, weights, batch_size, **settings, first_step=first_step)
    return [{name: value.numpy() for name, value in batch.items()} for batch in batches.take(count)]


def test_a_batch_is_a_function_of_seed_and_step(faces: FacesInMemory) -> None:
    views = CameraViews(("moderate", "sharp"), (8, 20), SIDE, misaligned=0.5)
    whole = first_batches(faces, 3, views=views)
    (last,) = first_batches(faces, first_step=2, views=views)
    np.testing.assert_array_equal(whole[2]["faces"], last["faces"])
    np.testing.assert_array_equal(whole[2]["targets"], last["targets"])
    assert not np.array_equal(whole[0]["faces"], whole[1]["faces"])
    assert not np.array_equal(whole[0]["faces"], first_batches(faces, seed=4, views=views)[0]["faces"])
    assert (whole[0]["faces"].shape, whole[0]["faces"].dtype) == ((8, SIDE, SIDE, 3), np.uint8)


def test_targets_belong_to_the_faces(faces: FacesInMemory) -> None:
    for batch in first_batches(faces, 4, views=CameraViews(("clean",), (8, 20), SIDE)):
        levels = batch["faces"].mean(axis=(1, 2, 3))
        np.testing.assert_array_equal(np.round((levels - 20) / 40), batch["targets"][:, 0])


def test_rows_take_turns_in_the_groups(faces: FacesInMemory) -> None:
    def detail(images: np.ndarray) -> np.ndarray:
        return np.abs(np.diff(images.astype(float), axis=2)).mean(axis=(1, 2, 3))

    batches = first_batches(faces, 6, views=CameraViews(("clean", "sharp"), (4, 6), SIDE))
    clean, sharp = (np.concatenate([detail(batch["faces"][place::2]) for batch in batches]) for place in (0, 1))
    assert np.median(sharp) > 2 * np.median(clean)


def test_photos_are_drawn_in_proportion_to_their_weights(faces: FacesInMemory) -> None:
    weights = np.array([0.0, 3.0, 0.0, 1.0, 0.0])
    batches = first_batches(faces, 8, weights=weights, batch_size=32)
    drawn = np.concatenate([batch["targets"][:, 0] for batch in batches])
    assert set(drawn) == {1.0, 3.0}
    assert np.mean(drawn == 1.0) == pytest.approx(0.75, abs=0.1)


def test_sizes_are_spread_on_a_logarithmic_scale() -> None:
    small, sharp = CameraViews(("harsh", "sharp"), (8, 40), 112).kinds()
    assert [size for _, size in small] == [8, 9, 11, 12, 14, 17, 19, 22, 26, 30, 35, 40]
    assert len(small) == SIZES
    assert {level for level, _ in small} == {"harsh"}
    assert sorted({size for _, size in sharp}) == [56, 79, 112]
    assert {level for level, _ in sharp} == {"clean", "moderate", "harsh"}


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
    ("views", "message"),
    [
        ({"levels": ("dark",)}, "--levels=dark: each is one of clean, moderate, harsh, sharp"),
        ({"levels": ()}, "--levels=: each is one of"),
        ({"sizes": (20, 8)}, "--sizes=20,8 is no range within 1 to 31"),
        ({"sizes": (8, 32)}, "--sizes=8,32 is no range"),
        ({"misaligned": 1.5}, "--misaligned=1.5 is out of range"),
    ],
)
def test_wrong_views_are_named(views: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        CameraViews(**{"levels": ("clean",), "sizes": (8, 20), "side": SIDE} | views)


def test_wrong_batches_are_named(faces: FacesInMemory) -> None:
    with pytest.raises(UserError, match="--batch_size=7 is no multiple of the 2 groups"):
        first_batches(faces, batch_size=7)
    with pytest.raises(UserError, match="aligned faces of 31 pixels with equal margins, not 44 x 44"):
        first_batches(faces, views=CameraViews(("clean",), (8, 20), 31))
    with pytest.raises(UserError, match="not 45 x 44"):
        first_batches(FacesInMemory(np.zeros((PHOTOS, 44, 45, 3), np.uint8)))
