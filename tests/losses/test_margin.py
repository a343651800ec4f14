"""Margin heads against NumPy in float64, and at the points where a margin could break: cos = 1, zeros, sure samples."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from lrfr_tf.losses.margin import (
    adaptive_margin_logits,
    class_weights_initializer,
    cross_entropies,
    margin_logits,
    updated_norm_statistics,
)

RANDOM = np.random.default_rng(0)
EMBEDDINGS = RANDOM.normal(0, 3, (6, 5)).astype(np.float32)
CLASS_WEIGHTS = RANDOM.uniform(-1, 1, (4, 5)).astype(np.float32)
LABELS = np.array([2, 0, 3, 2, 1, 0])


def cosines(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    rows, others = (array.astype(np.float64) for array in (rows, others))
    return np.array([[row @ other / np.linalg.norm(row) / np.linalg.norm(other) for other in others] for row in rows])


def gradients(loss: Callable[..., tf.Tensor], *arrays: np.ndarray) -> tuple[float, list[np.ndarray]]:
    tensors = [tf.constant(array, tf.float32) for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = loss(*tensors)
    return float(value), [gradient.numpy() for gradient in tape.gradient(value, tensors)]


def am_softmax(rows: tf.Tensor, classes: tf.Tensor, labels: np.ndarray | list[int], margin: float = 0.35) -> tf.Tensor:
    return tf.reduce_mean(cross_entropies(margin_logits(rows, classes, labels, margin=margin), labels))


def test_additive_margin_by_hand() -> None:
    logits = margin_logits(EMBEDDINGS, CLASS_WEIGHTS, LABELS, margin=0.2, scale=7.0)
    expected = cosines(EMBEDDINGS, CLASS_WEIGHTS)
    for row, label in enumerate(LABELS):
        expected[row, label] -= 0.2
    np.testing.assert_allclose(logits, 7 * expected, atol=1e-5)


def test_defaults_are_those_of_lai_and_lam() -> None:
    expected = 30 * (cosines(EMBEDDINGS, CLASS_WEIGHTS) - 0.35 * np.eye(4)[LABELS])
    np.testing.assert_allclose(margin_logits(EMBEDDINGS, CLASS_WEIGHTS, LABELS), expected, atol=1e-4)
    entropy = -scipy.special.log_softmax(expected, axis=1)[np.arange(6), LABELS].mean()
    assert float(am_softmax(EMBEDDINGS, CLASS_WEIGHTS, LABELS)) == pytest.approx(entropy, rel=1e-5)
    start = class_weights_initializer()((50, 512), dtype="float32").numpy()
    assert -1 <= start.min() < -0.99 < 0.99 < start.max() <= 1
    assert abs(start.mean()) < 0.02


def test_softmax_is_the_linear_classifier() -> None:
    logits = margin_logits(EMBEDDINGS, CLASS_WEIGHTS, LABELS, margin=9.0, scale=9.0, head="softmax")
    np.testing.assert_allclose(logits, EMBEDDINGS.astype(np.float64) @ CLASS_WEIGHTS.T, atol=1e-5)


def test_an_unknown_head_is_refused() -> None:
    with pytest.raises(ValueError, match="softmax, amsoftmax, not 'arcface'"):
        margin_logits(EMBEDDINGS, CLASS_WEIGHTS, LABELS, head="arcface")


def test_lengths_and_order_of_rows_mean_nothing() -> None:
    loss = float(am_softmax(EMBEDDINGS, CLASS_WEIGHTS, LABELS))
    order = np.array([4, 0, 5, 2, 1, 3])
    assert float(am_softmax(EMBEDDINGS[order], CLASS_WEIGHTS, LABELS[order])) == pytest.approx(loss)
    longer = EMBEDDINGS * np.arange(1, 7)[:, None]
    assert float(am_softmax(longer, CLASS_WEIGHTS * 50, LABELS)) == pytest.approx(loss, rel=1e-5)
    renamed = np.array([3, 1, 0, 2])  # old class -> new class
    moved = np.zeros_like(CLASS_WEIGHTS)
    moved[renamed] = CLASS_WEIGHTS
    assert float(am_softmax(EMBEDDINGS, moved, renamed[LABELS])) == pytest.approx(loss, rel=1e-5)


def test_the_cross_entropy_of_each_sample() -> None:
    logits = RANDOM.normal(0, 2, (6, 4)).astype(np.float32)
    expected = -scipy.special.log_softmax(logits.astype(np.float64), axis=1)[np.arange(6), LABELS]
    np.testing.assert_allclose(cross_entropies(logits, LABELS), expected, rtol=1e-5)


def test_huge_logits_and_sure_samples_stay_finite() -> None:
    logits = np.array([[2000.0, -2000.0], [-2000.0, 2000.0], [0.0, 0.0]], np.float32)
    value, (gradient,) = gradients(lambda x: tf.reduce_mean(cross_entropies(x, [0, 0, 0])), logits)
    assert value == pytest.approx((0 + 4000 + np.log(2)) / 3, rel=1e-5)
    assert np.isfinite(gradient).all()


def on_their_class(margin: float) -> Callable[..., tf.Tensor]:
    return lambda rows, classes: am_softmax(rows, classes, [0, 1, 2, 3], margin)


def adaptive_on_their_class(rows: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    labels = [0, 1, 2, 3]
    return tf.reduce_mean(
        cross_entropies(adaptive_margin_logits(rows, classes, labels, norm_mean=2.0, norm_deviation=0.5), labels)
    )


@pytest.mark.parametrize("loss", [on_their_class(0.35), on_their_class(0.0), adaptive_on_their_class])
def test_no_nan_where_an_embedding_is_its_class_row_or_the_opposite_or_zero(loss: Callable[..., tf.Tensor]) -> None:
    for seed in range(5):
        classes = np.random.default_rng(seed).uniform(-1, 1, (4, 512)).astype(np.float32)
        rows = classes * np.array([[1.0], [1.0 if seed else 0.0], [-1.0], [3.7]], np.float32)
        value, found = gradients(loss, rows, classes)
        assert np.isfinite(value)
        assert all(np.isfinite(gradient).all() for gradient in found)


def test_cosines_are_not_above_1() -> None:
    rows = np.random.default_rng(0).uniform(-1, 1, (200, 512)).astype(np.float32)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert np.max(units @ units.T) > 1  # what rounding makes of them
    assert np.abs(margin_logits(rows, rows, np.arange(200), margin=0.0, scale=1.0)).max() <= 1


def adaface(mean: float, deviation: float, m: float = 0.4, h: float = 0.333, s: float = 64.0) -> np.ndarray:
    """Equations 9 to 11 of Kim et al. 2022, a sample at a time."""
    expected = cosines(EMBEDDINGS, CLASS_WEIGHTS)
    for row, label in enumerate(LABELS):
        quality = (np.linalg.norm(EMBEDDINGS[row].astype(np.float64)) - mean) / (deviation + 1e-3) * h
        quality = min(max(quality, -1.0), 1.0)
        angle = np.arccos(expected[row, label]) - m * quality
        expected[row, label] = np.cos(min(max(angle, 1e-3), np.pi - 1e-3)) - (m + m * quality)
    return s * expected


# In the middle of the lengths, far above them and far below: then the quality is clipped at -1 or 1.
@pytest.mark.parametrize(("mean", "deviation"), [(6.0, 2.0), (20.0, 1.0), (0.5, 0.01)])
def test_adaptive_margin_by_hand(mean: float, deviation: float) -> None:
    logits = adaptive_margin_logits(EMBEDDINGS, CLASS_WEIGHTS, LABELS, norm_mean=mean, norm_deviation=deviation)
    np.testing.assert_allclose(logits, adaface(mean, deviation), atol=1e-3)
    other = adaptive_margin_logits(
        EMBEDDINGS,
        CLASS_WEIGHTS,
        LABELS,
        norm_mean=mean,
        norm_deviation=deviation,
        margin=0.2,
        concentration=0.5,
        scale=10.0,
    )
    np.testing.assert_allclose(other, adaface(mean, deviation, 0.2, 0.5, 10.0), atol=1e-3)


def test_adaptive_margin_goes_from_arcface_through_cosface_to_both() -> None:
    # Kim et al., section 3.3: quality -1 is ArcFace, 0 is CosFace, 1 is a negative angular margin less 2 m.
    row, class_row = np.array([[3.0, 4.0]]), np.array([[1.0, 0.0]])
    angle = np.arccos(0.6)
    for mean, expected in ((1e6, np.cos(angle + 0.4)), (5.0, 0.6 - 0.4), (-1e6, np.cos(angle - 0.4) - 0.8)):
        logits = adaptive_margin_logits(row, class_row, [0], norm_mean=mean, norm_deviation=1.0, scale=1.0)
        assert float(logits[0, 0]) == pytest.approx(expected, abs=1e-5)


def test_norm_statistics_move_by_a_hundredth() -> None:
    norms = np.linalg.norm(EMBEDDINGS.astype(np.float64), axis=1)
    mean, deviation = updated_norm_statistics(EMBEDDINGS, 20.0, 100.0)
    assert float(mean) == pytest.approx(0.01 * norms.mean() + 0.99 * 20, rel=1e-6)
    assert float(deviation) == pytest.approx(0.01 * norms.std(ddof=1) + 0.99 * 100, rel=1e-6)
    for _ in range(200):
        mean, deviation = updated_norm_statistics(EMBEDDINGS, mean, deviation, momentum=0.1)
    assert float(mean) == pytest.approx(norms.mean(), rel=1e-4)
    assert float(deviation) == pytest.approx(norms.std(ddof=1), rel=1e-3)
    first = updated_norm_statistics(EMBEDDINGS, 0.0, 0.0)
    np.testing.assert_allclose(first, (norms.mean(), norms.std(ddof=1)), rtol=1e-6)
    one = updated_norm_statistics(EMBEDDINGS[:1], 20.0, 100.0)
    assert np.isfinite(one).all()
    # Lengths beyond 100 count as 100.
    assert float(updated_norm_statistics(EMBEDDINGS * 1000, 0.0, 0.0, momentum=1.0)[0]) == 100


def test_no_gradient_flows_through_the_norms() -> None:
    def loss(rows: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
        mean, deviation = updated_norm_statistics(rows, 6.0, 2.0)
        return tf.reduce_mean(
            cross_entropies(
                adaptive_margin_logits(rows, classes, LABELS, norm_mean=mean, norm_deviation=deviation), LABELS
            )
        )

    _, (gradient, class_gradient) = gradients(loss, EMBEDDINGS, CLASS_WEIGHTS)
    assert np.abs(class_gradient).max() > 0
    # What is left goes through directions, so it is at right angles to the embedding.
    along = np.sum(gradient * EMBEDDINGS, axis=1)
    np.testing.assert_allclose(along, 0, atol=1e-4 * np.abs(gradient * EMBEDDINGS).max())
    assert np.abs(gradient).max() > 0.01
