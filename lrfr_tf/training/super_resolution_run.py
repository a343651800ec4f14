"""What the trainings of super-resolution share: their settings, their faces, and a phase that trains one network."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.config import option
from lrfr_tf.data.face_cache import identities_in_tree, load_training_faces
from lrfr_tf.data.graph import check_batch_size, face_batches
from lrfr_tf.data.name_list import read_exclusions
from lrfr_tf.errors import UserError
from lrfr_tf.faces.frame import celeba_face_box, celeba_template_box, crop, portrait_width
from lrfr_tf.images.camera import CLEAN_LEVEL, LEVELS
from lrfr_tf.images.camera_numpy import photograph_all_with_targets
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.super_resolution import save_super_resolver
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from lrfr_tf.training.identity_metric import Embed, identity_embedder
from lrfr_tf.training.loop import Step
from lrfr_tf.training.outcome import Outcome
from lrfr_tf.training.run import Phase
from lrfr_tf.training.settings import TrainingSettings
from lrfr_tf.training.strategy import Devices
from lrfr_tf.training.super_resolution_examiner import SuperResolutionExaminer
from lrfr_tf.training.tensorboard import Monitor

SPLITS = ("train", "extra")
VALIDATION_FACES = 256
# SRGAN enlarges four times.
FRAMED_FACTOR = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class SuperResolutionSettings(TrainingSettings):
    """What SRCNN's and SRGAN's scripts have in common."""

    framing: str = option(
        "stored",
        "stored: faces as they lie in the trees; random: cut out of portraits anew at every step, anywhere between "
        "squash and face",
        ("stored", "random"),
    )
    low_size: int = option(16, "side of the LR faces in pixels", at_least=1)
    camera: tuple[str, ...] = option(
        (CLEAN_LEVEL,),
        "how LR is made of HR, see docs/camera.md: levels that take turns within a batch, such as "
        "clean,moderate,moderate,harsh",
        tuple(LEVELS),
    )
    facenet_weights: str | None = option(None, "a file with FaceNet's 128-D weights; default: the cache")
    identity_similarity: str = option(
        "auto", "measure it on the validation faces; auto: if FaceNet's weights are there", ("auto", "on", "off")
    )


@dataclasses.dataclass(frozen=True)
class RunFaces:
    """The faces of a run, uint8 [N, H, W, 3]: HR faces, or portraits that HR faces are framed out of at every step.

    Attributes:
        validation: HR faces.
        framed_size: side of what is framed; None where faces are taken as they are.
        embed: measures identity similarity, if there is anything to measure it by.
    """

    config: SuperResolutionSettings
    training: np.ndarray
    validation: np.ndarray
    framed_size: int | None
    embed: Embed | None

    @property
    def high_size(self) -> int:
        """Side of the HR faces in pixels."""
        return self.validation.shape[1]

    @property
    def counts(self) -> dict[str, int]:
        """How many there are, for `run.json`."""
        return {"training_faces": len(self.training), "validation_faces": len(self.validation)}

    def batches(
        self,
        first_step: int,
        features: tuple[tf.Tensor, tf.Tensor] | None = None,
        face_box: tuple[float, float, float, float] | None = None,
    ) -> tf.data.Dataset:
        """{"low": uint8 [B, low, low, 3], "high": uint8 [B, S, S, 3], ...} from `first_step` on; see `face_batches`."""
        config = self.config
        return face_batches(
            self.training, config.batch_size, config.seed, first_step=first_step, low_size=config.low_size,
            framed_size=self.framed_size, features=features, cameras=config.camera, face_box=face_box,
        )  # fmt: skip

    def face_box(self, template: str) -> tuple[float, float, float, float]:
        """Where a template of `faces.align` lies in the portraits.

        Raises:
            UserError: faces are not framed out of portraits, so nobody knows.
        """
        if self.framed_size is None:
            raise UserError("An embedder of aligned faces needs to know where they are: give `framing`=random.")
        return celeba_template_box(template, *self.training.shape[1:3])

    @functools.cached_property
    def photos(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """The validation faces as each camera level makes them, and what should be made of those."""
        faces, size = self.validation, self.config.low_size
        return {
            level: photograph_all_with_targets(faces, size, level, range(len(faces)), misplaced=False)
            for level in dict.fromkeys(self.config.camera)
            if level != CLEAN_LEVEL
        }


def load_run_faces(config: SuperResolutionSettings, devices: Devices) -> RunFaces:
    """Reads the faces of a run.

    Raises:
        UserError: nothing to train or validate on, sizes that do not fit, or no FaceNet weights where they are needed.
    """
    embed = _find_embedder(config)
    roots = [Path(item) for item in config.data]
    everybody = {name for root in roots for name in identities_in_tree(root)} if config.exclude else set()
    excluded = read_exclusions(config.exclude, everybody, config.allow_unmatched_exclusions, devices.note)
    training, _ = load_training_faces(roots, SPLITS, config.held_out_divisor, excluded)
    validation, _ = load_training_faces(roots, ("val",), config.held_out_divisor, excluded)
    # Evenly spread over all of them.
    count = min(VALIDATION_FACES, len(validation))
    validation = validation[np.unique(np.linspace(0, len(validation) - 1, count).astype(int))]
    framed_size = FRAMED_FACTOR * config.low_size if config.framing == "random" else None
    if framed_size:
        check_portraits(training)
        validation = alternate_framing(validation, framed_size)
    height, width = validation.shape[1:3]
    if width != height or height % config.low_size:
        raise UserError(
            f"HR faces of {width} x {height} pixels are no squares of a multiple of `low_size`={config.low_size}; "
            "portraits need `framing`=random."
        )
    # Here and not where the batches are made: the run folder is not touched yet.
    check_batch_size(training, config.batch_size, config.camera)
    return RunFaces(config, training, validation, framed_size, embed)


def super_resolution_phase(
    name: str,
    faces: RunFaces,
    devices: Devices,
    step: Step,
    *,
    batches: Callable[[int], tf.data.Dataset],
    outcome: Outcome,
    optimizer: keras.optimizers.Optimizer,
    enlarge_first: bool = False,
    length: str = "steps",
    folder: str = "model",
) -> Phase:
    """A phase that is watched on the validation faces, and whose network is stored as `load_super_resolver` takes it.

    Args:
        name, enlarge_first: of the network, see `KerasSuperResolver`.
        outcome: of the network.
        optimizer: whose rate is shown.
    """
    config = faces.config
    evaluated, stored = (
        KerasSuperResolver(
            name, network, low_size=config.low_size, high_size=faces.high_size, enlarge_first=enlarge_first
        )
        for network in (outcome.evaluated, outcome.stored)
    )
    monitor = None
    if devices.writes:
        low = degrade(faces.validation, config.low_size)
        examiner = SuperResolutionExaminer(
            low, faces.validation, evaluated.super_resolve, embed=faces.embed, photos=faces.photos
        )
        monitor = Monitor(Path(config.output), name, optimizer, examiner, outcome=outcome)
    store = functools.partial(save_super_resolver, resolver=stored)
    return Phase(name, step, batches, monitor, store, length, folder)


def _find_embedder(config: SuperResolutionSettings) -> Embed | None:
    embed = identity_embedder(config.facenet_weights) if config.identity_similarity != "off" else None
    if embed is None and (config.identity_similarity == "on" or config.best_metric == "identity_similarity"):
        raise UserError(
            "Identity similarity needs FaceNet's weights: run `make fetch` or give `facenet_weights`=FILE, and do "
            "not give `identity_similarity`=off."
        )
    return embed


def check_portraits(images: np.ndarray) -> None:
    """Raises UserError unless the images [N, H, W, 3] have CelebA's proportions."""
    height, width = images.shape[1:3]
    if width != portrait_width(height):
        raise UserError(
            f"`framing`=random needs portraits such as 89 x 109 pixels, not {width} x {height}; prepare the trees with "
            "framing=portrait and high_size=109."
        )


def alternate_framing(portraits: np.ndarray, size: int) -> np.ndarray:
    """Portraits as HR faces [N, size, size, 3], framed in turn as "face" and as "squash"."""
    box = celeba_face_box(*portraits.shape[1:3])
    return np.stack(
        [resize(crop(image, box) if index % 2 == 0 else image, size, size) for index, image in enumerate(portraits)]
    )
