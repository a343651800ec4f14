"""Bootstrap intervals against SciPy, McNemar's test against sums done by hand."""

import itertools

import numpy as np
import pytest
import scipy.stats

from lrfr_tf.evaluation.significance import bootstrap_interval, grouped_interval, mcnemar, paired_members_interval


@pytest.mark.parametrize("kind", ["right or wrong", "numbers"])
def test_interval_is_that_of_scipy(kind: str) -> None:
    random = np.random.default_rng(0)
    values = random.random(300) < 0.7 if kind == "right or wrong" else random.normal(25.0, 3.0, 300)
    oracle = scipy.stats.bootstrap(
        (values.astype(float),), np.mean, method="percentile", n_resamples=20_000, random_state=np.random.default_rng(1)
    ).confidence_interval
    low, high = bootstrap_interval(values, resamples=20_000)
    tolerance = 0.04 * (oracle.high - oracle.low)  # what 20,000 resamples leave open
    assert low == pytest.approx(oracle.low, abs=tolerance)
    assert high == pytest.approx(oracle.high, abs=tolerance)


def test_interval_of_few_values_by_hand() -> None:
    # Two of two resampled from {0, 1}: means 0, 1/2, 1 with probabilities 1/4, 1/2, 1/4.
    assert bootstrap_interval(np.array([0, 1]), confidence=0.4) == (0.5, 0.5)
    assert bootstrap_interval(np.array([0, 1]), confidence=0.6) == (0.0, 1.0)
    assert bootstrap_interval(np.ones(10)) == (1.0, 1.0)


def test_interval_repeats_with_its_seed_and_narrows_with_confidence() -> None:
    values = np.random.default_rng(0).normal(size=50)
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)
    low_95, high_95 = bootstrap_interval(values)
    low_50, high_50 = bootstrap_interval(values, confidence=0.5)
    assert low_95 < low_50 < values.mean() < high_50 < high_95


def test_no_values_have_no_interval() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        bootstrap_interval(np.zeros(0))


def test_drawing_persons_is_the_count_of_all_draws_by_hand() -> None:
    # Persons a, b, c; the pairs a-a, b-b, a-b, b-c, c-a with a value each.
    pairs = [("a", "a", 0.0), ("b", "b", 1.0), ("a", "b", 4.0), ("b", "c", 2.0), ("c", "a", 9.0)]
    means = []
    for draw in itertools.product("abc", repeat=3):
        counted = [
            value
            for first, second, value in pairs
            for one in draw
            for other in (draw if first != second else "-")
            if one == first and (other == second or first == second)
        ]
        means += [np.mean(counted)] if counted else []  # c, c, c holds no pair
    assert len(means) == 26
    values, members = np.array([value for *_, value in pairs]), np.array([pair[:2] for pair in pairs])
    for confidence in (0.5, 0.7, 0.9):
        expected = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2], method="inverted_cdf")
        found = paired_members_interval(values, members, confidence=confidence, resamples=50_000)
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_persons_with_one_pair_each_are_drawn_as_pairs_are() -> None:
    values = np.random.default_rng(0).normal(size=300)
    numbers = np.arange(300)
    by_person = paired_members_interval(values, np.stack([numbers, numbers], axis=1), resamples=20_000)
    np.testing.assert_allclose(by_person, bootstrap_interval(values, resamples=20_000), atol=0.008)


def test_what_persons_have_in_common_widens_the_interval() -> None:
    random = np.random.default_rng(0)
    members = random.integers(0, 30, (3000, 2))
    effect = random.normal(size=30)
    values = effect[members].sum(axis=1) + random.normal(size=3000)
    low, high = paired_members_interval(values, members)
    low_of_pairs, high_of_pairs = bootstrap_interval(values)
    assert high - low > 3 * (high_of_pairs - low_of_pairs)
    # The mean of 30 persons' effects, twice in each pair, has a standard error of 2 * sd / sqrt(30).
    assert high - low == pytest.approx(2 * 1.96 * 2 * effect.std() / 30**0.5, rel=0.25)


def test_pairs_without_members_are_refused() -> None:
    with pytest.raises(ValueError, match="members are needed"):
        paired_members_interval(np.zeros(0), np.zeros((0, 2)))
    with pytest.raises(ValueError, match="members are needed"):
        paired_members_interval(np.zeros(3), np.zeros((2, 2)))


def discordant(only_a: int, only_b: int) -> tuple[np.ndarray, np.ndarray]:
    """Twenty images both get right, five both get wrong, and the given numbers that one method alone gets right."""
    a = np.repeat([True, False, True, False], [20, 5, only_a, only_b])
    b = np.repeat([True, False, False, True], [20, 5, only_a, only_b])
    return a, b


@pytest.mark.parametrize(
    ("only_a", "only_b", "expected"),
    [
        (3, 10, 2 * (1 + 13 + 78 + 286) / 2**13),
        (10, 3, 2 * (1 + 13 + 78 + 286) / 2**13),
        (0, 6, 2 / 2**6),
        (1, 0, 1.0),
        (4, 4, 1.0),
        (0, 0, 1.0),
    ],
)
def test_mcnemar_is_the_sum_done_by_hand(only_a: int, only_b: int, expected: float) -> None:
    assert mcnemar(*discordant(only_a, only_b)) == pytest.approx(expected, abs=1e-12)


def test_mcnemar_refuses_different_images() -> None:
    with pytest.raises(ValueError, match="same images"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))


def test_grouped_interval_draws_persons() -> None:
    random = np.random.default_rng(0)
    persons = np.repeat(np.arange(40), 10)
    alike = np.repeat(random.normal(size=40), 10)  # all images of a person say the same
    low, high = grouped_interval(alike, persons)
    expected = bootstrap_interval(alike[::10])
    np.testing.assert_allclose((low, high), expected, atol=0.03)
    assert high - low > 2 * np.diff(bootstrap_interval(alike))
    assert grouped_interval(np.ones(3), np.array(["a", "a", "b"])) == (1.0, 1.0)
    with pytest.raises(ValueError, match="Values and their groups"):
        grouped_interval(np.ones(3), np.zeros(2))
