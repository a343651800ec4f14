"""What the train scripts of embedders share: the trees of aligned faces, the folder and the intervals of a run."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from lrfr_tf.config import option, required, write_run_record
from lrfr_tf.data.aligned import AlignedFiles, common_template, list_aligned_faces
from lrfr_tf.data.face_cache import identities_in_tree
from lrfr_tf.data.name_list import read_exclusions
from lrfr_tf.main import note
from lrfr_tf.resumable import open_folder
from lrfr_tf.training.data_checksums import checksums_of_data
from lrfr_tf.training.loop import Schedule
from lrfr_tf.training.settings import FREE_SETTINGS, TrainingSettings
from lrfr_tf.training.strategy import is_chief


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlignedSettings(TrainingSettings):
    """The flags that say what an embedder learns from, and where the run lies."""

    data: tuple[str, ...] = required(
        "aligned trees, as tools/prepare_aligned.py or tools/prepare_vggface2.py make them"
    )
    output: str = required("folder of the run; a run that was stopped goes on there")
    held_out_divisor: int = option(5, "leave out identities whose number is divisible by this (0: nobody)", at_least=0)
    exclude: str | None = option(None, "a list of further identities to leave out, one a line")
    steps: int = required("training steps")


class AlignedRun:
    """The faces and the folder of a run; the folder is not touched before `begin`.

    Attributes:
        files: all faces of the trees but those of held-out and excluded identities.
        template: on which they are aligned.
        writes: whether this process writes files and progress.

    Raises:
        UserError: no face is left, trees are framed differently, or the list of identities does not fit them.
    """

    def __init__(self, config: AlignedSettings, strategy: tf.distribute.Strategy) -> None:
        self._settings = config
        self.writes = is_chief(strategy)
        self.output = Path(config.output)
        roots = [Path(root) for root in config.data]
        self.template = common_template(roots)
        there = {name for root in roots for name in identities_in_tree(root)} if config.exclude else set()
        excluded = read_exclusions(config.exclude, there, config.allow_unmatched_exclusions, self._note)
        self.files: AlignedFiles = list_aligned_faces(roots, config.held_out_divisor, excluded)

    def begin(self, free: Sequence[str], **facts: int) -> None:
        """Opens the run folder, once everything else is known to be in order, and says what the run learns from.

        Args:
            free: settings that may change when the run is resumed, beside `FREE_SETTINGS`.
            facts: further numbers for `run.json`.

        Raises:
            UserError: the folder was begun with other settings, or its data changed since.
        """
        if not self.writes:
            return
        config, free = self._settings, (*FREE_SETTINGS, *free)
        settings = {key: value for key, value in dataclasses.asdict(config).items() if key not in free}
        settings["data_sha256"] = checksums_of_data(config.data, config.exclude)
        settings = {key: list(v) if isinstance(v, tuple) else v for key, v in settings.items()}
        open_folder(self.output, settings, of_data=("data_sha256",))
        faces, identities = len(self.files.paths), len(self.files.names)
        counts = {"training_faces": faces, "training_identities": identities, **facts}
        write_run_record(self.output, config, template=self.template, **counts)
        divisor = config.held_out_divisor
        without = f" (those whose number is divisible by {divisor} are left out)" if divisor else ""
        print(f"{self.output}: {faces:,} faces of {identities:,} identities{without}")

    def schedule(self) -> Schedule:
        """The intervals of the run, which ends at `--steps`."""
        config = self._settings
        profile = self.output / "tensorboard" if config.profile else None
        every = (config.log_every, config.evaluate_every, config.save_every)
        return Schedule(config.steps, *every, config.steps_per_call, profile)

    def _note(self, sentence: str) -> None:
        if self.writes:
            note(sentence)
