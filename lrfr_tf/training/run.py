"""What the super-resolution train scripts share: the folder, the faces and the batches of a run."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.config import option, required, write_run_record
from lrfr_tf.data.face_cache import identities_in_tree, load_training_faces
from lrfr_tf.data.graph import check_batch_size, face_batches
from lrfr_tf.data.name_list import read_exclusions
from lrfr_tf.errors import UserError
from lrfr_tf.faces.frame import celeba_face_box, celeba_template_box, crop, portrait_width
from lrfr_tf.images.camera import CLEAN_LEVEL, LEVELS
from lrfr_tf.images.camera_numpy import photograph_all_with_targets
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import resize, resize_in_graph
from lrfr_tf.main import note
from lrfr_tf.resumable import open_folder
from lrfr_tf.training.data_checksums import checksums_of_data
from lrfr_tf.training.feature_cache import cache_features
from lrfr_tf.training.identity import Embed, identity_embedder
from lrfr_tf.training.loop import Schedule
from lrfr_tf.training.outcome import Outcome
from lrfr_tf.training.settings import FREE_SETTINGS, TrainingSettings
from lrfr_tf.training.strategy import is_chief
from lrfr_tf.training.tensorboard import Monitor

VALIDATION_FACES = 256
# SRGAN enlarges four times.
FRAMED_FACTOR = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class SuperResolutionSettings(TrainingSettings):
    """What SRCNN's and SRGAN's scripts have in common."""

    data: tuple[str, ...] = required("prepared trees to learn from")
    output: str = required("run folder: checkpoints, TensorBoard, run.json and the finished model/")
    splits: tuple[str, ...] = option(("train", "extra"), "splits to learn from")
    held_out_divisor: int = option(0, "leave out identities whose number is divisible by this (0: nobody)", at_least=0)
    exclude: str | None = option(None, "a file that names further identities to leave out, one a line")
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


class SuperResolutionRun:
    """The faces and the folder of a run; the folder is not touched before `open`.

    Args:
        config: the settings of a train script.
        strategy: the devices that train together; of several workers only the chief writes.

    Raises:
        UserError: nothing to train or validate on, sizes that do not fit, or no FaceNet weights where they are needed.
    """

    def __init__(self, config: SuperResolutionSettings, strategy: tf.distribute.Strategy) -> None:
        self.config = config
        self.strategy = strategy
        self.writes = is_chief(strategy)
        self.output = Path(config.output)
        self._embed = self._find_embedder()
        roots = [Path(item) for item in config.data]
        everybody = {name for root in roots for name in identities_in_tree(root)} if config.exclude else set()
        excluded = read_exclusions(config.exclude, everybody, config.allow_unmatched_exclusions, self._note)
        self.faces, _ = load_training_faces(roots, config.splits, config.held_out_divisor, excluded)
        validation, _ = load_training_faces(roots, ("val",), config.held_out_divisor, excluded)
        validation = _spread(validation, VALIDATION_FACES)
        self._framed_size = None
        self._features: tuple[tf.Tensor, tf.Tensor] | None = None
        self._face_box: tuple[float, float, float, float] | None = None
        if config.framing == "random":
            self._framed_size = FRAMED_FACTOR * config.low_size
            check_portraits(self.faces)
            validation = frame_in_turn(validation, self._framed_size)
        self._validation = validation
        self.high_size = validation.shape[1]
        if validation.shape[2] != self.high_size or self.high_size % config.low_size:
            raise UserError(
                f"HR faces of {validation.shape[2]} x {self.high_size} pixels are no squares of a multiple of "
                f"--low_size={config.low_size}; portraits need --framing=random."
            )
        # Here and not where the batches are made: the run folder is not touched yet.
        check_batch_size(self.faces, config.batch_size, config.camera)

    def open(self) -> None:
        """Opens the run folder, once everything else is known to be in order.

        Raises:
            UserError: the folder was begun with other settings, or its data changed since.
        """
        if not self.writes:
            return
        settings = {key: value for key, value in dataclasses.asdict(self.config).items() if key not in FREE_SETTINGS}
        settings["data_sha256"] = checksums_of_data(self.config.data, self.config.exclude)
        settings = {key: list(v) if isinstance(v, tuple) else v for key, v in settings.items()}
        open_folder(self.output, settings, of_data=("data_sha256",))
        counts = {"training_faces": len(self.faces), "validation_faces": len(self._validation)}
        write_run_record(self.output, self.config, **counts)

    def batches(self, first_step: int) -> tf.data.Dataset:
        """{"low": uint8 [B, low, low, 3], "high": uint8 [B, S, S, 3]} from `first_step` on."""
        return self._make_batches(first_step, None)

    def follow_faces(self, template: str) -> None:
        """Has batches say where the faces lie as on a template of `faces.align`, in "face_boxes".

        Raises:
            UserError: faces are not framed out of portraits, so nobody knows.
        """
        if self._framed_size is None:
            raise UserError("An embedder of aligned faces needs to know where they are: give --framing=random.")
        self._face_box = celeba_template_box(template, *self.faces.shape[1:3])

    def cache_features(self, network: keras.Model, largest_bytes: float) -> None:
        """Computes a feature network's view of the HR faces once, where those are always the same and it fits."""
        if self._framed_size is None and set(self.config.camera) == {CLEAN_LEVEL}:
            self._features = cache_features(network, self.faces, largest_bytes)

    def batches_with_features(self, first_step: int) -> tf.data.Dataset:
        """The same as `batches`, with "high_features" where `cache_features` kept them."""
        return self._make_batches(first_step, self._features)

    def enlarged_batches(self, first_step: int) -> tf.data.Dataset:
        """The same with "low" enlarged by bicubic to [B, S, S, 3], as SRCNN takes it."""
        size = self.high_size
        return self.batches(first_step).map(
            lambda batch: {"low": resize_in_graph(batch["low"], size, size), "high": batch["high"]}, tf.data.AUTOTUNE
        )

    def schedule(self, last_step: int) -> Schedule:
        """The intervals of a run, or of a phase of it, that ends at `last_step`."""
        config = self.config
        profile = self.output / "tensorboard" if config.profile else None
        every = (config.log_every, config.evaluate_every, config.save_every)
        return Schedule(last_step, *every, config.steps_per_call, profile)

    def monitor(
        self,
        name: str,
        super_resolve: Callable[[np.ndarray], np.ndarray],
        optimizer: keras.optimizers.Optimizer,
        outcome: Outcome,
    ) -> Monitor | None:
        """Watches a network on the validation faces (see `Monitor`); None where this worker does not write."""
        if not self.writes:
            return None
        low = degrade(self._validation, self.config.low_size)
        return Monitor(
            self.output, name, low, self._validation, super_resolve, optimizer, outcome, self._embed, self._photos
        )

    @functools.cached_property
    def _photos(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """The validation faces as each camera level makes them, and what should be made of those."""
        faces, levels = self._validation, dict.fromkeys(self.config.camera)
        return {
            level: photograph_all_with_targets(faces, self.config.low_size, level, range(len(faces)), misplaced=False)
            for level in levels
            if level != CLEAN_LEVEL
        }

    def show_last(self, monitor: Monitor | None) -> None:
        """Prints the last validation figures."""
        if monitor and monitor.history:
            last = monitor.history[-1]
            gains = [f"{last['psnr_gain']:+.2f} over bicubic"]
            gains += [
                f"{level} {last[f'psnr_gain_{level}']:+.2f}" for level in self.config.camera if level != CLEAN_LEVEL
            ]
            print(
                f"{self.output}: {last['network']} after {last['step']} steps: validation PSNR {last['psnr']:.2f} dB "
                f"({', '.join(dict.fromkeys(gains))}), SSIM {last['ssim']:.3f}, on {len(self._validation)} faces"
            )

    def _note(self, sentence: str) -> None:
        if self.writes:
            note(sentence)

    def _make_batches(self, first_step: int, features: tuple[tf.Tensor, tf.Tensor] | None) -> tf.data.Dataset:
        config = self.config
        return face_batches(
            self.faces,
            config.batch_size,
            config.seed,
            first_step,
            config.low_size,
            framed_size=self._framed_size,
            features=features,
            cameras=config.camera,
            face_box=self._face_box,
        )

    def _find_embedder(self) -> Embed | None:
        config = self.config
        embed = identity_embedder(config.facenet_weights) if config.identity_similarity != "off" else None
        if embed is None and (config.identity_similarity == "on" or config.best_metric == "identity_similarity"):
            raise UserError(
                "Identity similarity needs FaceNet's weights: run `make fetch` or give --facenet_weights=FILE, and do "
                "not give --identity_similarity=off."
            )
        return embed


def _spread(faces: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of the faces, evenly spread over all of them."""
    return faces[np.unique(np.linspace(0, len(faces) - 1, min(count, len(faces))).astype(int))]


def check_portraits(images: np.ndarray) -> None:
    """Raises UserError unless the images [N, H, W, 3] have CelebA's proportions."""
    height, width = images.shape[1:3]
    if width != portrait_width(height):
        raise UserError(
            f"--framing=random needs portraits such as 89 x 109 pixels, not {width} x {height}; prepare the trees with "
            "--framing=portrait --high_size=109."
        )


def frame_in_turn(portraits: np.ndarray, size: int) -> np.ndarray:
    """Portraits as HR faces [N, size, size, 3], framed in turn as "face" and as "squash"."""
    box = celeba_face_box(*portraits.shape[1:3])
    return np.stack(
        [resize(crop(image, box) if index % 2 == 0 else image, size, size) for index, image in enumerate(portraits)]
    )
