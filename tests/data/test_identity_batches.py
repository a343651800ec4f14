"""Batches of identities: who is in them, which photos, at which size and framing; all a function of (seed, step)."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.face_source import FacesInFiles, FacesInMemory
from lrfr_tf.data.identity_batches import Views, identity_batches, parse_sizes
from lrfr_tf.errors import UserError

SIDE = 32
IMAGES = (1, 2, 3, 5, 8, 4, 2)  # of each identity
IDENTITIES = np.random.default_rng(1).permutation(np.repeat(np.arange(len(IMAGES)), IMAGES)).astype(np.int64)
COUNT = len(IDENTITIES)
# Target n is (n, 10 n): it tells which photo a row of a batch was made of.
TARGETS = np.stack([np.arange(COUNT), 10 * np.arange(COUNT)], 1).astype(np.float32)


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Noise, so that no two photos, mirrored or shifted or not, are alike."""
    return np.random.default_rng(0).integers(0, 256, (COUNT, SIDE, SIDE, 3), dtype=np.uint8)


def take(faces: np.ndarray, steps: int, sizes: tuple[Any, ...] = (SIDE,), **settings: Any) -> list[dict[str, Any]]:
    views = Views(sizes, settings.pop("random_range", (4, SIDE)), SIDE, settings.pop("in_place", 0.5))
    settings = {"count": 3, "seed": 1, "targets": TARGETS, **settings}
    batches = identity_batches(FacesInMemory(faces), IDENTITIES, views=views, **settings)
    return list(batches.take(steps).as_numpy_iterator())


def at_size(photo: np.ndarray, size: int) -> np.ndarray:
    """Shrunk and enlarged again, by Pillow alone."""
    small = Image.fromarray(photo).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def test_every_row_is_a_photo_of_its_label_at_its_size(faces: np.ndarray) -> None:
    sizes = (SIDE, 8, 12)
    mirrored, photos = [], []
    for batch in take(faces, 60, sizes):
        assert batch["faces"].shape == (9, SIDE, SIDE, 3)
        assert (batch["faces"].dtype, batch["labels"].dtype) == (np.uint8, np.int64)
        labels = batch["labels"].reshape(3, 3)
        assert (labels == labels[:, :1]).all()
        assert len(set(labels[:, 0])) == 3
        numbers = batch["targets"][:, 0].astype(int)
        assert np.array_equal(batch["targets"], TARGETS[numbers])
        assert np.array_equal(IDENTITIES[numbers], batch["labels"])
        for row, (face, number) in enumerate(zip(batch["faces"], numbers, strict=True)):
            plain = np.array_equal(face, at_size(faces[number], sizes[row % 3]))
            turned = np.array_equal(face, at_size(faces[number][:, ::-1], sizes[row % 3]))
            assert plain != turned
            mirrored.append(turned)
        photos.append(numbers.reshape(3, 3))
    # Every photo is drawn at some time, the views of an identity differ, and each is mirrored by itself.
    assert set(np.concatenate(photos).ravel()) == set(range(COUNT))
    of_many = np.concatenate([p[np.isin(IDENTITIES[p[:, 0]], [3, 4])] for p in photos])
    assert 0.6 < (of_many[:, 0] != of_many[:, 1]).mean() < 1  # 5 and 8 photos: 4/5 and 7/8
    turned = np.array(mirrored).reshape(-1, 3)
    assert 0.4 < turned.mean() < 0.6  # 540 draws; four standard deviations are 0.086
    assert abs(np.corrcoef(turned[:, 0], turned[:, 1])[0, 1]) < 0.3  # 180 pairs; four are 0.3


def test_a_photo_of_an_identity_is_as_likely_as_any_other(faces: np.ndarray) -> None:
    numbers = np.concatenate([batch["targets"][:, 0] for batch in take(faces, 400, (SIDE, SIDE), count=2)]).astype(int)
    drawn = np.bincount(numbers, minlength=COUNT)
    for identity, images in enumerate(IMAGES):
        own = drawn[identity == IDENTITIES]
        expected = own.sum() / images
        assert np.abs(own - expected).max() < 4.5 * np.sqrt(expected) + 1


