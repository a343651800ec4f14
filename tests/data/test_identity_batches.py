"""Batches of identities: who is in them, which photos, at which size and framing; all a function of (seed, step)."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.face_source import FacesInFiles, FacesInMemory
from lrfr_tf.data.identity_batches import Views, identity_batches
from lrfr_tf.errors import UserError

SIDE = 32
IMAGES = (1, 2, 3, 5, 8, 4, 2)  # of each identity
IDENTITIES = np.random.default_rng(1).permutation(np.repeat(np.arange(len(IMAGES)), IMAGES)).astype(np.int64)
COUNT = len(IDENTITIES)


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Noise, so that no two photos, mirrored or shifted or not, are alike."""
    return np.random.default_rng(0).integers(0, 256, (COUNT, SIDE, SIDE, 3), dtype=np.uint8)


def take(faces: np.ndarray, steps: int, sizes: tuple[int, ...] = (SIDE,), **settings: Any) -> list[dict[str, Any]]:
    views = Views(sizes, settings.pop("camera", "clean"), SIDE, settings.pop("in_place", 0.5))
    settings = {"count": 3, "seed": 1, **settings}
    batches = identity_batches(FacesInMemory(faces), IDENTITIES, views=views, **settings)
    return list(batches.take(steps).as_numpy_iterator())


def at_size(photo: np.ndarray, size: int) -> np.ndarray:
    """Shrunk and enlarged again, by Pillow alone."""
    small = Image.fromarray(photo).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def made_of(faces: np.ndarray, size: int) -> dict[bytes, tuple[int, bool]]:
    """What a row of a batch may be -> the photo that it was made of, and whether it is mirrored."""
    shown = {}
    for number, face in enumerate(faces):
        for mirrored in (False, True):
            sharp = face[:, ::-1] if mirrored else face
            shown[(sharp if size == SIDE else at_size(sharp, size)).tobytes()] = number, mirrored
    assert len(shown) == 2 * len(faces)
    return shown


def test_every_row_is_a_photo_of_its_label_at_its_size(faces: np.ndarray) -> None:
    sizes = (SIDE, 8, 12)
    shown = [made_of(faces, size) for size in sizes]
    mirrored, photos = [], []
    for batch in take(faces, 60, sizes):
        assert batch["faces"].shape == (9, SIDE, SIDE, 3)
        assert (batch["faces"].dtype, batch["labels"].dtype) == (np.uint8, np.int64)
        labels = batch["labels"].reshape(3, 3)
        assert (labels == labels[:, :1]).all()
        assert len(set(labels[:, 0])) == 3
        found = [shown[row % 3][face.tobytes()] for row, face in enumerate(batch["faces"])]
        numbers = np.array([number for number, _ in found])
        assert np.array_equal(IDENTITIES[numbers], batch["labels"])
        mirrored += [turned for _, turned in found]
        photos.append(numbers.reshape(3, 3))
    # Every photo is drawn at some time, the views of an identity differ, and each is mirrored by itself.
    assert set(np.concatenate(photos).ravel()) == set(range(COUNT))
    of_many = np.concatenate([p[np.isin(IDENTITIES[p[:, 0]], [3, 4])] for p in photos])
    assert 0.6 < (of_many[:, 0] != of_many[:, 1]).mean() < 1  # 5 and 8 photos: 4/5 and 7/8
    turned = np.array(mirrored).reshape(-1, 3)
    assert 0.4 < turned.mean() < 0.6  # 540 draws; four standard deviations are 0.086
    assert abs(np.corrcoef(turned[:, 0], turned[:, 1])[0, 1]) < 0.3  # 180 pairs; four are 0.3


def test_a_photo_of_an_identity_is_as_likely_as_any_other(faces: np.ndarray) -> None:
    shown = made_of(faces, SIDE)
    batches = take(faces, 400, (SIDE, SIDE), count=2)
    numbers = [shown[face.tobytes()][0] for batch in batches for face in batch["faces"]]
    drawn = np.bincount(numbers, minlength=COUNT)
    for identity, images in enumerate(IMAGES):
        own = drawn[identity == IDENTITIES]
        expected = own.sum() / images
        assert np.abs(own - expected).max() < 4.5 * np.sqrt(expected) + 1


