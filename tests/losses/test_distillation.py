"""Distillation losses against NumPy, and that the teacher stays as it is."""

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from lrfr_tf.losses.distillation import cosine_distillation, prototype_softmax

RANDOM = np.random.default_rng(0)
STUDENT = RANDOM.normal(0, 2, (6, 5)).astype(np.float32)
TEACHER = RANDOM.normal(0, 1, (6, 5)).astype(np.float32)
LABELS = np.array([0, 2, 1, 1, 3, 2])


def units(rows: np.ndarray) -> np.ndarray:
    return rows.astype(np.float64) / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)


def test_cosine_distillation_by_hand() -> None:
    expected = 1 - np.mean([one @ other for one, other in zip(units(STUDENT), units(TEACHER), strict=True)])
    assert float(cosine_distillation(STUDENT, TEACHER)) == pytest.approx(expected, abs=1e-6)
    assert expected == pytest.approx(np.mean(np.sum((units(STUDENT) - units(TEACHER)) ** 2, axis=1)) / 2)
    assert float(cosine_distillation(STUDENT, 3 * STUDENT)) == pytest.approx(0, abs=1e-6)
    assert float(cosine_distillation(STUDENT, -STUDENT)) == pytest.approx(2, abs=1e-6)


@pytest.mark.parametrize("margin", [0.0, 0.25])
def test_prototype_softmax_by_hand(margin: float) -> None:
    prototypes = units(TEACHER[:4])
    logits = 20 * (units(STUDENT) @ prototypes.T - margin * np.eye(4)[LABELS])
    expected = -scipy.special.log_softmax(logits, axis=1)[np.arange(6), LABELS].mean()
    loss = prototype_softmax(STUDENT, prototypes, LABELS, scale=20.0, margin=margin)
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    if margin:
        assert float(loss) > float(prototype_softmax(STUDENT, prototypes, LABELS, scale=20.0)) + 0.1


def test_only_the_student_moves() -> None:
    student, teacher = tf.constant(STUDENT), tf.constant(TEACHER)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([student, teacher])
        losses = [cosine_distillation(student, teacher), prototype_softmax(student, teacher, LABELS)]
    for loss in losses:
        gradient, of_teacher = tape.gradient(loss, [student, teacher])
        assert of_teacher is None
        # Lengths mean nothing, so the gradient is at right angles to the embedding.
        np.testing.assert_allclose(np.sum(gradient * STUDENT, axis=1), 0, atol=1e-6)
        assert np.abs(gradient).max() > 1e-3


def test_gradients_are_finite_where_student_and_teacher_agree_or_are_zero() -> None:
    rows = np.concatenate([STUDENT[:4], np.zeros((2, 5), np.float32)])
    student = tf.constant(rows)
    for other in (rows, -rows, TEACHER):
        with tf.GradientTape() as tape:
            tape.watch(student)
            loss = cosine_distillation(student, other) + prototype_softmax(student, other[:4], LABELS)
        assert np.isfinite(loss)
        assert np.isfinite(tape.gradient(loss, student)).all()
