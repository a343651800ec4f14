"""What a run of the Siamese network is made of: its flags, faces, teacher, networks and folder."""

import dataclasses
from pathlib import Path

import h5py
import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lrfr_tf.config import option, required, with_default, write_run_record
from lrfr_tf.data.aligned import AlignedFaces, load_aligned_faces
from lrfr_tf.data.face_cache import read_identities_to_exclude
from lrfr_tf.data.identity_batches import Views, identity_batches, parse_sizes
from lrfr_tf.errors import UserError
from lrfr_tf.files import sha256, written_whole
from lrfr_tf.models.backbone import BACKBONES, backbone
from lrfr_tf.models.facenet import TRUNK
from lrfr_tf.models.fold import fold_batch_norm
from lrfr_tf.resumable import open_folder
from lrfr_tf.training.loop import Schedule
from lrfr_tf.training.outcome import Outcome
from lrfr_tf.training.precision import adam, sgd
from lrfr_tf.training.schedules import learning_rate
from lrfr_tf.training.settings import FREE_SETTINGS, TrainingSettings
from lrfr_tf.training.siamese import HEADS, ClassificationHead
from lrfr_tf.training.siamese_monitor import FIGURES, SiameseMonitor
from lrfr_tf.training.strategy import is_chief
from lrfr_tf.weights.facenet import load_facenet_128
from lrfr_tf.weights.sample_package import fetch_facenet_weights

TEACHER_BATCH = 64
ALIGNED_SIZE = 128


@dataclasses.dataclass(frozen=True, kw_only=True)
class SiameseSettings(TrainingSettings):
    """The flags of train_siamese; the defaults are those of Lai and Lam."""

    data: tuple[str, ...] = required(
        "aligned trees, as tools/prepare_aligned.py or tools/prepare_vggface2.py make them"
    )
    output: str = required("folder of the run; a run that was stopped goes on there")
    held_out_divisor: int = option(5, "leave out identities whose number is divisible by this (0: nobody)", at_least=0)
    exclude: str | None = option(None, "a list of further identities to leave out, one a line")
    validation_identities: int = option(
        40, "identities with four images or more that are not trained on and give the validation figures", at_least=2
    )
    backbone: str = option("spherenet20", "the network", BACKBONES)
    initial_weights: str = option(
        "random", "random, facenet (the published 128-D weights; needs --backbone=facenet), or a .weights.h5 file"
    )
    facenet_weights: str | None = option(None, "a file with FaceNet's 128-D weights; default: the cache")
    batch_size: int = option(128, "identities a step, over all replicas together", at_least=2)
    sizes: tuple[str, ...] = option(
        ("128", "8", "12", "16"), "the views of an identity: sizes in pixels, or random (one size a step)"
    )
    random_sizes: tuple[int, ...] = option((8, 128), "least and largest random size")
    identity_order: str = option(
        "epochs",
        "epochs: each identity once an epoch; images: drawn in proportion to their images",
        ("epochs", "images"),
    )
    head: str = option("amsoftmax", "classification head", HEADS)
    head_start: str = option(
        "random", "its rows at the beginning: random, or the means of the teacher's embeddings", ("random", "teacher")
    )
    margin: float = option(0.35, "margin of the head", at_least=0)
    scale: float = option(30.0, "scale of the head", above=0)
    focal_gamma: float = option(0.0, "gamma of the focal loss; 0 is cross-entropy, the paper's option is 2", at_least=0)
    classification_weight: float = option(1.0, "weight of the classification loss", at_least=0)
    triplet_weight: float = option(1.0, "weight of the batch-hard triplet loss (the paper's lambda)", at_least=0)
    triplet_margin: float = option(1.0, "margin of the triplet loss, in cosine distance", at_least=0)
    distillation_weight: float = option(
        0.0, "weight of 1 - cosine to the embedding that FaceNet gives the sharp photo", at_least=0
    )
    optimizer: str = option("sgd", "sgd (momentum 0.9) or adam", ("sgd", "adam"))
    learning_rate: float = option(0.1, "the highest learning rate", above=0)
    weight_decay: float = option(5e-4, "on all weights, as part of the gradient", at_least=0)
    steps: int = option(100_000, "training steps", at_least=1)
    rate_schedule: str = with_default(TrainingSettings, "rate_schedule", "tenths")
    best_metric: str = option(
        "none",
        "store the weights that were best on the validation identities by this, not the last",
        ("none", *FIGURES),
    )


