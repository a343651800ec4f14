"""One frame for all trainings: devices, networks, folder and checkpoints are made in one place, in one order."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import tensorflow as tf

from lrfr_tf.config import write_run_record
from lrfr_tf.data.face_cache import checksums_of_trees
from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_folder, sha256, write_json
from lrfr_tf.plural import counted
from lrfr_tf.resumable import open_folder
from lrfr_tf.training.checkpoint import CheckpointStore, Part
from lrfr_tf.training.loop import Schedule, Step, train
from lrfr_tf.training.schedules import begin_alike
from lrfr_tf.training.settings import SETTINGS_FREE_TO_CHANGE, TrainingSettings
from lrfr_tf.training.strategy import Devices, set_up
from lrfr_tf.training.tensorboard import Monitor

RECORD = "settings.json"
SettingsT = TypeVar("SettingsT", bound=TrainingSettings)


@dataclasses.dataclass(frozen=True)
class Phase:
    """A stretch of a run, at whose end a network is stored.

    Attributes:
        name: the text of the progress line.
        step, batches: see `loop.train`.
        monitor: None where this worker does not write.
        store: writes the network into a folder.
        length: the setting that says how many steps it takes.
        folder: where in the run folder the network is stored.
    """

    name: str
    step: Step
    batches: Callable[[int], tf.data.Dataset]
    monitor: Monitor | None
    store: Callable[[Path], None]
    length: str = "steps"
    folder: str = "model"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a training brings along: made in the strategy's scope, while nothing is written yet.

    Attributes:
        parts: what a checkpoint holds, by name: networks, optimizers and the like; None is left out.
        facts: what `run.json` says beside the settings, such as the number of faces.
        phases: makes the phases once the run folder is open; after that all parts have their variables.
        about: what the user is told before the run begins; may be empty.
        phases: makes the phases once the run folder is open; after that all parts have their variables.
    """

    parts: Mapping[str, Part | None]
    facts: Mapping[str, Any]
    phases: Callable[[], Sequence[Phase]]
    about: str = ""


@dataclasses.dataclass(frozen=True)
class Training(Generic[SettingsT]):
    """A run that can begin, or go on after `done` steps."""

    config: SettingsT
    devices: Devices
    plan: Plan
    phases: Sequence[Phase]
    store: CheckpointStore
    done: int

    def run(self) -> Iterator[str]:
        """Trains phase by phase, and stores each network; yields what is to be told, such as the last
        validation figures.

        Raises:
            UserError, SystemExit: see `loop.train`.
        """
        done, last, output = self.done, 0, Path(self.config.output)
        if self.plan.about and self.devices.writes:
            yield f"{output}: {self.plan.about}"
        for phase in self.phases:
            last += getattr(self.config, phase.length)
            model = output / phase.folder
            # A finished network is not stored again, since its file would differ by the time of day in it; but a run
            # may have been stopped just before it was stored.
            if done < last or (done == last and not model.is_dir()):
                train(
                    phase.name, phase.step, phase.batches, self.store, first_step=done,
                    schedule=self._schedule(last), watcher=phase.monitor,
                    jit_compile=self.devices.jit_compile, strategy=self.devices.strategy,
                )  # fmt: skip
                done = last
                if self.devices.writes:
                    with atomic_folder(model) as temporary:
                        phase.store(temporary)
            if phase.monitor and (summary := phase.monitor.summary()):
                yield f"{output}: {summary}"

    def _schedule(self, last_step: int) -> Schedule:
        config = self.config
        profile = Path(config.output) / "tensorboard" if config.profile else None
        every = (config.log_every, config.evaluate_every, config.save_every)
        return Schedule(last_step, *every, config.steps_per_call, profile)


def build_training(
    config: SettingsT, plan: Callable[[SettingsT, Devices], Plan], lengths: Sequence[str] = ("steps",)
) -> Training[SettingsT]:
    """Everything that a run needs; the run folder is not touched before all else is known to be in order.

    Args:
        plan: what the training is made of.
        lengths: the settings that say how many steps its phases take; a run may be given more of them later.

    Raises:
        UserError: settings cannot be met, or the folder was begun with others, or its data changed since.
    """
    devices = set_up(config)
    with devices.strategy.scope():
        parts = plan(config, devices)
    recorded: Mapping[str, Any] = {}
    if devices.writes:
        settings = recorded_settings(config)
        recorded = open_folder(Path(config.output), settings, RECORD, of_data=("data_sha256",), growing=lengths)
    phases = parts.phases()
    store = CheckpointStore(Path(config.output) / "checkpoints", parts.parts, devices.strategy)
    done = store.restore()
    if devices.writes:
        lengthen(config, phases, recorded, done, devices=devices)
        write_run_record(config.output, config, **parts.facts)
    return Training(config, devices, parts, phases, store, done)


def recorded_settings(config: TrainingSettings) -> dict[str, Any]:
    """The settings that a run must keep, and the SHA-256 of its data: of each tree's manifest, and of the exclusions.

    Raises:
        UserError: a tree is not finished.
    """
    settings = {key: value for key, value in dataclasses.asdict(config).items() if key not in SETTINGS_FREE_TO_CHANGE}
    settings = {key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()}
    checksums = checksums_of_trees([Path(tree) for tree in config.data])
    settings["data_sha256"] = checksums | ({config.exclude: sha256(config.exclude)} if config.exclude else {})
    return settings


def lengthen(
    config: TrainingSettings, phases: Sequence[Phase], recorded: Mapping[str, Any], done: int, *, devices: Devices
) -> None:
    """Lets a run that has taken `done` steps have more than it was begun with, and says so if that shows in its end.

    Networks that were stored at the former ends stay, as <folder>_after_<steps>_steps.

    Raises:
        UserError: the longer phase is over, and the next one has begun.
    """
    output, start, grown = Path(config.output), 0, False
    for phase in phases:
        before, now = recorded[phase.length], getattr(config, phase.length)
        taken, start = max(done - start, 0), start + before
        if before != now and taken > before:
            raise UserError(
                f"{output} cannot be given more {phase.length}: it is {counted(taken - before, 'step')} into what "
                "follows them."
            )
        grown = grown or before != now
        if grown and (output / phase.folder).is_dir():
            (output / phase.folder).rename(output / f"{phase.folder}_after_{start}_steps")
        reason = ""
        if not begin_alike(config.rate_schedule, before, now, taken):
            reason = f"its learning rate ({config.rate_schedule}) depends on the number of steps"
        elif before < now and taken == before > 0 and config.best_metric != "none" and start % config.evaluate_every:
            reason = f"the best weights may be those of step {start:,}, where it would not have looked"
        if reason:
            devices.note(
                f"{output} goes on from step {done:,} with {now:,} instead of {before:,} {phase.length}, but will not "
                f"end as if it had been begun with them: {reason}."
            )
    if grown:
        write_json(output / RECORD, recorded_settings(config))
