"""What a run of the Siamese network is made of: its flags and its plan."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from lrfr_tf.config import option, required, with_default
from lrfr_tf.data.aligned import read_aligned_faces
from lrfr_tf.data.face_source import FacesInFiles, FacesInMemory, FaceSource
from lrfr_tf.data.identity_batches import Views, check_enough_identities, identity_batches
from lrfr_tf.data.validation_faces import limit_per_identity, split_off_identities
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import ALIGNED_SIZE
from lrfr_tf.images.camera import LEVELS
from lrfr_tf.models.backbone import SPHERENETS, backbone
from lrfr_tf.training.aligned_faces import facts_of, in_words, list_run_faces
from lrfr_tf.training.optimizers import build_optimizer
from lrfr_tf.training.outcome import Outcome, averaged
from lrfr_tf.training.run import Phase, Plan
from lrfr_tf.training.settings import TrainingSettings
from lrfr_tf.training.siamese import HEADS_WITH_STATE, ClassificationHead, SiameseLoss, siamese_step
from lrfr_tf.training.siamese_examiner import FIGURES, SiameseExaminer
from lrfr_tf.training.strategy import Devices
from lrfr_tf.training.tensorboard import Monitor
from lrfr_tf.weights.backbone import load_weights, save_weights, write_embedder_record

BenchmarksOf = Callable[[keras.Model, Path, str], Callable[[], dict[str, float]]]

# So many at most of each validation identity: all pairs are compared, and VGGFace2 has hundreds of images a person.
VALIDATION_IMAGES = 40
MOMENTUM = 0.9


@dataclasses.dataclass(frozen=True, kw_only=True)
class SiameseSettings(TrainingSettings):
    """The flags of train_siamese but for those of benchmarks; the defaults are those of Lai and Lam."""

    data: tuple[str, ...] = required("aligned trees, as lrfr prepare aligned or lrfr prepare vggface2 make them")
    held_out_divisor: int = with_default(TrainingSettings, "held_out_divisor", 5)
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
    learning_rate: float = option(0.1, "the highest learning rate, of SGD with a momentum of 0.9", above=0)
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


def plan_siamese(config: SiameseSettings, devices: Devices, benchmarks: BenchmarksOf | None = None) -> Plan:
    """One phase on faces of several sizes, watched on identities that are not trained on.

    Args:
        benchmarks: of a network, a folder for landmarks and a template: what measures that network on benchmarks.

    Raises:
        UserError: nothing to train or validate on, or flags that do not fit together.
    """
    views = Views(config.sizes, config.camera, ALIGNED_SIZE)
    _check_flags(config)
    files, template = list_run_faces(config, devices)
    files, validation = split_off_identities(files, config.validation_identities)
    validation = limit_per_identity(validation, VALIDATION_IMAGES)
    images = read_aligned_faces(validation.paths)
    if images.shape[1] != ALIGNED_SIZE:
        raise UserError(f"The Siamese network takes aligned faces of {ALIGNED_SIZE} pixels, not {images.shape[1]}.")
    check_enough_identities(files.identities, config.batch_size)
    in_memory = config.faces_in == "memory"
    faces: FaceSource = FacesInMemory(read_aligned_faces(files.paths)) if in_memory else FacesInFiles(files.paths)

    network = backbone(config.backbone)
    if config.initial_weights != "random":
        load_weights(network, Path(config.initial_weights))
    head = None
    if config.classification_weight > 0:
        dimensions = int(network.output_shape[-1])
        head = ClassificationHead(
            len(files.names), dimensions, kind=config.head, margin=config.margin, scale=config.scale
        )
    average = averaged(network, config.average_decay)
    outcome = Outcome(network, average, config.best_metric)
    optimizer = build_optimizer(config, config.learning_rate, config.steps, keras.optimizers.SGD, momentum=MOMENTUM)
    loss = SiameseLoss(config.classification_weight, config.triplet_weight, config.triplet_margin, config.weight_decay)
    step = siamese_step(network, head, optimizer, loss, views=config.sizes, average=average)

    def batches(first_step: int) -> tf.data.Dataset:
        return identity_batches(
            faces, files.identities, config.batch_size, views, seed=config.seed, first_step=first_step
        )

    def store(folder: Path) -> None:
        save_weights(outcome.stored, folder / f"{config.backbone}.weights.h5")
        write_embedder_record(folder, template, ALIGNED_SIZE)

    def phases() -> list[Phase]:
        monitor = None
        if devices.writes:
            landmarks = Path(config.output) / "landmarks"
            measure = benchmarks(outcome.evaluated, landmarks, template) if benchmarks else None
            # Where the trees have a margin, the template's own frame is the right-most one.
            seen = images[:, :, -ALIGNED_SIZE:]
            examiner = SiameseExaminer(seen, validation.identities, outcome.evaluated, measure)
            monitor = Monitor(Path(config.output), "siamese", optimizer, examiner, outcome=outcome)
        return [Phase("siamese", step, batches, monitor, store)]

    facts = facts_of(files, template)
    facts |= {"validation_faces": len(validation.paths), "validation_identities": len(validation.names)}
    parts = {"network": network, "head": head, "optimizer": optimizer, "average": average, "best": outcome.best}
    return Plan(parts, facts, phases, in_words(files, config.held_out_divisor))


def _check_flags(config: SiameseSettings) -> None:
    file = config.initial_weights
    if file != "random" and not Path(file).is_file():
        raise UserError(f"`initial_weights`={file} is neither random nor a file.")
    if config.classification_weight == 0 and config.triplet_weight == 0:
        raise UserError("Both losses have the weight 0; there is nothing to learn.")