class SiameseRun:
    """The faces and the folder of a run; the folder is not touched before `open`.

    Raises:
        UserError: nothing to train or validate on, or flags that do not fit together.
    """

    def __init__(self, config: SiameseSettings, strategy: tf.distribute.Strategy) -> None:
        self.config = config
        self.strategy = strategy
        self.writes = is_chief(strategy)
        self.output = Path(config.output)
        self.sizes = parse_sizes(config.sizes)
        if len(config.random_sizes) != 2:
            raise UserError("--random_sizes takes two numbers: the least and the largest size.")
        self.views = Views(self.sizes, (config.random_sizes[0], config.random_sizes[1]), ALIGNED_SIZE)
        self.has_teacher = config.distillation_weight > 0 or config.head_start == "teacher"
        _check_flags(config)
        excluded = read_identities_to_exclude(Path(config.exclude)) if config.exclude else frozenset()
        roots = [Path(root) for root in config.data]
        faces = load_aligned_faces(roots, config.held_out_divisor, excluded)
        if faces.images.shape[1] != ALIGNED_SIZE:
            raise UserError(f"The Siamese network takes aligned faces of 128 pixels, not {faces.images.shape[1]}.")
        self.faces, self.validation = split_off_identities(faces, config.validation_identities)
        self.targets: np.ndarray | None = None

    @property
    def classes(self) -> int:
        """The number of identities that are trained on."""
        return len(self.faces.names)

    def open(self) -> None:
        """Opens the run folder, and embeds the faces with the teacher, if there is one.

        Raises:
            UserError: the folder was begun with other settings.
        """
        if self.writes:
            settings = {key: v for key, v in dataclasses.asdict(self.config).items() if key not in FREE_SETTINGS}
            open_folder(self.output, {key: list(v) if isinstance(v, tuple) else v for key, v in settings.items()})
            write_run_record(
                self.output,
                self.config,
                training_faces=len(self.faces.images),
                training_identities=self.classes,
                validation_faces=len(self.validation.images),
                validation_identities=len(self.validation.names),
            )

    def ask_teacher(self) -> None:
        """Embeds all training faces with FaceNet, or reads what an earlier start of this run has stored."""
        if not self.has_teacher:
            return
        weights = self._facenet_file()
        path = self.output / "teacher_embeddings.h5"
        self.targets = _read_teacher(path, sha256(weights), len(self.faces.images))
        if self.targets is None:
            self.targets = embed_as_teacher(load_facenet_128(weights), self.faces.images)
            if self.writes:
                with written_whole(path) as temporary, h5py.File(temporary, "w") as file:
                    file["embeddings"] = self.targets
                    file.attrs["weights_sha256"] = sha256(weights)

    def build_network(self) -> keras.Model:
        """The backbone with its initial weights."""
        config = self.config
        network = backbone(config.backbone)
        if config.initial_weights == "facenet":
            published = load_facenet_128(self._facenet_file()).get_layer(TRUNK)
            network.get_layer(TRUNK).set_weights(fold_batch_norm(published).get_weights())
        elif config.initial_weights != "random":
            load_weights(network, Path(config.initial_weights))
        return network

    def build_head(self, dimensions: int) -> ClassificationHead | None:
        """The classification head, if there is one."""
        config = self.config
        if config.head == "none" or config.classification_weight == 0:
            return None
        rows = None
        if config.head_start == "teacher" and self.targets is not None:
            rows = np.zeros((self.classes, dimensions), np.float32)
            np.add.at(rows, self.faces.identities, self.targets)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return ClassificationHead(
            self.classes, dimensions, config.head, config.margin, config.scale, config.focal_gamma, rows
        )

    def build_optimizer(self) -> keras.optimizers.Optimizer:
        config = self.config
        rate = learning_rate(config.rate_schedule, config.learning_rate, config.steps, config.warm_up_steps)
        return (adam if config.optimizer == "adam" else sgd)(rate, config.precision, config.clip_norm)

    def batches(self, first_step: int) -> tf.data.Dataset:
        """See `data.identity_batches`."""
        config = self.config
        targets = self.targets if config.distillation_weight > 0 else None
        return identity_batches(
            self.faces.images,
            self.faces.identities,
            config.batch_size,
            self.views,
            config.seed,
            first_step,
            config.identity_order == "images",
            targets,
        )

    def schedule(self) -> Schedule:
        """The intervals of the run."""
        config = self.config
        profile = self.output / "tensorboard" if config.profile else None
        every = (config.log_every, config.evaluate_every, config.save_every)
        return Schedule(config.steps, *every, config.steps_per_call, profile)

    def monitor(self, outcome: Outcome, optimizer: keras.optimizers.Optimizer) -> SiameseMonitor | None:
        """Watches the network on the validation identities; None where this worker does not write."""
        if not self.writes:
            return None
        # Where the trees have a margin, the template's own frame is the right-most one.
        images = self.validation.images[:, :, -ALIGNED_SIZE:]
        return SiameseMonitor(self.output, images, self.validation.identities, optimizer, outcome)

    def show_last(self, monitor: SiameseMonitor | None) -> None:
        """Prints the last validation figures."""
        if monitor and monitor.history:
            last = monitor.history[-1]
            figures = ", ".join(f"{name} {value:.4f}" for name, value in last.items() if name.startswith("auc_"))
            print(
                f"{self.output}: after {last['step']} steps, {len(self.validation.images)} faces of "
                f"{len(self.validation.names)} persons, sharp against each size: {figures}"
            )

    def _facenet_file(self) -> Path:
        return Path(self.config.facenet_weights) if self.config.facenet_weights else fetch_facenet_weights()