def test_a_photo_that_counts_thrice_is_drawn_thrice_as_often(faces: np.ndarray) -> None:
    repeats = 1 + 2 * (np.arange(COUNT) % 2)
    batches = take(faces, 400, (SIDE, SIDE), count=2, by_images=True, repeats=repeats)
    numbers = np.concatenate([batch["targets"][:, 0] for batch in batches]).astype(int)
    drawn = np.bincount(numbers, minlength=COUNT)
    for identity in range(len(IMAGES)):
        own, weights = drawn[identity == IDENTITIES], repeats[identity == IDENTITIES]
        expected = own.sum() * weights / weights.sum()
        assert (np.abs(own - expected) < 4.5 * np.sqrt(expected) + 1).all()
    # Identities come in proportion to their weights, too: 1,600 photos; the two of a batch differ, so not exactly.
    weight = np.bincount(IDENTITIES, repeats)
    share = np.bincount(IDENTITIES, drawn) / drawn.sum()
    assert np.corrcoef(share, weight)[0, 1] > 0.95


def test_random_sizes_are_even_on_a_logarithmic_scale(faces: np.ndarray) -> None:
    found = []
    for batch in take(faces, 240, ("random", "random"), count=2, random_range=(4, SIDE)):
        sizes = set()
        for view in (0, 1):
            # One size for the whole view: the first row tells it, the second has it, too.
            photos = [faces[int(number)] for number in batch["targets"][view::2, 0]]
            made = batch["faces"][view::2]
            fitting = [
                size
                for size in range(2, SIDE + 1)
                if any(np.array_equal(made[0], at_size(photo, size)) for photo in (photos[0], photos[0][:, ::-1]))
            ]
            (size,) = fitting
            assert any(np.array_equal(made[1], at_size(photo, size)) for photo in (photos[1], photos[1][:, ::-1]))
            found.append(size)
            sizes.add(size)
    assert (min(found), max(found)) == (4, SIDE)
    # Uniform on [log 4, log 32]: as many below 11.3 as above; three octaves alike.
    octaves = np.histogram(np.log2(found), [2, 3, 4, 5.1])[0] / len(found)
    assert np.abs(octaves - 1 / 3).max() < 0.11  # 480 draws, rounding to whole pixels moves the borders by 0.03
    assert len({tuple(found[i : i + 2]) for i in range(0, 480, 2)}) > 60  # both views draw their own


def test_an_epoch_passes_every_identity_once(faces: np.ndarray) -> None:
    labels = [tuple(batch["labels"]) for batch in take(faces, 40, count=3)]
    epochs = [labels[i] + labels[i + 1] for i in range(0, 40, 2)]  # 7 identities: two batches of three, one left over
    assert all(len(set(epoch)) == 6 for epoch in epochs)
    assert len(set(epochs)) == 20
    assert {label for epoch in epochs for label in epoch} == set(range(7))


def test_by_images_an_identity_comes_as_often_as_it_has_images(faces: np.ndarray) -> None:
    labels = np.concatenate([batch["labels"] for batch in take(faces, 1000, count=1, by_images=True)])
    expected = 1000 * np.array(IMAGES) / COUNT
    assert np.abs(np.bincount(labels, minlength=7) - expected).max() < 4 * np.sqrt(expected.max())
    # The chi-square of 6 degrees of freedom is above 22.5 once in a thousand.
    assert ((np.bincount(labels, minlength=7) - expected) ** 2 / expected).sum() < 22.5
    pairs = [batch["labels"] for batch in take(faces, 200, count=5, by_images=True)]
    assert all(len(set(labels)) == 5 for labels in pairs)


@pytest.mark.parametrize("by_images", [False, True])
def test_a_step_has_the_same_batch_whatever_the_first_step_is(faces: np.ndarray, by_images: bool) -> None:
    whole = take(faces, 9, (SIDE, 8, "random"), by_images=by_images, seed=3)
    for first in (1, 4, 7):
        later = take(faces, 2, (SIDE, 8, "random"), by_images=by_images, seed=3, first_step=first)
        for found, expected in zip(later, whole[first:], strict=False):
            assert all(np.array_equal(found[name], expected[name]) for name in ("faces", "labels", "targets"))
    other = take(faces, 1, (SIDE, 8, "random"), by_images=by_images, seed=4)[0]
    assert not np.array_equal(other["faces"], whole[0]["faces"])


def test_steps_of_one_run_differ(faces: np.ndarray) -> None:
    batches = take(faces, 12, (SIDE, "random"))
    assert len({batch["faces"].tobytes() for batch in batches}) == 12


