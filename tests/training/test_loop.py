"""The loop: exact resuming, intervals, and stopping on bad numbers."""

import os
import signal
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.data.graph import face_batches
from lrfr_tf.errors import UserError
from lrfr_tf.losses.adversarial import binary_cross_entropy_discriminator, binary_cross_entropy_generator
from lrfr_tf.losses.pixel import mean_squared_error
from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.loop import Schedule, train
from lrfr_tf.training.super_resolution import GeneratorLoss, adversarial_step, pixel_step


class Diary:
    """Remembers what the loop told it."""

    def __init__(self) -> None:
        self.reports: dict[int, dict[str, float]] = {}
        self.evaluations: list[int] = []

    def report(self, step: int, values: dict[str, float]) -> None:
        self.reports[step] = values

    def evaluate(self, step: int) -> None:
        self.evaluations.append(step)


def tiny_generator() -> keras.Model:
    images = keras.Input((4, 4, 3))
    x = keras.layers.Rescaling(1 / 255)(images)
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.UpSampling2D(4)(x)
    x = keras.layers.Conv2D(3, 3, padding="same")(x)
    return keras.Model(images, keras.layers.Rescaling(255.0)(x))


def tiny_discriminator() -> keras.Model:
    images = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 255)(images)
    x = keras.layers.Conv2D(4, 3, strides=4)(x)
    x = keras.layers.BatchNormalization()(x)
    return keras.Model(images, keras.layers.Dense(1)(keras.layers.Flatten()(x)))


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)


class Run:
    """A small run of one kind, in a folder, that can be opened again."""

    def __init__(self, kind: str, folder: Path, faces: np.ndarray) -> None:
        keras.utils.set_random_seed(7)
        generator, discriminator = tiny_generator(), tiny_discriminator()
        optimizers = {"first": keras.optimizers.Adam(1e-2), "second": keras.optimizers.Adam(1e-3)}
        if kind == "pixel":
            self.step = pixel_step(generator, optimizers["first"], mean_squared_error)
            parts: dict = {"generator": generator, "first": optimizers["first"]}
        else:
            loss = GeneratorLoss(
                pixel=mean_squared_error,
                pixel_weight=1.0,
                adversarial=binary_cross_entropy_generator,
                adversarial_weight=0.01,
            )
            self.step = adversarial_step(
                generator, discriminator, generator_optimizer=optimizers["first"],
                discriminator_optimizer=optimizers["second"],
                loss=loss, discriminator_loss=binary_cross_entropy_discriminator,
            )  # fmt: skip
            parts = {"generator": generator, "discriminator": discriminator, **optimizers}
        self.parts = parts
        self.store = CheckpointStore(folder, parts)
        self.diary = Diary()
        self.faces = faces

    def go(
        self, last_step: int, jit_compile: bool = False, save_every: int = 5, **schedule: Any
    ) -> dict[str, list[np.ndarray]]:
        def batches(first_step: int) -> tf.data.Dataset:
            return face_batches(self.faces, batch_size=4, seed=3, first_step=first_step, low_size=4)

        times = Schedule(last_step, log_every=4, evaluate_every=10, save_every=save_every, **schedule)
        train(
            "test",
            self.step,
            batches,
            self.store,
            first_step=self.store.restore(),
            schedule=times,
            watcher=self.diary,
            jit_compile=jit_compile,
        )
        return {name: [np.array(v) for v in part.variables] for name, part in self.parts.items()}


@pytest.mark.parametrize("kind", ["pixel", "adversarial"])
def test_a_resumed_run_ends_with_the_same_weights(kind: str, tmp_path: Path, faces: np.ndarray) -> None:
    whole = Run(kind, tmp_path / "whole", faces).go(17)
    Run(kind, tmp_path / "parts", faces).go(8)
    resumed = Run(kind, tmp_path / "parts", faces)
    parts = resumed.go(17)
    assert min(resumed.diary.reports) > 8
    for name, arrays in whole.items():
        for one, other in zip(arrays, parts[name], strict=True):
            assert np.array_equal(one, other), name


def test_a_finished_run_is_left_as_it_is(tmp_path: Path, faces: np.ndarray) -> None:
    before = Run("pixel", tmp_path, faces).go(5)
    again = Run("pixel", tmp_path, faces)
    after = again.go(5)
    assert not again.diary.reports
    assert all(np.array_equal(a, b) for name in before for a, b in zip(before[name], after[name], strict=True))


def test_losses_fall_and_intervals_are_kept(tmp_path: Path, faces: np.ndarray) -> None:
    run = Run("pixel", tmp_path, faces)
    run.go(42)
    assert sorted(run.diary.reports) == [*range(4, 42, 4), 42]
    assert run.diary.evaluations == [10, 20, 30, 40, 42]
    losses = [values["pixel"] for _, values in sorted(run.diary.reports.items())]
    assert losses[-1] < 0.7 * losses[0]
    assert all(values["images_per_second"] > 0 for values in run.diary.reports.values())


