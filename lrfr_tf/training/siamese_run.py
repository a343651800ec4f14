"""What a run of the Siamese network is made of: its flags, faces, network and folder."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from lrfr_tf.config import option, with_default
from lrfr_tf.data.aligned import read_aligned_faces
from lrfr_tf.data.face_source import FacesInFiles, FacesInMemory, FaceSource
from lrfr_tf.data.identity_batches import Views, check_enough_identities, identity_batches
from lrfr_tf.data.validation_faces import limit_per_identity, split_off_identities
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import ALIGNED_SIZE
from lrfr_tf.images.camera import LEVELS
from lrfr_tf.models.backbone import SPHERENETS, backbone
from lrfr_tf.training.aligned_run import AlignedRun, AlignedSettings
from lrfr_tf.training.outcome import Outcome
from lrfr_tf.training.precision import adam, sgd
from lrfr_tf.training.schedules import learning_rate
from lrfr_tf.training.settings import TrainingSettings
from lrfr_tf.training.siamese import HEADS_WITH_STATE, ClassificationHead, SiameseLoss
from lrfr_tf.training.siamese_monitor import FIGURES, SiameseMonitor
from lrfr_tf.weights.backbone import load_weights

# So many at most of each validation identity: all pairs are compared, and VGGFace2 has hundreds of images a person.
VALIDATION_IMAGES = 40
# These may change when a run is resumed, too: the batches are the same, and the benchmarks, flags of the train script's
# own, decide nothing.
FREE_SETTINGS_HERE = ("faces_in", "eval_benchmarks", "data_root")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SiameseSettings(AlignedSettings):
    """The flags of train_siamese but for those of benchmarks; the defaults are those of Lai and Lam."""

    validation_identities: int = option(
        40, "identities with four images or more that are not trained on and give the validation figures", at_least=2
    )
    backbone: str = option("spherenet20", "the network", SPHERENETS)
    initial_weights: str = option("random", "random, or a .weights.h5 file to go on from")
    batch_size: int = option(128, "identities a step, over all replicas together", at_least=2)
    sizes: tuple[int, ...] = option((ALIGNED_SIZE, 8, 12, 16), "the views of an identity: their sizes in pixels")
    camera: str = option("clean", "how small views are made, see docs/camera.md", tuple(LEVELS))
    head: str = option("amsoftmax", "classification head", HEADS_WITH_STATE)
    margin: float = option(0.35, "margin of the head", at_least=0)
    scale: float = option(30.0, "scale of the head", above=0)
    classification_weight: float = option(1.0, "weight of the classification loss", at_least=0)
    triplet_weight: float = option(1.0, "weight of the batch-hard triplet loss (the paper's lambda)", at_least=0)
    triplet_margin: float = option(1.0, "margin of the triplet loss, in cosine distance", at_least=0)
    optimizer: str = option("sgd", "sgd (momentum 0.9) or adam", ("sgd", "adam"))
    learning_rate: float = option(0.1, "the highest learning rate", above=0)
    weight_decay: float = option(5e-4, "on all weights, as part of the gradient", at_least=0)
    steps: int = option(100_000, "training steps", at_least=1)
    rate_schedule: str = with_default(TrainingSettings, "rate_schedule", "tenths")
    faces_in: str = option(
        "memory",
        "where the training faces are: in memory, or decoded from their files at every step",
        ("memory", "files"),
    )
    best_metric: str = option(
        "none",
        "store the weights that were best on the validation identities by this, not the last",
        ("none", *FIGURES),
    )


class SiameseRun(AlignedRun):
    """The faces and the folder of a run; the folder is not touched before `open`.

    Raises:
        UserError: nothing to train or validate on, or flags that do not fit together.
    """

    def __init__(self, config: SiameseSettings, strategy: tf.distribute.Strategy) -> None:
        self.config = config
        self.views = Views(config.sizes, config.camera, ALIGNED_SIZE)
        _check_flags(config)
        super().__init__(config, strategy)
        self.files, validation = split_off_identities(self.files, config.validation_identities)
        self._validation = limit_per_identity(validation, VALIDATION_IMAGES)
        self._validation_images = read_aligned_faces(self._validation.paths)
        if self._validation_images.shape[1] != ALIGNED_SIZE:
            raise UserError(
                f"The Siamese network takes aligned faces of {ALIGNED_SIZE} pixels, not "
                f"{self._validation_images.shape[1]}."
            )
        check_enough_identities(self.files.identities, config.batch_size)
        in_memory = config.faces_in == "memory"
        self.faces: FaceSource = (
            FacesInMemory(read_aligned_faces(self.files.paths)) if in_memory else FacesInFiles(self.files.paths)
        )

    def open(self) -> None:
        """Opens the run folder; see `AlignedRun.begin`."""
        validation = self._validation
        self.begin(
            FREE_SETTINGS_HERE,
            validation_faces=len(validation.paths),
            validation_identities=len(validation.names),
        )

    def build_network(self) -> keras.Model:
        """The backbone with its initial weights."""
        network = backbone(self.config.backbone)
        if self.config.initial_weights != "random":
            load_weights(network, Path(self.config.initial_weights))
        return network

    def build_head(self, dimensions: int) -> ClassificationHead | None:
        """The classification head with random rows, if there is one."""
        config = self.config
        if config.classification_weight == 0:
            return None
        return ClassificationHead(len(self.files.names), dimensions, config.head, config.margin, config.scale)

    def build_loss(self) -> SiameseLoss:
        """The losses with their weights."""
        config = self.config
        return SiameseLoss(
            config.classification_weight, config.triplet_weight, config.triplet_margin, config.weight_decay
        )

    def build_optimizer(self) -> keras.optimizers.Optimizer:
        config = self.config
        rate = learning_rate(config.rate_schedule, config.learning_rate, config.steps, config.warm_up_steps)
        return (adam if config.optimizer == "adam" else sgd)(rate, config.precision, config.clip_norm)

    def batches(self, first_step: int) -> tf.data.Dataset:
        """See `data.identity_batches`."""
        config = self.config
        return identity_batches(
            self.faces, self.files.identities, config.batch_size, self.views, config.seed, first_step
        )

    def monitor(
        self,
        outcome: Outcome,
        optimizer: keras.optimizers.Optimizer,
        benchmarks: Callable[[], dict[str, float]] | None = None,
    ) -> SiameseMonitor | None:
        """Watches the network on the validation identities (`SiameseMonitor`); None for workers that do not write."""
        if not self.writes:
            return None
        # Where the trees have a margin, the template's own frame is the right-most one.
        images = self._validation_images[:, :, -ALIGNED_SIZE:]
        return SiameseMonitor(self.output, images, self._validation.identities, optimizer, outcome, benchmarks)

    def show_last(self, monitor: SiameseMonitor | None) -> None:
        """Prints the last validation figures."""
        if monitor and monitor.history:
            last = monitor.history[-1]
            figures = ", ".join(f"{name} {value:.4f}" for name, value in last.items() if name.startswith("auc_"))
            print(
                f"{self.output}: after {last['step']} steps, {len(self._validation.paths)} faces of "
                f"{len(self._validation.names)} persons, sharp against each size: {figures}"
            )


def _check_flags(config: SiameseSettings) -> None:
    file = config.initial_weights
    if file != "random" and not Path(file).is_file():
        raise UserError(f"--initial_weights={file} is neither random nor a file.")
    if config.classification_weight == 0 and config.triplet_weight == 0:
        raise UserError("Both losses have the weight 0; there is nothing to learn.")
