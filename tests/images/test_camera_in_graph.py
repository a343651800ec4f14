"""Photos in a graph: those of `camera_numpy` for the same numbers, and of the same kind for numbers of its own."""

import dataclasses
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy.ndimage import convolve

from lrfr_tf.errors import UserError
from lrfr_tf.images import camera_in_graph, camera_numpy
from lrfr_tf.images.camera import DRAWS, HARSH, LEVELS, Camera, sample_shot
from lrfr_tf.images.camera_in_graph import draw_in_graph, photograph_in_graph, photograph_with_target_in_graph
from lrfr_tf.images.camera_numpy import photograph_all
from lrfr_tf.images.degrade import degrade
from tests.faces_by_code import person

MARGIN, SIDE, COUNT = 16, 112, 24
WHOLE = SIDE + 2 * MARGIN
SEED = tf.constant([3, -8], tf.int64)


@pytest.fixture(scope="module")
def faces(portrait: np.ndarray) -> np.ndarray:
    return np.stack([person(portrait, identity, 0, WHOLE) for identity in range(COUNT)])


def without_margin(images: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(images[:, MARGIN:-MARGIN, MARGIN:-MARGIN])


@pytest.mark.parametrize("size", [8, 16, 64])
def test_clean_is_degrade(faces: np.ndarray, size: int) -> None:
    expected = degrade(without_margin(faces), size)
    np.testing.assert_array_equal(photograph_in_graph(tf.constant(faces), size, "clean", SEED, margin=MARGIN), expected)
    camera = Camera(rotation=6.0, scale=1.1, shift=0.1)
    found = photograph_in_graph(tf.constant(faces), size, camera, SEED, margin=MARGIN, misplaced=False)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("margin", [0, MARGIN])
@pytest.mark.parametrize("size", [5, 12, 16, 24, 64])
@pytest.mark.parametrize("level", ["moderate", "harsh"])
def test_both_forms_take_the_same_photo_of_the_same_numbers(
    faces: np.ndarray, level: str, size: int, margin: int
) -> None:
    images = faces if margin else without_margin(faces)
    drawn = [camera_numpy.draw(seed, size) for seed in range(COUNT)]
    draws, noises = np.stack([draws for draws, _ in drawn]), np.stack([noise for _, noise in drawn])
    for camera in (dataclasses.replace(LEVELS[level], jpeg=None), LEVELS[level]):
        expected = [
            camera_numpy.apply_shot(
                image, sample_shot(camera, list(row), size), noise, size, camera=camera, margin=margin
            )
            for image, row, noise in zip(images, draws, noises, strict=True)
        ]
        shots = sample_shot(camera, list(tf.constant(draws.T, tf.float32)), size)
        found, places = camera_in_graph.apply_shot_in_graph(
            tf.constant(images), shots, tf.constant(noises, tf.float32), size, camera=camera, margin=margin
        )
        np.testing.assert_allclose(places, np.stack([place for _, place in expected]), atol=0.05)
        difference = np.abs(found.numpy().astype(int) - np.stack([photo for photo, _ in expected]))
        if camera.jpeg is None:
            assert difference.max() <= 1
            assert (difference > 0).mean() < 0.001
        else:  # one level of one pixel may move a coefficient of its block by a whole step
            assert (difference > 0).mean() < 0.02
            assert difference.mean() < 0.1


def immerkaer(photos: np.ndarray) -> np.ndarray:
    """Standard deviation of the noise in each image (Immerkaer 1996), grey levels."""
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])[None, :, :, None]
    kept = np.abs(convolve(photos, mask))[:, 1:-1, 1:-1]
    return np.sqrt(np.pi / 2) / 6 * kept.mean(axis=(1, 2, 3))


STATISTICS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "mean": lambda photos, clean: photos.mean(axis=(1, 2, 3)),
    "deviation": lambda photos, clean: photos.std(axis=(1, 2, 3)),
    "colors": lambda photos, clean: np.ptp(photos, axis=3).mean(axis=(1, 2)),
    "fineness": lambda photos, clean: np.square(np.diff(photos, axis=2)).mean(axis=(1, 2, 3)) ** 0.5,
    "noise": lambda photos, clean: immerkaer(photos),
    "PSNR": lambda photos, clean: 10 * np.log10(255**2 / np.square(photos - clean).mean(axis=(1, 2, 3))),
}


def check_same_statistics(faces: np.ndarray, level: str, size: int, rounds: int) -> dict[str, float]:
    """Holds the two forms against each other on the same images, each with `rounds` seeds of its own for every image.

    Returns:
        The graph's mean of each of STATISTICS.
    """
    seeds = np.arange(rounds * len(faces)).reshape(rounds, -1)
    ours = np.concatenate([photograph_all(faces, size, level, row.tolist(), margin=MARGIN) for row in seeds]).astype(
        float
    )
    graph = tf.function(lambda seed: photograph_in_graph(tf.constant(faces), size, level, seed, margin=MARGIN))
    graphs = np.concatenate([graph(SEED + number) for number in range(rounds)]).astype(float)
    clean = np.tile(degrade(without_margin(faces), size), (rounds, 1, 1, 1)).astype(float)
    means = {}
    for name, statistic in STATISTICS.items():
        differences = statistic(ours, clean) - statistic(graphs, clean)
        error = differences.std() / np.sqrt(len(differences))
        assert abs(differences.mean()) < 3.5 * error, name
        # There are enough photos for the line above to mean something.
        assert error < 0.1 * statistic(graphs, clean).mean(), name
        means[name] = statistic(graphs, clean).mean()
    return means