def test_an_epoch_passes_every_identity_once(faces: np.ndarray) -> None:
    labels = [tuple(batch["labels"]) for batch in take(faces, 40, count=3)]
    epochs = [labels[i] + labels[i + 1] for i in range(0, 40, 2)]  # 7 identities: two batches of three, one left over
    assert all(len(set(epoch)) == 6 for epoch in epochs)
    assert len(set(epochs)) == 20
    assert {label for epoch in epochs for label in epoch} == set(range(7))


@pytest.mark.parametrize("camera", ["clean", "harsh"])
def test_a_step_has_the_same_batch_whatever_the_first_step_is(faces: np.ndarray, camera: str) -> None:
    whole = take(faces, 9, (SIDE, 8, 12), camera=camera, seed=3)
    for first in (1, 4, 7):
        later = take(faces, 2, (SIDE, 8, 12), camera=camera, seed=3, first_step=first)
        for found, expected in zip(later, whole[first:], strict=False):
            assert all(np.array_equal(found[name], expected[name]) for name in ("faces", "labels"))
    other = take(faces, 1, (SIDE, 8, 12), camera=camera, seed=4)[0]
    assert not np.array_equal(other["faces"], whole[0]["faces"])


def test_steps_of_one_run_differ(faces: np.ndarray) -> None:
    batches = take(faces, 12, (SIDE, 8))
    assert len({batch["faces"].tobytes() for batch in batches}) == 12


@pytest.mark.parametrize(("in_place", "at_the_right"), [(0.5, 0.5 + 0.5 / 6), (1.0, 1.0), (0.0, 1 / 6)])
def test_where_in_the_margin_a_view_lies(in_place: float, at_the_right: float) -> None:
    wide = np.random.default_rng(2).integers(0, 256, (COUNT, SIDE, SIDE + 5, 3), dtype=np.uint8)
    squares = [made_of(wide[:, :, offset : offset + SIDE], SIDE) for offset in range(6)]
    offsets = []
    for batch in take(wide, 100, count=3, in_place=in_place):
        for face in batch["faces"]:
            (offset,) = [offset for offset in range(6) if face.tobytes() in squares[offset]]
            offsets.append(offset)
    shares = np.bincount(offsets, minlength=6) / len(offsets)
    assert shares[5] == pytest.approx(at_the_right, abs=0.12)
    assert np.abs(shares[:5] - (1 - at_the_right) / 5).max() < 0.1
    assert shares[:5].min() > 0 or in_place == 1


def test_faces_out_of_files_make_the_same_batches(faces: np.ndarray, tmp_path: Any) -> None:
    paths = [str(tmp_path / f"{number:02d}.jpg") for number in range(COUNT)]
    for face, path in zip(faces, paths, strict=True):
        Image.fromarray(face).save(path, quality=95)
    decoded = np.stack([np.asarray(Image.open(path)) for path in paths])
    views = Views((SIDE, 8), high_size=SIDE)
    batches = [
        list(identity_batches(source, IDENTITIES, 3, views, seed=1).take(3).as_numpy_iterator())
        for source in (FacesInMemory(decoded), FacesInFiles(paths))
    ]
    for one, other in zip(*batches, strict=True):
        assert one.keys() == other.keys() == {"faces", "labels"}
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_what_makes_no_batch_is_refused(faces: np.ndarray) -> None:
    with pytest.raises(UserError, match="A batch takes 8 identities, more than the 7 there; lower `batch_size`"):
        take(faces, 1, count=8)
    for sizes in ((), (0,), (SIDE + 1,), (8, -1)):
        with pytest.raises(UserError, match=r"`sizes`=.*: each is 1 to 32"):
            Views(sizes, high_size=SIDE)


def test_a_camera_changes_the_small_views_alone(faces: np.ndarray) -> None:
    for before, after in zip(take(faces, 5, (SIDE, 8)), take(faces, 5, (SIDE, 8), camera="moderate"), strict=True):
        np.testing.assert_array_equal(before["labels"], after["labels"])
        np.testing.assert_array_equal(before["faces"][::2], after["faces"][::2])
        differences = np.abs(before["faces"][1::2].astype(float) - after["faces"][1::2])
        assert 0 < differences.mean() < 40


def test_two_views_of_one_size_are_two_accidents(portrait: np.ndarray) -> None:
    one = np.stack([portrait[60:92, 200:232]] * COUNT)
    (batch,) = take(one, 1, (8, 8), camera="harsh")
    assert len({face.tobytes() for face in batch["faces"]}) == len(batch["faces"])