def split_off_identities(faces: AlignedFaces, count: int) -> tuple[AlignedFaces, AlignedFaces]:
    """Takes `count` identities with four images or more out of the training faces, evenly spread over those there are.

    Returns:
        (training faces, validation faces), each with identities numbered from 0 without gaps.

    Raises:
        UserError: there are too few such identities, or nobody is left.
    """
    many = np.flatnonzero(np.bincount(faces.identities) >= 4)
    if len(many) < count or len(faces.names) <= count:
        raise UserError(
            f"{len(many)} of {len(faces.names)} identities have four images or more, too few to validate on {count}; "
            "lower --validation_identities."
        )
    chosen = many[np.unique(np.linspace(0, len(many) - 1, count).astype(int))]
    validated = np.isin(faces.identities, chosen)
    return _part(faces, ~validated), _part(faces, validated)


def _part(faces: AlignedFaces, kept: np.ndarray) -> AlignedFaces:
    numbers, identities = np.unique(faces.identities[kept], return_inverse=True)
    places = np.flatnonzero(kept)
    names, paths = [faces.names[number] for number in numbers], [faces.paths[place] for place in places]
    return AlignedFaces(faces.images[kept], identities, names, paths)


def embed_as_teacher(facenet: keras.Model, images: np.ndarray) -> np.ndarray:
    """What FaceNet makes of sharp aligned faces: the mean of its embeddings of each and of its mirror image.

    Args:
        facenet: takes float images of its own size in 0..255 and gives unit-length embeddings.
        images: uint8 [N, 128, 128 + margin, 3]; the right-most square is looked at.

    Returns:
        float32 [N, D] of unit length.
    """
    size = tuple(facenet.input_shape[1:3])

    @tf.function
    def embed(batch: tf.Tensor) -> tf.Tensor:
        enlarged = keras.ops.image.resize(
            tf.cast(batch, tf.float32), size, interpolation="bicubic", antialias=True, data_format="channels_last"
        )
        both = facenet(tf.concat([enlarged, enlarged[:, :, ::-1]], 0), training=False)
        return tf.math.l2_normalize(tf.reduce_sum(tf.stack(tf.split(both, 2)), 0), axis=-1)

    starts = range(0, len(images), TEACHER_BATCH)
    parts = [
        embed(images[start : start + TEACHER_BATCH, :, -ALIGNED_SIZE:]).numpy()
        for start in tqdm(starts, desc="teacher", unit="batch")
    ]
    return np.concatenate(parts)


def load_weights(network: keras.Model, path: Path) -> None:
    """Loads a `.weights.h5` file into a network.

    Raises:
        UserError: the file is missing or holds another network's weights.
    """
    try:
        network.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path} does not hold weights of {network.name}: {reason}.") from None


def _read_teacher(path: Path, digest: str, count: int) -> np.ndarray | None:
    """What is stored, if it is of this teacher and of so many faces."""
    if not path.is_file():
        return None
    with h5py.File(path, "r") as file:
        if file.attrs["weights_sha256"] != digest or len(file["embeddings"]) != count:
            return None
        return file["embeddings"][()]


def _check_flags(config: SiameseSettings) -> None:
    is_facenet = config.backbone == "facenet"
    if config.initial_weights == "facenet" and not is_facenet:
        raise UserError("--initial_weights=facenet needs --backbone=facenet.")
    if (config.distillation_weight > 0 or config.head_start == "teacher") and not is_facenet:
        raise UserError("The teacher's embeddings have 128 numbers: --distillation_weight needs --backbone=facenet.")
    file = config.initial_weights
    if file not in ("random", "facenet") and not Path(file).is_file():
        raise UserError(f"--initial_weights={file} is neither random, facenet, nor a file.")
    if config.classification_weight == config.triplet_weight == config.distillation_weight == 0:
        raise UserError("All losses have the weight 0; there is nothing to learn.")
