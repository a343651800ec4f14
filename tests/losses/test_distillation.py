"""The distillation loss against NumPy, and that the teacher stays as it is."""

import numpy as np
import tensorflow as tf
from scipy.special import softmax

from lrfr_tf.losses.distillation import cosine_distillations, person_cross_entropies

RANDOM = np.random.default_rng(0)
STUDENT = RANDOM.normal(0, 2, (6, 5)).astype(np.float32)
TEACHER = RANDOM.normal(0, 1, (6, 5)).astype(np.float32)


def units(rows: np.ndarray) -> np.ndarray:
    return rows.astype(np.float64) / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)


def test_cosine_distillation_by_hand() -> None:
    expected = np.array([1 - one @ other for one, other in zip(units(STUDENT), units(TEACHER), strict=True)])
    np.testing.assert_allclose(cosine_distillations(STUDENT, TEACHER), expected, atol=1e-6)
    np.testing.assert_allclose(expected, np.sum((units(STUDENT) - units(TEACHER)) ** 2, axis=1) / 2)
    np.testing.assert_allclose(cosine_distillations(STUDENT, 3 * STUDENT), np.zeros(6), atol=1e-6)
    np.testing.assert_allclose(cosine_distillations(STUDENT, -STUDENT), np.full(6, 2.0), atol=1e-6)


def test_only_the_student_moves() -> None:
    student, teacher = tf.constant(STUDENT), tf.constant(TEACHER)
    with tf.GradientTape() as tape:
        tape.watch([student, teacher])
        losses = cosine_distillations(student, teacher)
    gradient, of_teacher = tape.gradient(losses, [student, teacher])
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
            losses = cosine_distillations(student, other)
        assert np.isfinite(losses).all()
        assert np.isfinite(tape.gradient(losses, student)).all()


def test_the_cross_entropy_of_persons_by_hand() -> None:
    random = np.random.default_rng(4)
    student, persons = random.normal(size=(5, 6)), random.normal(size=(3, 6))
    identities = np.array([0, 2, 1, 1, 0], np.int32)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (student, persons)]
    expected = -np.log(softmax(7.0 * unit[0] @ unit[1].T, axis=1)[np.arange(5), identities])
    got = person_cross_entropies(
        tf.constant(student, tf.float32), tf.constant(persons, tf.float32), identities, scale=7.0
    )
    np.testing.assert_allclose(got, expected, rtol=1e-4)
