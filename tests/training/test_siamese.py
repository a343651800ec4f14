"""The Siamese loss and step against NumPy by hand."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.losses.margin import HEADS
from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.outcome import AveragedNetwork
from lrfr_tf.training.siamese import ClassificationHead, SiameseLoss, means_by_size, siamese_step

VIEWS = (128, 8, 12)
IDENTITIES, CLASSES, DIMENSIONS = 4, 7, 5
LABELS = np.repeat([2, 0, 6, 3], len(VIEWS))
ROWS = len(LABELS)
FEATURES = np.random.default_rng(0).normal(size=(ROWS, DIMENSIONS)).astype(np.float32) * 3


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def entropies(logits: np.ndarray) -> np.ndarray:
    """-log softmax of the true class, in float64."""
    logits = logits.astype(np.float64)
    return np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(ROWS), LABELS]


def triplet(features: np.ndarray, margin: float) -> float:
    distances = 1 - unit(features) @ unit(features).T
    hinges = []
    for anchor in range(ROWS):
        own = [distances[anchor, i] for i in range(ROWS) if LABELS[i] == LABELS[anchor] and i != anchor]
        others = [distances[anchor, i] for i in range(ROWS) if LABELS[i] != LABELS[anchor]]
        hinges.append(max(0.0, margin + max(own) - min(others)))
    return float(np.mean(hinges))


def by_hand(name: str, each: np.ndarray) -> dict[str, float]:
    return {f"{name}_{size}": float(each[view :: len(VIEWS)].mean()) for view, size in enumerate(VIEWS)}


@pytest.mark.parametrize("kind", HEADS)
def test_all_losses_by_hand(kind: str) -> None:
    head = ClassificationHead(CLASSES, DIMENSIONS, kind=kind, margin=0.2, scale=10.0)
    rows = np.asarray(head.rows)
    total, losses = SiameseLoss(0.5, 2.0, 0.3)(tf.constant(FEATURES), tf.constant(LABELS), head, VIEWS)
    logits = FEATURES @ rows.T
    if kind == "amsoftmax":
        logits = 10 * (unit(FEATURES) @ unit(rows).T - 0.2 * np.eye(CLASSES)[LABELS])
    each = entropies(logits)
    expected = {
        "classification": each.mean(),
        **by_hand("classification", each),
        "triplet": triplet(FEATURES, 0.3),
    }
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        assert float(losses[name]) == pytest.approx(value, rel=1e-4), name
    assert float(total) == pytest.approx(0.5 * each.mean() + 2 * expected["triplet"], rel=1e-4)


def test_a_weight_of_nothing_leaves_a_loss_out() -> None:
    features, labels = tf.constant(FEATURES), tf.constant(LABELS)
    assert SiameseLoss(1, 0)(features, labels, None, VIEWS)[1] == {}
    assert SiameseLoss(0, 1)(features, labels, None, VIEWS)[1].keys() == {"triplet"}
    total, losses = SiameseLoss(1, 0)(features, labels, ClassificationHead(CLASSES, DIMENSIONS), VIEWS)
    assert losses.keys() == {"classification", *(f"classification_{size}" for size in VIEWS)}
    assert float(total) == float(losses["classification"])


def test_views_of_one_size_count_together() -> None:
    named = means_by_size("loss", tf.constant([1.0, 2.0, 3.0, 5.0, 6.0, 8.0]), (8, 16, 8))
    assert {name: float(value) for name, value in named.items()} == {"loss_8": 4.25, "loss_16": 4.0}


def test_the_head_is_stored_with_its_rows(tmp_path: Path) -> None:
    head = ClassificationHead(CLASSES, DIMENSIONS)
    assert [variable.name for variable in head.variables] == ["class_rows"]
    CheckpointStore(tmp_path, {"head": head}).save(1)
    other = ClassificationHead(CLASSES, DIMENSIONS)
    CheckpointStore(tmp_path, {"head": other}).restore()
    np.testing.assert_array_equal(other.rows.numpy(), head.rows.numpy())


def test_the_quality_head_keeps_its_statistics(tmp_path: Path) -> None:
    head = ClassificationHead(CLASSES, DIMENSIONS, kind="adaface", margin=0.4, scale=5.0)
    norms = np.linalg.norm(FEATURES, axis=1)
    mean, deviation = 0.0, 0.0
    for share, longer in ((1, 1.0), (0.01, 3.0), (0.01, 1.0)):
        each = np.asarray(head(longer * FEATURES, LABELS))
        mean = share * longer * norms.mean() + (1 - share) * mean
        deviation = share * longer * norms.std(ddof=1) + (1 - share) * deviation
        assert float(head.norm_mean.numpy()) == pytest.approx(mean, rel=1e-5)
        assert float(head.norm_deviation.numpy()) == pytest.approx(deviation, rel=1e-5)
    quality = np.clip(0.333 * (norms - mean) / (deviation + 1e-3), -1, 1)
    cosines = unit(FEATURES) @ unit(np.asarray(head.rows)).T
    logits = cosines.copy()
    own = np.arange(ROWS), LABELS
    logits[own] = np.cos(np.arccos(cosines[own]) - 0.4 * quality) - 0.4 * (1 + quality)
    np.testing.assert_allclose(each, entropies(5 * logits), rtol=1e-4)
    # What a checkpoint must hold, and what the optimizer must not move.
    assert [variable.name for variable in head.variables] == ["class_rows", "norm_mean", "norm_deviation"]
    assert [variable.name for variable in head.trainable_variables] == ["class_rows"]
    CheckpointStore(tmp_path, {"head": head}).save(1)
    other = ClassificationHead(CLASSES, DIMENSIONS, kind="adaface")
    CheckpointStore(tmp_path, {"head": other}).restore()
    for variable, expected in zip(other.variables, head.variables, strict=True):
        np.testing.assert_array_equal(variable.numpy(), expected.numpy())


class Job:
    """A linear network of 2 x 2 images with a head, and a batch for it."""

    def __init__(self) -> None:
        keras.utils.set_random_seed(0)
        images = keras.Input((2, 2, 3))
        features = keras.layers.Dense(DIMENSIONS)(keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(images)))
        self.network = keras.Model(images, features)
        self.head = ClassificationHead(CLASSES, DIMENSIONS)
        faces = np.random.default_rng(2).integers(0, 256, (ROWS, 2, 2, 3), dtype=np.uint8)
        self.batch = {"labels": tf.constant(LABELS), "faces": tf.constant(faces)}

    @property
    def weights(self) -> list[np.ndarray]:
        return [*self.network.get_weights(), np.asarray(self.head.rows)]

    def take_step(
        self, weight_decay: float, average: AveragedNetwork | None = None, **weights: float
    ) -> dict[str, Any]:
        optimizer = keras.optimizers.SGD(0.5)
        loss = SiameseLoss(**weights, weight_decay=weight_decay)
        step = siamese_step(self.network, self.head, optimizer, loss, views=VIEWS, average=average)
        return {name: float(value) for name, value in tf.function(step)(self.batch).items()}


def test_weight_decay_pulls_every_weight_by_its_share() -> None:
    plain, decayed = Job(), Job()
    before = plain.weights
    losses = plain.take_step(0.0)
    with_decay = decayed.take_step(0.02)
    for begun, without, after in zip(before, plain.weights, decayed.weights, strict=True):
        assert np.abs(without - begun).max() > 1e-4
        np.testing.assert_allclose(after - without, -0.5 * 0.02 * begun, atol=1e-6)
    # The decay is no loss that is shown, but it is part of the gradient.
    assert with_decay.pop("gradient_norm") != losses.pop("gradient_norm")
    assert with_decay == losses
    assert list(losses)[0] == "total"


def test_the_gradient_norm_is_that_of_network_and_head() -> None:
    job = Job()
    before = job.weights
    norm = job.take_step(0.0)["gradient_norm"]
    moved = sum(float(np.square(a - b).sum()) for a, b in zip(job.weights, before, strict=True))
    assert norm == pytest.approx(np.sqrt(moved) / 0.5, rel=1e-4)


def test_steps_lower_the_loss_and_the_average_follows() -> None:
    job = Job()
    average = AveragedNetwork(job.network, 0.5)
    losses = [job.take_step(0.0, average, triplet_weight=0.1)["total"] for _ in range(25)]
    assert losses[-1] < 0.7 * losses[0]
    for mean, last in zip(average.network.get_weights(), job.network.get_weights(), strict=True):
        assert 0 < np.abs(mean - last).max() < 0.2
