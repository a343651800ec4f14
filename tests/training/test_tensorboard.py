"""What the monitor writes beside the figures that the tests of the scripts look at."""

from pathlib import Path

import keras
import numpy as np
import pytest

from lrfr_tf.evaluation.image_quality import psnr
from lrfr_tf.files import read_json
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import resize
from lrfr_tf.models.srcnn import srcnn
from lrfr_tf.training.identity_metric import identity_embedder
from lrfr_tf.training.outcome import Outcome
from lrfr_tf.training.super_resolution_examiner import SuperResolutionExaminer
from lrfr_tf.training.tensorboard import Monitor
from tests.tools.small_runs import read_events


@pytest.fixture(scope="module")
def faces(portrait: np.ndarray) -> np.ndarray:
    """Three different parts of the portrait, uint8 [3, 64, 64, 3]."""
    return np.stack([portrait[top : top + 64, 190:254] for top in (20, 60, 100)])


def mean_color(images: np.ndarray) -> np.ndarray:
    """In the place of FaceNet: the direction of the mean color."""
    colors = images.astype(np.float64).mean(axis=(1, 2))
    return colors / np.linalg.norm(colors, axis=1, keepdims=True)


def test_identity_similarity_is_the_mean_cosine_and_chooses_the_best(faces: np.ndarray, tmp_path: Path) -> None:
    low = degrade(faces, 16)
    # Each network in turn: grey, bicubic, and only the first face right.
    outputs = [np.full_like(faces, 128), resize(low, 64, 64), np.stack([faces[0], *np.zeros_like(faces[1:]) + 9])]
    network = srcnn()
    outcome = Outcome(network, None, "identity_similarity")
    examiner = SuperResolutionExaminer(low, faces, lambda _: outputs.pop(0), embed=mean_color)
    monitor = Monitor(tmp_path, "x", keras.optimizers.Adam(), examiner, outcome=outcome)
    expected = []
    for step, output in enumerate(list(outputs), 1):
        network.layers[-2].set_weights([np.full(w.shape, step) for w in network.layers[-2].get_weights()])
        monitor.evaluate(step)
        expected.append(np.mean([one @ other for one, other in zip(*map(mean_color, (output, faces)), strict=True)]))
    written = [entry["identity_similarity"] for entry in read_json(tmp_path / "validation.json")]
    assert written == pytest.approx(expected)
    events = read_events(tmp_path / "tensorboard")["validation/identity_similarity"]
    assert [float(events[step]) for step in (1, 2, 3)] == pytest.approx(expected)
    assert np.argmax(expected) == 1
    assert float(outcome.stored.layers[-2].get_weights()[1][0]) == 2.0


def test_each_camera_has_a_gain_of_its_own(faces: np.ndarray, tmp_path: Path) -> None:
    low = degrade(faces, 16)
    darker = (low // 2, faces // 2)

    def right_if_dark(small: np.ndarray) -> np.ndarray:
        return faces // 2 + 1 if small.max() < 128 else resize(small, 64, 64)

    examiner = SuperResolutionExaminer(low, faces, right_if_dark, photos={"moderate": darker})
    monitor = Monitor(tmp_path, "x", keras.optimizers.Adam(), examiner)
    assert monitor.summary() == ""
    monitor.evaluate(1)
    assert monitor.summary().startswith("x after 1 step: validation PSNR ")
    (figures,) = read_json(tmp_path / "validation.json")
    assert figures["psnr_gain"] == 0
    by_hand = 10 * np.log10(255**2) - psnr(resize(darker[0], 64, 64), darker[1]).mean()
    assert figures["psnr_gain_moderate"] == pytest.approx(by_hand)


def test_values_that_are_no_losses_have_names_of_their_own(faces: np.ndarray, tmp_path: Path) -> None:
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.25))
    optimizer.build([keras.Variable(0.0)])
    examiner = SuperResolutionExaminer(degrade(faces, 16), faces, lambda low: resize(low, 64, 64))
    monitor = Monitor(tmp_path, "x", optimizer, examiner)
    monitor.report(7, {"pixel": 0.5, "gradient_norm": 2.0, "images_per_second": 9.0})
    events = read_events(tmp_path / "tensorboard")
    assert {name: float(values[7]) for name, values in events.items()} == {
        "loss/pixel": 0.5, "gradient_norm": 2.0, "images_per_second": 9.0, "loss_scale": 2.0**15, "learning_rate": 0.25,
    }  # fmt: skip


@pytest.mark.facenet
def test_facenet_measures_in_float32_whatever_the_precision(faces: np.ndarray, facenet_weights: Path) -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        embed = identity_embedder(str(facenet_weights))
        assert embed is not None
        embeddings = embed(np.concatenate([faces, faces]))
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    assert embeddings.shape == (6, 128)
    assert np.linalg.norm(embeddings, axis=1) == pytest.approx(np.ones(6), abs=1e-5)
    assert np.array_equal(embeddings[:3], embeddings[3:])
