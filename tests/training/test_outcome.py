"""The average and the best of a network's weights, and both after a resume."""

from pathlib import Path

import keras
import numpy as np
import pytest

from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.outcome import AveragedNetwork, Outcome


def network() -> keras.Model:
    inputs = keras.Input((2,))
    return keras.Model(inputs, keras.layers.BatchNormalization()(keras.layers.Dense(3)(inputs)))


def fill(model: keras.Model, value: float) -> None:
    model.set_weights([np.full(weight.shape, value) for weight in model.get_weights()])


def values(model: keras.Model) -> set[float]:
    return {float(value) for weight in model.get_weights() for value in np.ravel(weight)}


def test_without_either_the_network_itself_is_evaluated_and_stored() -> None:
    model = network()
    outcome = Outcome(model, None, "none")
    assert outcome.evaluated is model
    assert outcome.stored is model
    outcome.update({"psnr": 1.0})


def test_the_best_by_a_figure_is_stored_also_after_a_resume(tmp_path: Path) -> None:
    for psnr, ssim in ((20.0, 0.9), (22.0, 0.5), (21.0, 0.95)):
        # As if the run were stopped and begun again after every evaluation.
        model = network()
        outcome, by_ssim = Outcome(model, None, "psnr"), Outcome(model, None, "ssim")
        store = CheckpointStore(tmp_path, {"network": model, "best": outcome.best, "other": by_ssim.best})
        step = store.restore()
        fill(model, psnr)
        for one in (outcome, by_ssim):
            one.update({"psnr": psnr, "ssim": ssim})
        store.save(step + 1)
    assert values(model) == {21.0}
    assert values(outcome.stored) == {22.0}
    assert values(by_ssim.stored) == {21.0}
    # What is stored no longer follows the network.
    fill(model, 5.0)
    assert values(outcome.stored) == {22.0}


def test_an_average_is_what_is_evaluated_and_the_best_is_the_best_average() -> None:
    model = network()
    fill(model, 0.0)
    average = AveragedNetwork(model, 0.5)
    outcome = Outcome(model, average, "psnr")
    assert outcome.evaluated is average.network
    fill(model, 8.0)
    # Decays of 2/11 and 3/12 at first.
    expected = 0.0
    for decay in (2 / 11, 3 / 12):
        average.update()
        expected = decay * expected + (1 - decay) * 8.0
        assert list(values(outcome.evaluated)) == pytest.approx([expected], rel=1e-6)
    outcome.update({"psnr": 1.0})
    fill(model, 100.0)
    average.update()
    outcome.update({"psnr": 0.5})
    assert list(values(outcome.stored)) == pytest.approx([expected], rel=1e-6)