def test_the_reported_loss_is_the_mean_of_the_interval(tmp_path: Path, faces: np.ndarray) -> None:
    run = Run("pixel", tmp_path / "a", faces)
    run.go(4)
    other = Run("pixel", tmp_path / "b", faces)
    single = []
    for batch in face_batches(faces, batch_size=4, seed=3, low_size=4).take(4):
        single.append(float(other.step(batch)["pixel"]))
    assert run.diary.reports[4]["pixel"] == pytest.approx(np.mean(single), rel=1e-4)


def test_xla_gives_the_same_losses(tmp_path: Path, faces: np.ndarray) -> None:
    plain, compiled = Run("pixel", tmp_path / "a", faces), Run("pixel", tmp_path / "b", faces)
    plain.go(8)
    compiled.go(8, jit_compile=True)
    assert compiled.diary.reports[8]["pixel"] == pytest.approx(plain.diary.reports[8]["pixel"], rel=1e-3)


@pytest.mark.parametrize(("part", "name"), [("loss", "pixel"), ("gradient", "gradient_norm")])
def test_a_number_that_is_not_finite_stops_the_run_at_its_step(
    part: str, name: str, tmp_path: Path, faces: np.ndarray
) -> None:
    run = Run("pixel", tmp_path, faces)
    taken = tf.Variable(0)

    def turned_bad(images: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
        bad = tf.where(taken.assign_add(1) == 12, float("nan"), 1.0)
        # In the second case the loss is good and only its gradient is not.
        spoilt = tf.custom_gradient(lambda x: (x * (bad if part == "loss" else 1.0), lambda upstream: upstream * bad))
        return spoilt(mean_squared_error(images, high))

    run.step = pixel_step(run.parts["generator"], run.parts["first"], turned_bad)
    with pytest.raises(UserError, match=f"'{name}' became nan at step 12; the last checkpoint is kept"):
        run.go(40, save_every=6)
    assert int(taken) == 12  # not one step more
    again = Run("pixel", tmp_path, faces)
    assert again.store.restore() == 6
    assert all(np.isfinite(np.array(variable)).all() for variable in again.parts["generator"].variables)


def test_steps_in_one_call_change_nothing(tmp_path: Path, faces: np.ndarray) -> None:
    one, other = Run("pixel", tmp_path / "a", faces), Run("pixel", tmp_path / "b", faces)
    weights, others = one.go(11, steps_per_call=1), other.go(11, steps_per_call=100)
    assert all(np.array_equal(a, b) for name in weights for a, b in zip(weights[name], others[name], strict=True))
    for step, values in one.diary.reports.items():
        assert other.diary.reports[step]["pixel"] == pytest.approx(values["pixel"], rel=1e-6)


def test_sigterm_saves_and_the_run_goes_on_to_the_same_weights(
    tmp_path: Path, faces: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    whole = Run("pixel", tmp_path / "whole", faces).go(17)
    run = Run("pixel", tmp_path / "stopped", faces)

    class Impatient(Diary):
        def report(self, step: int, values: dict[str, float]) -> None:
            if step == 8:
                os.kill(os.getpid(), signal.SIGTERM)

    run.diary = Impatient()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as stopped:
        run.go(17, steps_per_call=1)
    assert stopped.value.code == 143
    assert signal.getsignal(signal.SIGTERM) == before
    said = "test: stopped by SIGTERM and saved after step 9 of 17; start the same command again to go on."
    assert [line for line in caplog.messages if "SIGTERM" in line] == [said]
    resumed = Run("pixel", tmp_path / "stopped", faces)
    assert resumed.store.restore() == 9
    weights = resumed.go(17)
    assert all(np.array_equal(a, b) for name in whole for a, b in zip(whole[name], weights[name], strict=True))


def test_the_profiler_records_some_steps(tmp_path: Path, faces: np.ndarray) -> None:
    Run("pixel", tmp_path / "run", faces).go(13, profile=tmp_path / "profile")
    assert list((tmp_path / "profile").rglob("*.xplane.pb"))


def test_the_discriminator_learns_and_the_generator_is_not_moved_by_it(tmp_path: Path, faces: np.ndarray) -> None:
    run = Run("adversarial", tmp_path, faces)
    run.go(60)
    verdicts = [values["discriminator"] for _, values in sorted(run.diary.reports.items())]
    assert verdicts[-1] < verdicts[0]
    assert set(run.diary.reports[4]) == {
        "total", "pixel", "adversarial", "discriminator", "gradient_norm", "discriminator_gradient_norm",
        "images_per_second",
    }  # fmt: skip
