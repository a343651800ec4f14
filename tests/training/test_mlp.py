"""The perceptron learns, keeps its best epoch, and repeats itself."""

import numpy as np
import pytest
import scipy.special

from lrfr_tf.errors import UserError
from lrfr_tf.training.mlp import MlpFit, fit_mlp

CLASSES = 5


def faces(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Separable classes on the unit sphere; the same classes for every seed."""
    centers = np.random.default_rng(99).normal(size=(CLASSES, 16))
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, rows)
    embeddings = centers[labels] + 0.3 * random.normal(size=(rows, 16))
    return (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32), labels


def figures(fit: MlpFit, embeddings: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Top-1 and cross-entropy by NumPy."""
    logits = np.asarray(fit.model(embeddings, training=False), np.float64)
    losses = -scipy.special.log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
    return float(np.mean(logits.argmax(axis=1) == labels)), float(losses.mean())


def test_it_learns_a_separable_problem() -> None:
    fit = fit_mlp(*faces(1, 100), *faces(2, 40), classes=CLASSES, seed=0, epochs=8, patience=8, batch_size=16)
    top_1, _ = figures(fit, *faces(3, 100))
    assert top_1 > 0.95


def test_the_best_epoch_is_kept_and_not_the_last() -> None:
    train, labels = faces(1, 100)
    # The validation faces are the training faces under wrong names: the better it learns, the worse it validates.
    wrong = (labels + 1) % CLASSES
    fit = fit_mlp(train, labels, train, wrong, classes=CLASSES, seed=0, epochs=20, patience=3, batch_size=16)
    assert fit.best_epoch < len(fit.history)
    assert len(fit.history) == fit.best_epoch + 3 < 20
    best, last = fit.history[fit.best_epoch - 1], fit.history[-1]
    assert last["val_loss"] > best["val_loss"] + 0.1
    top_1, loss = figures(fit, train, wrong)
    assert top_1 == pytest.approx(best["val_top1"], abs=1e-6)
    assert loss == pytest.approx(best["val_loss"], rel=1e-4)


def test_the_lower_loss_decides_between_epochs_of_equal_accuracy() -> None:
    fit = fit_mlp(*faces(1, 100), *faces(2, 40), classes=CLASSES, seed=0, epochs=8, patience=8, batch_size=16)
    accuracy = max(epoch["val_top1"] for epoch in fit.history)
    ties = [epoch["val_loss"] for epoch in fit.history if epoch["val_top1"] == accuracy]
    assert len(ties) > 1
    assert fit.history[fit.best_epoch - 1]["val_loss"] == min(ties)


def test_the_seed_decides_the_weights() -> None:
    def weights(seed: int) -> list[np.ndarray]:
        fit = fit_mlp(*faces(1, 40), *faces(2, 20), classes=CLASSES, seed=seed, epochs=2, patience=2, batch_size=16)
        return fit.model.get_weights()

    first, again, other = weights(7), weights(7), weights(8)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize(("train_rows", "validation_rows"), [(10, 0), (0, 10)])
def test_an_empty_split_is_a_user_error(train_rows: int, validation_rows: int) -> None:
    with pytest.raises(UserError, match="no usable (training|validation) row"):
        fit_mlp(*faces(1, train_rows), *faces(2, validation_rows), classes=CLASSES, seed=0)