@pytest.mark.parametrize(("in_place", "at_the_right"), [(0.5, 0.5 + 0.5 / 6), (1.0, 1.0), (0.0, 1 / 6)])
def test_where_in_the_margin_a_view_lies(in_place: float, at_the_right: float) -> None:
    wide = np.random.default_rng(2).integers(0, 256, (COUNT, SIDE, SIDE + 5, 3), dtype=np.uint8)
    offsets = []
    for batch in take(wide, 100, count=3, in_place=in_place):
        for face, number in zip(batch["faces"], batch["targets"][:, 0].astype(int), strict=True):
            (offset,) = [
                offset
                for offset in range(6)
                for square in (wide[number][:, offset : offset + SIDE],)
                if np.array_equal(face, square) or np.array_equal(face, square[:, ::-1])
            ]
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
    views = Views((SIDE, 8), (4, SIDE), SIDE)
    batches = [
        list(identity_batches(source, IDENTITIES, 3, views, 1).take(3).as_numpy_iterator())
        for source in (FacesInMemory(decoded), FacesInFiles(paths))
    ]
    for one, other in zip(*batches, strict=True):
        assert one.keys() == other.keys() == {"faces", "labels"}
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_what_makes_no_batch_is_refused(faces: np.ndarray) -> None:
    with pytest.raises(UserError, match="A batch takes 8 identities and there are only 7; lower --batch_size"):
        take(faces, 1, count=8)
    for sizes in ((), (0,), (SIDE + 1,), (8, "large")):
        with pytest.raises(UserError, match=r"--sizes=.*: each is 1 to 32 or 'random'"):
            Views(sizes, (4, SIDE), SIDE)
    for ends in ((0, 8), (9, 8), (8, SIDE + 1)):
        with pytest.raises(UserError, match=r"--random_sizes=\d+,\d+ is no range within 1 to 32"):
            Views((8,), ends, SIDE)
    assert parse_sizes(["128", "8", "random"]) == (128, 8, "random")
    with pytest.raises(UserError, match="--sizes=8,half: 'half' is neither a number of pixels nor 'random'"):
        parse_sizes(["8", "half"])


def test_all_views_of_a_sharp_photo(faces: np.ndarray) -> None:
    """Where the sharp faces are handed out, every view is made of its identity's."""
    for changes in ({}, {"varied": 0.5, "mixed": 0.5}):  # as they are, or changed
        views = Views((SIDE, 8, 12), in_place=0.5, high_size=SIDE, random_range=(4, SIDE), **changes)
        batches = identity_batches(FacesInMemory(faces), IDENTITIES, 3, views, seed=1, with_sharp=True)
        untouched = 0
        for batch in batches.take(20).as_numpy_iterator():
            assert batch["sharp"].shape == (3, SIDE, SIDE, 3)
            for row, face in enumerate(batch["faces"]):
                sharp = batch["sharp"][row // 3]
                np.testing.assert_array_equal(face, sharp if row % 3 == 0 else at_size(sharp, (SIDE, 8, 12)[row % 3]))
            for label, sharp in zip(batch["labels"][::3], batch["sharp"], strict=True):
                own = faces[label == IDENTITIES]
                untouched += any(np.array_equal(sharp, photo) or np.array_equal(sharp, photo[:, ::-1]) for photo in own)
        assert untouched == 60 if not changes else 5 <= untouched <= 30


def test_views_that_are_varied_are_the_same_from_every_step_on(faces: np.ndarray) -> None:
    views = Views((8, 12), high_size=SIDE, random_range=(4, SIDE), varied=0.5, mixed=0.25)

    def batch(first: int, step: int) -> np.ndarray:
        batches = identity_batches(FacesInMemory(faces), IDENTITIES, 3, views, seed=1, first_step=first)
        return list(batches.take(step - first + 1).as_numpy_iterator())[-1]["faces"]

    np.testing.assert_array_equal(batch(0, 4), batch(4, 4))
    assert (batch(0, 3) != batch(0, 4)).any()


def test_cameras_change_the_small_views_alone(faces: np.ndarray) -> None:
    views = Views((SIDE, 8), high_size=SIDE, random_range=(4, SIDE), cameras=("blur", "noise"))
    plain = take(faces, 5, (SIDE, 8))
    batches = identity_batches(FacesInMemory(faces), IDENTITIES, 3, views, seed=1, targets=TARGETS)
    for before, after in zip(plain, batches.take(5).as_numpy_iterator(), strict=True):
        np.testing.assert_array_equal(before["faces"][::2], after["faces"][::2])
        differences = np.abs(before["faces"][1::2].astype(float) - after["faces"][1::2])
        assert 0 < differences.mean() < 40
