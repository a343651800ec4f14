"""Triplet and contrastive losses: triple loops in NumPy, and tensorflow-addons' own values and gradients."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.losses.triplet import DISTANCES, batch_hard_triplet, contrastive, semi_hard_triplet

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "addons.json").read_text())

RANDOM = np.random.default_rng(0)
EMBEDDINGS = RANDOM.normal(size=(16, 6)).astype(np.float32)
# Four persons with four images each, as a training batch is laid out: all of one size, then all of the next.
IDENTITIES = np.tile([7, 2, 9, 4], 4)


def batch_hard_by_hand(embeddings: np.ndarray, identities: np.ndarray, margin: float) -> float:
    units = embeddings.astype(np.float64) / np.linalg.norm(embeddings.astype(np.float64), axis=1, keepdims=True)
    total = 0.0
    for anchor in range(len(units)):
        positives = [
            1 - units[anchor] @ units[other]
            for other in range(len(units))
            if other != anchor and identities[other] == identities[anchor]
        ]
        negatives = [
            1 - units[anchor] @ units[other] for other in range(len(units)) if identities[other] != identities[anchor]
        ]
        if positives and negatives:
            total += max(0.0, margin + max(positives) - min(negatives))
    return total / len(units)


def value_and_gradient(loss: Any, inputs: Any) -> tuple[tf.Tensor, np.ndarray]:
    inputs = tf.constant(inputs, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = loss(inputs)
    return value, tape.gradient(value, inputs).numpy()


@pytest.mark.parametrize("margin", [0.1, 1.0])
def test_batch_hard_by_hand(margin: float) -> None:
    expected = batch_hard_by_hand(EMBEDDINGS, IDENTITIES, margin)
    assert float(batch_hard_triplet(EMBEDDINGS, IDENTITIES, margin)) == pytest.approx(expected, abs=1e-6)
    assert float(batch_hard_triplet(EMBEDDINGS * 9, IDENTITIES, margin)) == pytest.approx(expected, abs=1e-6)


def test_batch_hard_counts_the_zeros() -> None:
    # Two persons far apart and one image between them: only some anchors have anything left to learn.
    rows = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [1, 1.2]], np.float32)
    identities = np.array([0, 0, 1, 1, 1])
    hinges = batch_hard_by_hand(rows, identities, 0.2)
    assert 0 < hinges < 0.2
    assert float(batch_hard_triplet(rows, identities, 0.2)) == pytest.approx(hinges, abs=1e-6)
    assert float(batch_hard_triplet(rows[:4], identities[:4], 0.2)) == 0.0


@pytest.mark.parametrize("loss", [batch_hard_triplet, semi_hard_triplet])
def test_the_order_of_the_rows_and_the_names_of_the_persons_mean_nothing(loss: Any) -> None:
    expected = float(loss(EMBEDDINGS, IDENTITIES))
    order = np.random.default_rng(1).permutation(16)
    assert float(loss(EMBEDDINGS[order], IDENTITIES[order])) == pytest.approx(expected, abs=1e-6)
    assert float(loss(EMBEDDINGS, 100 - 3 * IDENTITIES)) == pytest.approx(expected, abs=1e-6)
    # The same person twice in a batch: the labels decide.
    merged = np.where(IDENTITIES == 9, 7, IDENTITIES)
    assert float(loss(EMBEDDINGS, merged)) != pytest.approx(expected, abs=1e-3)
    if loss is batch_hard_triplet:
        assert float(loss(EMBEDDINGS, merged)) == pytest.approx(batch_hard_by_hand(EMBEDDINGS, merged, 1.0), abs=1e-6)


@pytest.mark.parametrize("loss", [batch_hard_triplet, semi_hard_triplet])
def test_one_graph_takes_batches_of_any_size(loss: Any) -> None:
    signature = [tf.TensorSpec([None, 6]), tf.TensorSpec([None], tf.int64)]
    traced = tf.function(loss, input_signature=signature)
    for rows in (8, 16):
        expected = float(loss(EMBEDDINGS[:rows], IDENTITIES[:rows]))
        assert float(traced(EMBEDDINGS[:rows], IDENTITIES[:rows])) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("loss", [batch_hard_triplet, semi_hard_triplet])
def test_batches_without_positives_or_without_negatives_are_0(loss: Any) -> None:
    for identities in (np.arange(16), np.zeros(16, int)):
        value, gradient = value_and_gradient(lambda x, identities=identities: loss(x, identities), EMBEDDINGS)
        assert float(value) == 0.0
        assert np.abs(gradient).max() == 0


@pytest.mark.parametrize("distance", ["cosine", *DISTANCES])
def test_equal_embeddings_have_finite_gradients(distance: str) -> None:
    for rows in (np.ones((16, 512)), np.zeros((16, 512)), RANDOM.normal(size=(4, 512)).repeat(4, axis=0)):
        if distance == "cosine":
            value, gradient = value_and_gradient(lambda x: batch_hard_triplet(x, IDENTITIES), rows)
        else:
            value, gradient = value_and_gradient(lambda x: semi_hard_triplet(x, IDENTITIES, 1.0, distance), rows)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()


def test_batch_hard_on_collapsed_embeddings_is_the_margin() -> None:
    assert float(batch_hard_triplet(np.ones((16, 6)), IDENTITIES, 1.0)) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("case", [case for case in GOLDEN["cases"] if case["loss"] == "semi_hard_triplet"])
def test_semi_hard_equals_tensorflow_addons(case: dict[str, Any]) -> None:
    value, gradient = value_and_gradient(
        lambda x: semi_hard_triplet(x, GOLDEN["identities"], case["margin"], case["distance"]), GOLDEN["embeddings"]
    )
    assert case["value"] > 0.1
    assert float(value) == pytest.approx(case["value"], abs=1e-5)
    np.testing.assert_allclose(gradient, case["gradient"], atol=1e-5)


@pytest.mark.parametrize("case", [case for case in GOLDEN["cases"] if case["loss"] == "contrastive"])
def test_contrastive_equals_tensorflow_addons(case: dict[str, Any]) -> None:
    value, gradient = value_and_gradient(lambda d: contrastive(d, GOLDEN["same"], case["margin"]), GOLDEN["distances"])
    assert float(value) == pytest.approx(case["value"], abs=1e-5)
    np.testing.assert_allclose(gradient, case["gradient"], atol=1e-5)


def test_an_unknown_distance_is_refused() -> None:
    with pytest.raises(ValueError, match="L2, squared-L2, angular, not 'l2'"):
        semi_hard_triplet(EMBEDDINGS, IDENTITIES, distance="l2")


def test_following_the_gradient_pulls_persons_apart() -> None:
    same = IDENTITIES[:, None] == IDENTITIES[None, :]

    def gap(rows: np.ndarray) -> float:
        units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return float((units @ units.T)[same].min() - (units @ units.T)[~same].max())

    rows = EMBEDDINGS
    for _ in range(150):
        _, gradient = value_and_gradient(lambda x: batch_hard_triplet(x, IDENTITIES, 0.5), rows)
        rows = rows - 2.0 * gradient
    assert gap(EMBEDDINGS) < -1
    assert gap(rows) > 0.05
