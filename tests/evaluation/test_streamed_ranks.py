"""Streamed ranks against sorting the whole gallery, as the data set's own script does."""

import resource
import sys
import tracemalloc

import numpy as np
import pytest

from lrfr_tf.evaluation import streamed_ranks as module
from lrfr_tf.evaluation.identification import top_k
from lrfr_tf.evaluation.streamed_ranks import StreamedRanks

PROBES, IDENTITIES, DIMENSIONS = 60, 12, 16


def unit(array: np.ndarray) -> np.ndarray:
    return (array / np.linalg.norm(array, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def sets() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    centers = random.normal(size=(IDENTITIES, DIMENSIONS))
    labels = np.arange(PROBES) % IDENTITIES
    gallery_labels = np.concatenate([np.arange(IDENTITIES), random.integers(0, IDENTITIES, 9)])
    return {
        "labels": labels,
        "gallery_labels": gallery_labels,
        "probes": unit(centers[labels] + random.normal(size=(PROBES, DIMENSIONS))),
        "gallery": unit(centers[gallery_labels] + random.normal(size=(len(gallery_labels), DIMENSIONS))),
        "distractors": unit(random.normal(size=(500, DIMENSIONS))),
    }


def by_sorting(sets: dict[str, np.ndarray]) -> np.ndarray:
    """All distances, sorted; the place of the first image of the same person; distractors are called -100."""
    gallery = np.concatenate([sets["gallery"], sets["distractors"]]).astype(np.float64)
    names = np.concatenate([sets["gallery_labels"], np.full(len(sets["distractors"]), -100)])
    places = []
    for probe, label in zip(sets["probes"].astype(np.float64), sets["labels"], strict=True):
        order = np.argsort(np.linalg.norm(gallery - probe, axis=1), kind="stable")
        places.append(1 + int(np.flatnonzero(names[order] == label)[0]))
    return np.array(places)


@pytest.mark.parametrize("chunk", [1, 7, 500])
def test_ranks_are_those_of_sorting(sets: dict[str, np.ndarray], chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SCORES_AT_ONCE", PROBES * 4)  # so that the gallery is cut up too
    streamed = StreamedRanks(sets["probes"], sets["labels"], sets["gallery"], sets["gallery_labels"])
    before = streamed.ranks()
    for start in range(0, 500, chunk):
        streamed.add_distractors(sets["distractors"][start : start + chunk])
    expected = by_sorting(sets)
    np.testing.assert_array_equal(streamed.ranks(), expected)
    np.testing.assert_array_equal(before, by_sorting({**sets, "distractors": np.zeros((0, DIMENSIONS))}))
    assert 0.1 < top_k(expected, 1) < top_k(before, 1) < 1  # the distractors matter, and nothing is trivial


def test_ties_and_no_numbers_count_against_us() -> None:
    same = np.tile(unit(np.ones((1, 8))), (5, 1))
    streamed = StreamedRanks(same[:2], np.array([0, 1]), same[:3], np.array([0, 1, 1]))
    np.testing.assert_array_equal(streamed.ranks(), [3, 2])  # all images of others are in front
    streamed.add_distractors(same)
    np.testing.assert_array_equal(streamed.ranks(), [8, 7])
    nothing = np.full((1, 8), np.nan, np.float32)
    streamed.add_distractors(nothing)
    np.testing.assert_array_equal(streamed.ranks(), [9, 8])
    lost = StreamedRanks(nothing, np.array([0]), same[:3], np.array([0, 1, 1]))
    lost.add_distractors(-same)
    np.testing.assert_array_equal(lost.ranks(), [8])


def test_a_probe_needs_a_match() -> None:
    with pytest.raises(ValueError, match="needs an image of its person"):
        StreamedRanks(np.ones((1, 4), np.float32), np.array([3]), np.ones((2, 4), np.float32), np.array([0, 1]))


@pytest.mark.slow
def test_tinyface_at_full_size_needs_little_memory(capsys: pytest.CaptureFixture[str]) -> None:
    """3,728 probes and 153,428 distractors: their similarities alone would be 2.3 GB."""
    random = np.random.default_rng(0)
    probes = unit(random.standard_normal((3728, 128), dtype=np.float32))
    labels = np.arange(3728) % 2569
    gallery = unit(random.standard_normal((4443, 128), dtype=np.float32))
    tracemalloc.start()
    streamed = StreamedRanks(probes, labels, gallery, np.arange(4443) % 2569)
    left = 153_428
    while left:
        streamed.add_distractors(unit(random.standard_normal((min(256, left), 128), dtype=np.float32)))
        left -= min(256, left)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    with capsys.disabled():
        print(f"\n3,728 x 153,428 ranks: {peak / 1e6:.0f} MB allocated, {resident / 1e6:.0f} MB resident in all")
    assert peak < 150e6
    # With nothing to find, a rank is a matter of luck: 1 + a share of the gallery that depends on one's best image.
    assert 0.2 < np.mean(streamed.ranks()) / 157_000 < 0.6