@pytest.mark.parametrize("size", [12, 16, 32])
def test_both_forms_have_the_same_statistics(faces: np.ndarray, size: int) -> None:
    moderate, harsh = (check_same_statistics(faces, level, size, rounds=9) for level in ("moderate", "harsh"))
    assert harsh["PSNR"] < moderate["PSNR"] - 3
    assert harsh["deviation"] < moderate["deviation"]


@pytest.mark.shared_data
@pytest.mark.parametrize("size", [16, 24])
def test_both_forms_have_the_same_statistics_on_real_faces(shared_data: Path, size: int) -> None:
    with zipfile.ZipFile(shared_data / "celeba" / "celeba_30_each.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))[::60]
        photos = [np.asarray(Image.open(archive.open(name)).convert("RGB")) for name in names]
    faces = np.stack([photo[48 : 48 + WHOLE, 17 : 17 + WHOLE] for photo in photos])
    assert len(faces) > 60
    moderate, harsh = (check_same_statistics(faces, level, size, rounds=4) for level in ("moderate", "harsh"))
    assert 18 < moderate["PSNR"] < 25
    assert 13 < harsh["PSNR"] < moderate["PSNR"] - 3


def test_a_pipeline_gives_the_same_photos_again(faces: np.ndarray) -> None:
    images = tf.constant(faces)

    def photos(first: int) -> tf.data.Dataset:
        steps = tf.data.Dataset.range(first, 6)
        return steps.map(
            lambda step: photograph_in_graph(
                images, 16, "harsh", tf.stack([tf.constant(1, tf.int64), -1 - step]), margin=MARGIN
            ),
            num_parallel_calls=tf.data.AUTOTUNE,
        )

    assert photos(0).element_spec == tf.TensorSpec((COUNT, 16, 16, 3), tf.uint8)
    whole, rest = (np.stack(list(photos(first).as_numpy_iterator())) for first in (0, 4))
    np.testing.assert_array_equal(rest, whole[4:])
    assert (whole[0] != whole[1]).mean() > 0.5


def test_with_seeds_of_their_own_photos_do_not_depend_on_their_batch(faces: np.ndarray) -> None:
    signature = [tf.TensorSpec((None, WHOLE, WHOLE, 3), tf.uint8), tf.TensorSpec((None, 2), tf.int64)]
    graph = tf.function(lambda images, seeds: photograph_in_graph(images, 16, "harsh", seeds, margin=MARGIN), signature)
    seeds = tf.constant(np.arange(2 * COUNT).reshape(COUNT, 2))
    whole = graph(tf.constant(faces), seeds)
    np.testing.assert_array_equal(graph(tf.constant(faces[5:7]), seeds[5:7]), whole[5:7])
    np.testing.assert_array_equal(
        photograph_in_graph(tf.constant(faces[5:7]), 16, "harsh", seeds[5:7], margin=MARGIN), whole[5:7]
    )
    assert graph(tf.constant(faces[:0]), seeds[:0]).shape == (0, 16, 16, 3)
    assert graph.get_concrete_function().structured_outputs.shape.as_list() == [None, 16, 16, 3]


def test_draws_are_even_and_independent() -> None:
    draws, noise = draw_in_graph(tf.constant(np.arange(4000).reshape(2000, 2)), 4)
    np.testing.assert_allclose(np.mean(draws, axis=0), 0.5, atol=0.03)
    np.testing.assert_allclose(np.std(draws, axis=0), 12**-0.5, atol=0.015)
    assert np.abs(np.corrcoef(np.transpose(draws))[np.triu_indices(len(DRAWS), 1)]).max() < 0.1
    assert np.std(noise) == pytest.approx(1, abs=0.01)
    assert abs(np.mean(noise)) < 0.01


def test_targets_are_those_of_the_photos(faces: np.ndarray) -> None:
    photos, targets = photograph_with_target_in_graph(tf.constant(faces), 24, "harsh", SEED, margin=MARGIN)
    np.testing.assert_array_equal(photos, photograph_in_graph(tf.constant(faces), 24, "harsh", SEED, margin=MARGIN))
    assert (targets.dtype, targets.shape) == (tf.uint8, (COUNT, SIDE, SIDE, 3))
    own = np.square(photos.numpy() - degrade(targets.numpy(), 24).astype(float)).mean()
    undone = np.square(photos.numpy() - degrade(without_margin(faces), 24).astype(float)).mean()
    assert own < 0.6 * undone
    # The target of one shot is NumPy's.
    draws, _ = draw_in_graph(tf.random.experimental.stateless_split(SEED, COUNT), 24)
    shot = sample_shot(HARSH, [float(value) for value in draws[2]], 24)
    pixels = camera_numpy._misplace(faces[2].astype(float), shot, MARGIN)[MARGIN:-MARGIN, MARGIN:-MARGIN]
    difference = np.abs(np.rint(camera_numpy.adjust_tone(pixels, shot)) - targets[2].numpy())
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01
    clean = photograph_with_target_in_graph(tf.constant(faces), 24, "clean", SEED, margin=MARGIN)
    np.testing.assert_array_equal(clean[0], degrade(without_margin(faces), 24))
    np.testing.assert_array_equal(clean[1], without_margin(faces))


def test_bad_arguments_are_refused(faces: np.ndarray) -> None:
    images = tf.constant(faces[:2])
    with pytest.raises(UserError, match="'worst'"):
        photograph_in_graph(images, 16, "worst", SEED)
    for wrong in (images[:, :100], images[..., :1], tf.cast(images, tf.float32), images[0]):
        with pytest.raises(ValueError, match="images are uint8"):
            photograph_in_graph(wrong, 16, "harsh", SEED)
    for size, margin in ((0, 0), (145, 0), (113, 16), (16, -1), (1, 72)):
        with pytest.raises(ValueError, match="^size is 1 to"):
            photograph_in_graph(images, size, "harsh", SEED, margin=margin)
