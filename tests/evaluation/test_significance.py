"""Bootstrap intervals against SciPy, McNemar's test against sums done by hand."""

import numpy as np
import pytest
import scipy.stats

from lrfr_tf.evaluation.significance import bootstrap_interval, mcnemar


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
