"""What a run of the Siamese network is made of: its flags, faces, teacher, networks and folder."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.config import option, required, with_default, write_run_record
from lrfr_tf.data.aligned import AlignedFiles, common_template, list_aligned_faces, read_aligned_faces
from lrfr_tf.data.benchmark_tree import FOLDERS
from lrfr_tf.data.face_cache import identities_in_tree
from lrfr_tf.data.face_source import FacesInFiles, FacesInMemory, FaceSource
from lrfr_tf.data.identity_batches import Views, check_enough_identities, identity_batches, parse_sizes
from lrfr_tf.data.name_list import read_exclusions
from lrfr_tf.errors import UserError
from lrfr_tf.images.degrade import CAMERA_KINDS
from lrfr_tf.main import note
from lrfr_tf.models.backbone import BACKBONES, FACENET_DIMENSIONS, backbone, folded_trunk
from lrfr_tf.models.facenet import TRUNK
from lrfr_tf.resumable import open_folder
from lrfr_tf.training.data_checksums import checksums_of_data
from lrfr_tf.training.loop import Schedule
from lrfr_tf.training.outcome import Outcome
from lrfr_tf.training.precision import adam, sgd
from lrfr_tf.training.schedules import learning_rate
from lrfr_tf.training.settings import FREE_SETTINGS, TrainingSettings
from lrfr_tf.training.siamese import HEADS, ClassificationHead, SiameseLoss
from lrfr_tf.training.siamese_monitor import FIGURES, SiameseMonitor
from lrfr_tf.training.strategy import is_chief
from lrfr_tf.training.teacher import mean_rows, teacher_embeddings
from lrfr_tf.weights.backbone import load_weights
from lrfr_tf.weights.facenet import load_facenet_128
from lrfr_tf.weights.sample_package import fetch_facenet_weights

ALIGNED_SIZE = 128
# So many at most of each validation identity: all pairs are compared, and VGGFace2 has hundreds of images a person.
VALIDATION_IMAGES = 40
FACES_IN = ("memory", "files")
# These may change when a run is resumed, too: the batches are the same, and benchmarks decide nothing.
FREE_SETTINGS_HERE = ("faces_in", "eval_benchmarks", "data_root")


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
    repeats: tuple[int, ...] = option(
        (), "how often the images of each tree of --data count where photos are drawn; default: once"
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
    similarity_weight: float = option(
        0.0,
        "weight of the divergence between the similarities to FaceNet's embeddings of all training photos that the "
        "network and FaceNet see",
        at_least=0,
    )
    share_of_same: float = option(
        0.0, "how much of these similarities should be those to all photos of the person alike, 0 to 1", at_least=0
    )
    teacher_sees: str = option(
        "photos",
        "photos: FaceNet embeds each sharp photo once; views: at every step what the views are shrunk from, which are "
        "then of one photo an identity",
        ("photos", "views"),
    )
    varied: float = option(0.0, "share of the views whose place and light are changed at random", at_least=0)
    mixed: float = option(
        0.0, "share of the views that are mixed with another person's; needs --teacher_sees=views", at_least=0
    )
    cameras: tuple[str, ...] = option(
        (), "what happens to half of the small views besides bicubic shrinking", CAMERA_KINDS
    )
    optimizer: str = option("sgd", "sgd (momentum 0.9) or adam", ("sgd", "adam"))
    learning_rate: float = option(0.1, "the highest learning rate", above=0)
    weight_decay: float = option(5e-4, "on all weights, as part of the gradient", at_least=0)
    steps: int = option(100_000, "training steps", at_least=1)
    rate_schedule: str = with_default(TrainingSettings, "rate_schedule", "tenths")
    faces_in: str = option(
        "memory", "where the training faces are: in memory, or decoded from their files at every step", FACES_IN
    )
    eval_benchmarks: tuple[str, ...] = option(
        (), "benchmarks that are run at every evaluation, out of --data_root", tuple(FOLDERS)
    )
    data_root: str | None = option(None, f"folder that holds some of {', '.join(FOLDERS.values())}")
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
        random_range = (config.random_sizes[0], config.random_sizes[1])
        self.views = Views(
            self.sizes, random_range, ALIGNED_SIZE, varied=config.varied, mixed=config.mixed, cameras=config.cameras
        )
        _check_flags(config)
        roots = [Path(root) for root in config.data]
        self.template = common_template(roots)
        there = {name for root in roots for name in identities_in_tree(root)} if config.exclude else set()
        excluded = read_exclusions(config.exclude, there, config.allow_unmatched_exclusions, self._note)
        everything = list_aligned_faces(roots, config.held_out_divisor, excluded)
        self.files, validation = split_off_identities(everything, config.validation_identities)
        self._validation = at_most_of_each(validation, VALIDATION_IMAGES)
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
        self._targets: np.ndarray | None = None

    def open(self) -> None:
        """Opens the run folder, once everything else is known to be in order.

        Raises:
            UserError: the folder was begun with other settings, or its data changed since.
        """
        if self.writes:
            free = (*FREE_SETTINGS, *FREE_SETTINGS_HERE)
            settings = {key: value for key, value in dataclasses.asdict(self.config).items() if key not in free}
            settings["data_sha256"] = checksums_of_data(self.config.data, self.config.exclude)
            settings = {key: list(v) if isinstance(v, tuple) else v for key, v in settings.items()}
            open_folder(self.output, settings, of_data=("data_sha256",))
            write_run_record(
                self.output,
                self.config,
                training_faces=len(self.files.paths),
                training_identities=len(self.files.names),
                validation_faces=len(self._validation.paths),
                validation_identities=len(self._validation.names),
                template=self.template,
            )
            divisor = self.config.held_out_divisor
            without = f" (those whose number is divisible by {divisor} are left out)" if divisor else ""
            print(f"{self.output}: {len(self.files.paths):,} faces of {len(self.files.names):,} identities{without}")

    def build_network(self) -> keras.Model:
        """The backbone with its initial weights."""
        config = self.config
        if config.initial_weights == "facenet":
            return self._published_facenet()
        network = backbone(config.backbone)
        if config.initial_weights != "random":
            load_weights(network, Path(config.initial_weights))
        return network

    def build_head(self, dimensions: int) -> ClassificationHead | None:
        """The classification head with random rows, if there is one."""
        config = self.config
        if not _has_head(config):
            return None
        return ClassificationHead(
            len(self.files.names), dimensions, config.head, config.margin, config.scale, config.focal_gamma
        )

    def ask_teacher(self, head: ClassificationHead | None) -> None:
        """Embeds all training faces with FaceNet, if the losses or the head's first rows need it.

        An earlier start of the run may have stored them. So this comes after everything that draws random weights: a
        run that was stopped draws the same ones again, whether the teacher had to be loaded or not.
        """
        config = self.config
        from_teacher = head is not None and config.head_start == "teacher"
        distils_photos = config.distillation_weight > 0 and config.teacher_sees == "photos"
        if distils_photos or config.similarity_weight > 0 or from_teacher:
            cache = self.output / "teacher_embeddings.h5"
            self._targets = teacher_embeddings(self._facenet_file(), self.faces, cache, self.writes)
            if head is not None and from_teacher:
                head.rows.assign(mean_rows(self._targets, self.files.identities))

    def build_teacher(self) -> keras.Model | None:
        """FaceNet as it was published, if it is asked about every view; it takes what the network takes."""
        if not _asks_about_views(self.config):
            return None
        teacher = self._published_facenet()
        teacher.trainable = False
        return teacher

    def build_loss(self) -> SiameseLoss:
        """The losses, once the teacher was asked."""
        config = self.config
        return SiameseLoss(
            config.classification_weight,
            config.triplet_weight,
            config.triplet_margin,
            config.distillation_weight,
            config.similarity_weight,
            config.weight_decay,
            tf.constant(self._targets) if config.similarity_weight > 0 else None,
            tf.constant(self.files.identities, tf.int64),
            config.share_of_same,
        )

    def build_optimizer(self) -> keras.optimizers.Optimizer:
        config = self.config
        rate = learning_rate(config.rate_schedule, config.learning_rate, config.steps, config.warm_up_steps)
        return (adam if config.optimizer == "adam" else sgd)(rate, config.precision, config.clip_norm)

    def batches(self, first_step: int) -> tf.data.Dataset:
        """See `data.identity_batches`."""
        config = self.config
        about_views = _asks_about_views(config)
        targets = self._targets if _has_teacher(config) and not about_views else None
        return identity_batches(
            self.faces,
            self.files.identities,
            config.batch_size,
            self.views,
            config.seed,
            first_step,
            config.identity_order == "images",
            targets,
            np.array(config.repeats)[self.files.trees] if config.repeats else None,
            with_sharp=about_views,
        )

    def schedule(self) -> Schedule:
        """The intervals of the run."""
        config = self.config
        profile = self.output / "tensorboard" if config.profile else None
        every = (config.log_every, config.evaluate_every, config.save_every)
        return Schedule(config.steps, *every, config.steps_per_call, profile)

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

    def _note(self, sentence: str) -> None:
        if self.writes:
            note(sentence)

    def _published_facenet(self) -> keras.Model:
        """The backbone "facenet" with the published weights."""
        network = backbone("facenet")
        network.get_layer(TRUNK).set_weights(folded_trunk(load_facenet_128(self._facenet_file())).get_weights())
        return network

    def _facenet_file(self) -> Path:
        return Path(self.config.facenet_weights) if self.config.facenet_weights else fetch_facenet_weights()


def split_off_identities(files: AlignedFiles, count: int) -> tuple[AlignedFiles, AlignedFiles]:
    """Takes `count` identities with four images or more out of the training faces, evenly spread over those there are.

    Returns:
        (training faces, validation faces), each with identities numbered from 0 without gaps.

    Raises:
        UserError: there are too few such identities, or nobody is left.
    """
    many = np.flatnonzero(np.bincount(files.identities) >= 4)
    if len(many) < count or len(files.names) <= count:
        raise UserError(
            f"{len(many)} of {len(files.names)} identities have four images or more, too few to validate on {count}; "
            "lower --validation_identities."
        )
    chosen = many[np.unique(np.linspace(0, len(many) - 1, count).astype(int))]
    validated = np.isin(files.identities, chosen)
    return _part(files, ~validated), _part(files, validated)


def at_most_of_each(files: AlignedFiles, count: int) -> AlignedFiles:
    """At most `count` faces of each identity, evenly spread over those there are."""
    kept = np.zeros(len(files.paths), bool)
    for number in range(len(files.names)):
        own = np.flatnonzero(files.identities == number)
        kept[own[np.unique(np.linspace(0, len(own) - 1, min(count, len(own))).astype(int))]] = True
    return _part(files, kept)


def _part(files: AlignedFiles, kept: np.ndarray) -> AlignedFiles:
    numbers, identities = np.unique(files.identities[kept], return_inverse=True)
    paths = [files.paths[place] for place in np.flatnonzero(kept)]
    return AlignedFiles(paths, identities, [files.names[number] for number in numbers], files.trees[kept])


def _has_head(config: SiameseSettings) -> bool:
    return config.head != "none" and config.classification_weight > 0


def _has_teacher(config: SiameseSettings) -> bool:
    return config.distillation_weight > 0 or config.similarity_weight > 0


def _asks_about_views(config: SiameseSettings) -> bool:
    return _has_teacher(config) and config.teacher_sees == "views"


def _check_flags(config: SiameseSettings) -> None:
    is_facenet = config.backbone == "facenet"
    if config.initial_weights == "facenet" and not is_facenet:
        raise UserError("--initial_weights=facenet needs --backbone=facenet.")
    for flag, asks in (
        (f"--distillation_weight={config.distillation_weight:g}", config.distillation_weight > 0),
        (f"--similarity_weight={config.similarity_weight:g}", config.similarity_weight > 0),
        (f"--head_start={config.head_start}", config.head_start == "teacher"),
    ):
        if asks and not is_facenet:
            raise UserError(
                f"The teacher's embeddings have {FACENET_DIMENSIONS} numbers: {flag} needs --backbone=facenet."
            )
    file = config.initial_weights
    if file not in ("random", "facenet") and not Path(file).is_file():
        raise UserError(f"--initial_weights={file} is neither random, facenet, nor a file.")
    shares = {"varied": config.varied, "mixed": config.mixed, "share_of_same": config.share_of_same}
    for flag, share in shares.items():
        if share > 1:
            raise UserError(f"--{flag}={share:g} is out of range; it must be at most 1.")
    with_labels = _has_head(config) or config.triplet_weight > 0 or config.share_of_same > 0
    if config.mixed and (config.teacher_sees != "views" or with_labels):
        raise UserError(
            "A mixture of two persons has no label, and no photo of its own: --mixed needs --teacher_sees=views, "
            "--classification_weight=0, --triplet_weight=0 and --share_of_same=0."
        )
    if config.share_of_same and not config.similarity_weight:
        raise UserError("--share_of_same is part of the similarities: it needs --similarity_weight.")
    if not _has_head(config) and config.triplet_weight == 0 and not _has_teacher(config):
        raise UserError("All losses have the weight 0, or --head=none; there is nothing to learn.")
    if config.repeats and (len(config.repeats) != len(config.data) or min(config.repeats) < 1):
        raise UserError("--repeats takes one number of at least 1 for each tree of --data.")
    if bool(config.eval_benchmarks) != bool(config.data_root):
        raise UserError("--eval_benchmarks and --data_root go together: which benchmarks, and where they lie.")
