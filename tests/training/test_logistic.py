"""Softmax regression against scikit-learn, and its gradient against finite differences."""

import numpy as np
import pytest
import scipy.optimize
import scipy.special
from sklearn.linear_model import LogisticRegression

from lrfr_tf.errors import UserError
from lrfr_tf.training import logistic
from lrfr_tf.training.logistic import LogisticFit, LogisticObjective, fit_logistic


def problem(rows: int = 300, dimensions: int = 16, classes: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping classes of unequal size on the unit sphere."""
    random = np.random.default_rng(0)
    labels = np.minimum(random.geometric(0.3, rows) - 1, classes - 1)
    centers = random.normal(size=(classes, dimensions))
    embeddings = centers[labels] + 1.5 * random.normal(size=(rows, dimensions))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return embeddings.astype(np.float32), labels


def probabilities(fit: LogisticFit, embeddings: np.ndarray) -> np.ndarray:
    return scipy.special.softmax(embeddings.astype(np.float64) @ fit.kernel + fit.bias, axis=1)


@pytest.mark.parametrize("strength", [10.0, 0.1])
@pytest.mark.parametrize("chunk", [64, 4096])
def test_probabilities_are_those_of_scikit_learn(strength: float, chunk: int) -> None:
    embeddings, labels = problem()
    oracle = LogisticRegression(C=strength, tol=1e-9, max_iter=10_000).fit(embeddings.astype(np.float64), labels)
    fit = fit_logistic(embeddings, labels, 6, C=strength, chunk=chunk)
    expected = oracle.predict_proba(embeddings.astype(np.float64))
    np.testing.assert_allclose(probabilities(fit, embeddings), expected, atol=2e-4)
    assert fit.converged
    assert len(embeddings) % 64 != 0  # so the last chunk is a short one


def test_float32_for_large_problems_stays_near_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic, "FLOAT64_LOGITS", 0)
    embeddings, labels = problem()
    oracle = LogisticRegression(C=10, tol=1e-9, max_iter=10_000).fit(embeddings.astype(np.float64), labels)
    fit = fit_logistic(embeddings, labels, 6, chunk=64)
    expected = oracle.predict_proba(embeddings.astype(np.float64))
    np.testing.assert_allclose(probabilities(fit, embeddings), expected, atol=3e-3)


def test_gradient_is_that_of_the_written_objective() -> None:
    embeddings, labels = problem(rows=40, dimensions=3, classes=4)
    objective = LogisticObjective(embeddings, labels, classes=4, C=10.0, chunk=16)
    parameters = np.random.default_rng(1).normal(size=(3 + 1) * 4)

    def written(flat: np.ndarray) -> float:
        kernel, bias = flat[:12].reshape(3, 4), flat[12:]
        log_probabilities = scipy.special.log_softmax(embeddings.astype(np.float64) @ kernel + bias, axis=1)
        return -log_probabilities[np.arange(40), labels].mean() + np.sum(kernel**2) / (2 * 10.0 * 40)

    loss, gradient = objective(parameters)
    assert loss == pytest.approx(written(parameters), abs=1e-9)
    np.testing.assert_allclose(gradient, scipy.optimize.approx_fprime(parameters, written), atol=1e-6)
    _, at_zero = objective(np.zeros(16))
    assert objective.gradient_at_zero() == pytest.approx(np.abs(at_zero).max(), rel=1e-5)


def test_a_class_without_a_training_row_shifts_no_label() -> None:
    embeddings, labels = problem()
    with_gap = labels + (labels >= 2)  # class 2 is now empty
    full, gapped = fit_logistic(embeddings, labels, 6), fit_logistic(embeddings, with_gap, 7)
    found = probabilities(gapped, embeddings)
    assert found.shape == (300, 7)
    assert np.all(found[:, 2] == 0)
    np.testing.assert_allclose(np.delete(found, 2, axis=1), probabilities(full, embeddings), atol=1e-6)


def test_a_small_gradient_at_the_start_does_not_stop_it() -> None:
    # Thousands of classes start with so small a mean gradient; so does this: short embeddings, classes of equal size.
    # An absolute tolerance of 1e-4, scikit-learn's default, would return zeros.
    random = np.random.default_rng(0)
    labels = np.arange(120) % 6
    embeddings = random.normal(size=(6, 16))[labels] + 0.5 * random.normal(size=(120, 16))
    embeddings = (embeddings * 1e-4).astype(np.float32)
    assert LogisticObjective(embeddings, labels, 6, C=1e9, chunk=4096).gradient_at_zero() < 1e-4
    fit = fit_logistic(embeddings, labels, 6, C=1e9)
    assert np.mean(probabilities(fit, embeddings).argmax(axis=1) == labels) > 0.95
    assert probabilities(fit, embeddings).max(axis=1).min() > 0.5


def test_no_rows_is_a_user_error() -> None:
    with pytest.raises(UserError, match="no training row"):
        fit_logistic(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), 3)
