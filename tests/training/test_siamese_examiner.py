"""What a Siamese run measures: figures against scikit-learn, in TensorBoard and in the run folder."""

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from lrfr_tf.files import read_json
from lrfr_tf.training.outcome import Outcome
from lrfr_tf.training.siamese_examiner import SIZES, SiameseExaminer
from lrfr_tf.training.tensorboard import Monitor
from tests.faces_by_code import person
from tests.tools.small_runs import read_events

IDENTITIES = np.repeat(np.arange(3), 4)


@pytest.fixture(scope="module")
def faces(portrait: np.ndarray) -> np.ndarray:
    return np.stack([person(portrait, identity, photo, 128) for photo, identity in enumerate(IDENTITIES)])


def network() -> keras.Model:
    """Random features of an 8 x 8 picture: neither perfect nor blind."""
    keras.utils.set_random_seed(1)
    images = keras.Input((128, 128, 3))
    x = keras.layers.AveragePooling2D(16)(keras.layers.Rescaling(1 / 255, offset=-0.5)(images))
    return keras.Model(images, keras.layers.Dense(8)(keras.layers.Flatten()(x)))


def shrunk(face: np.ndarray, size: int) -> np.ndarray:
    small = Image.fromarray(face).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(small.resize((128, 128), Image.Resampling.BICUBIC))


def auc_by_hand(faces: np.ndarray, model: keras.Model, size: int) -> float:
    """All pairs of a sharp photo and another one at this size."""

    def embed(images: np.ndarray) -> np.ndarray:
        rows = np.asarray(model(images.astype(np.float32)))
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    sharp, small = embed(faces), embed(np.stack([shrunk(face, size) for face in faces]))
    pairs = [(i, j) for i in range(len(faces)) for j in range(len(faces)) if i != j]
    same = [IDENTITIES[i] == IDENTITIES[j] for i, j in pairs]
    return float(roc_auc_score(same, [sharp[i] @ small[j] for i, j in pairs]))


def test_figures_histograms_and_benchmarks(faces: np.ndarray, tmp_path: Path) -> None:
    model = network()
    outcome = Outcome(model, None, "mean_auc")
    optimizer = keras.optimizers.SGD(0.25)
    measured = {"lfw/8 px": 77.0, "scface/distance 1, rank-1": 12.5}
    examiner = SiameseExaminer(faces, IDENTITIES, outcome.evaluated, lambda: measured)
    monitor = Monitor(tmp_path, "siamese", optimizer, examiner, outcome=outcome)
    monitor.report(10, {"triplet": 0.5, "classification_8": 4.0, "gradient_norm": 2.0, "images_per_second": 3.0})
    monitor.evaluate(10)
    expected = {f"auc_{size}": auc_by_hand(faces, model, size) for size in SIZES}
    assert 0.5 < min(expected.values()) < max(expected.values())
    (entry,) = read_json(tmp_path / "validation.json")
    assert (entry["network"], entry["step"]) == ("siamese", 10)
    for name, value in expected.items():
        assert entry[name] == pytest.approx(value, abs=1e-6)
    assert entry["mean_auc"] == pytest.approx(np.mean(list(expected.values())))
    assert {name: entry[name] for name in measured} == measured

    events = read_events(tmp_path / "tensorboard")
    shown = {name: float(values[10]) for name, values in events.items() if values[10].ndim == 0}
    assert shown["loss/triplet"] == 0.5
    assert shown["loss/classification_8"] == 4.0
    assert (shown["gradient_norm"], shown["images_per_second"], shown["learning_rate"]) == (2.0, 3.0, 0.25)
    assert shown["validation/auc_8"] == pytest.approx(entry["auc_8"])
    assert shown["benchmark/lfw/8 px"] == 77.0
    for size in SIZES:
        buckets = {kind: events[f"similarity_{size}/{kind}"][10] for kind in ("matched", "mismatched")}
        assert buckets["matched"][:, 2].sum() == 3 * 4 * 3
        assert buckets["mismatched"][:, 2].sum() == 12 * 8


def test_the_best_weights_are_kept_and_a_resumed_run_goes_on_with_its_history(
    faces: np.ndarray, tmp_path: Path
) -> None:
    model = network()
    good = model.get_weights()
    outcome = Outcome(model, None, "mean_auc")
    examiner = SiameseExaminer(faces, IDENTITIES, model)
    monitor = Monitor(tmp_path, "siamese", keras.optimizers.SGD(0.1), examiner, outcome=outcome)
    monitor.evaluate(5)
    model.set_weights([np.zeros_like(weight) + 0.01 for weight in good])  # every face looks alike
    monitor.evaluate(10)
    assert all(np.array_equal(a, b) for a, b in zip(outcome.stored.get_weights(), good, strict=True))
    assert [entry["step"] for entry in read_json(tmp_path / "validation.json")] == [5, 10]
    again = Monitor(tmp_path, "siamese", keras.optimizers.SGD(0.1), examiner, outcome=outcome)
    assert again.summary().startswith("siamese after 10 steps: 12 faces of 3 persons, sharp against each size: auc_8 ")
    model.set_weights(good)
    again.evaluate(8)
    history = read_json(tmp_path / "validation.json")
    assert [entry["step"] for entry in history] == [5, 8]
    assert history[0]["mean_auc"] == history[1]["mean_auc"]
