"""The exact search, against the plainest one."""

import numpy as np
import pytest

from lrfr_tf.gallery import search
from lrfr_tf.gallery.search import Index

BLOCK = 8192


@pytest.fixture(autouse=True)
def _several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "BLOCK", BLOCK)


def units(random: np.random.Generator, count: int, dimensions: int) -> np.ndarray:
    vectors = random.normal(size=(count, dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def brute_force(templates: np.ndarray, probes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """All cosines in float64; of equal ones the first."""
    scores = np.stack([(templates.astype(np.float64) * probe.astype(np.float64)).sum(axis=1) for probe in probes])
    best = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    return best, np.take_along_axis(scores, best, axis=1)


def filled(templates: np.ndarray, part: int = 5000) -> Index:
    index = Index(templates.shape[1])
    for start in range(0, len(templates), part):
        index.append(np.arange(start, min(start + part, len(templates))), templates[start : start + part])
    return index


@pytest.mark.parametrize("rows", [1, 3, 10, BLOCK - 1, BLOCK + 1, 20_000])
def test_it_equals_brute_force(rows: int) -> None:
    random = np.random.default_rng(rows)
    templates, probes = units(random, rows, 48), units(random, 7, 48)
    found, scores = filled(templates).search(probes, 10)
    expected, cosines = brute_force(templates, probes, 10)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(scores, cosines)


def test_ties_go_to_whoever_was_enrolled_first() -> None:
    """Equal templates, in one block and in others, at places where a matrix product rounds differently."""
    random = np.random.default_rng(0)
    templates = units(random, 20_000, 50)
    twins = [19_999, 3, 8191, 8192, 12_345, 7, 16_384]
    templates[twins] = templates[3]
    close = [11, 9000]  # a float32 product cannot tell them from the twins
    templates[close] = np.nextafter(templates[3], np.float32(1))
    probe = units(random, 1, 50)
    for probes in (templates[3:4], probe, np.concatenate([probe, templates[3:4], templates[9:10]])):
        for count in (1, 4, 9, 12):
            found, scores = filled(templates).search(probes, count)
            expected, cosines = brute_force(templates, probes, count)
            np.testing.assert_array_equal(found, expected)
            np.testing.assert_array_equal(scores, cosines)


@pytest.mark.parametrize("block", [64, 1000, BLOCK])
@pytest.mark.parametrize("order", ["rising", "falling", "best together"])
@pytest.mark.parametrize("count", [1, 10, 150])
def test_no_order_of_the_rows_hides_the_best(
    monkeypatch: pytest.MonkeyPatch, block: int, order: str, count: int
) -> None:
    """Rows in the order of their scores, and the best ones where the search looks at one score for all of them."""
    monkeypatch.setattr(search, "BLOCK", block)
    random = np.random.default_rng(block)
    templates, probes = units(random, 3000, 24), units(random, 3, 24)
    falling = np.argsort(-(templates @ probes[1]))
    templates = templates[{"rising": falling[::-1], "falling": falling, "best together": falling}[order]]
    if order == "best together":
        groups = block // search.GROUP  # those of a group lie so far apart
        places = np.arange(min(search.GROUP, len(templates) // groups)) * groups
        templates[places], templates[: len(places)] = templates[: len(places)].copy(), templates[places].copy()
    found, scores = filled(templates, 700).search(probes, count)
    expected, cosines = brute_force(templates, probes, count)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(scores, cosines)


def test_blocks_of_whom_nobody_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "BLOCK", 64)
    random = np.random.default_rng(3)
    templates, probes = units(random, 300, 24), units(random, 2, 24)
    index = filled(templates, 50)
    for row in [*range(70), *range(128, 300)]:
        index.remove(row)
    alive = index.alive()
    for count in (5, 100):
        found, scores = index.search(probes, count)
        expected, cosines = brute_force(templates[alive], probes, count)
        assert found.shape == (2, min(count, 58))
        np.testing.assert_array_equal(found, alive[expected])
        np.testing.assert_array_equal(scores, cosines)


def test_everybody_alike() -> None:
    templates = np.repeat(units(np.random.default_rng(1), 1, 16), 9000, axis=0)
    found, _ = filled(templates).search(templates[:2], 5)
    np.testing.assert_array_equal(found, [[0, 1, 2, 3, 4]] * 2)


def test_removed_replaced_and_added_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "BLOCK", 64)
    random = np.random.default_rng(2)
    templates, probes = units(random, 300, 24), units(random, 5, 24)
    index = Index(24)
    index.append(np.arange(300) * 2, templates)
    gone = [0, 5, 63, 64, 65, 299]
    for row in gone:
        index.remove(row)
        index.remove(row)
    index.replace(64, templates[10])
    assert len(index) == 300 - 5
    assert index.row_of(2 * 64) == 64
    assert index.row_of(3) is None
    assert index.row_of(10_000) is None
    assert (index.key_of(64), index.last_key) == (128, 598)
    alive = index.alive()
    assert set(range(300)) - set(alive.tolist()) == {0, 5, 63, 65, 299}
    templates[64] = templates[10]
    found, scores = index.search(probes, 20)
    expected, cosines = brute_force(templates[alive], probes, 20)
    np.testing.assert_array_equal(found, alive[expected])
    np.testing.assert_array_equal(scores, cosines)
    np.testing.assert_array_equal(index.templates(alive), templates[alive])
    assert not index.templates(np.array([5])).any()  # nothing of who was removed stays in memory


def test_nobody_and_nothing_asked() -> None:
    index = Index(8)
    assert index.search(np.zeros((2, 8), np.float32), 5)[0].shape == (2, 0)
    index.append(np.array([4]), np.eye(1, 8, dtype=np.float32))
    assert index.search(np.zeros((0, 8), np.float32), 5)[0].shape == (0, 1)
    index.remove(0)
    assert index.search(np.ones((1, 8), np.float32), 5)[1].shape == (1, 0)


def test_memory_is_that_of_the_matrix() -> None:
    index = filled(np.zeros((100_000, 64), np.float32))
    held = sum(array.nbytes for part in (index._blocks, index._keys, index._alive) for array in part)
    assert held <= 1.3 * 100_000 * 64 * 4
