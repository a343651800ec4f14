"""Whose embeddings a gallery holds: those of one network, known by the checksum of its content."""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.store import Store
from lrfr_tf.networks.model_lookup import find_model
from lrfr_tf.networks.saved_model import find_version, read_record
from lrfr_tf.recognition.calibration import Strangers, read_calibration

if TYPE_CHECKING:  # these load TensorFlow
    from lrfr_tf.recognition.recognizer import Recognizer

FACTS = ("model", "version", "embedder", "checksum", "dimensions")


@dataclasses.dataclass(frozen=True)
class EmbedderIdentity:
    """One network, and where it was.

    Attributes:
        model: a shipped network's name, or the path it was loaded from; empty: unknown.
        version: of an export; 0: it has none.
        embedder: the name that faces of it carry.
        checksum: SHA-256 of its content.
        dimensions: D of its embeddings; 0: not known yet.
    """

    model: str
    version: int
    embedder: str
    checksum: str
    dimensions: int

    @classmethod
    def of_model(cls, model: str | os.PathLike[str]) -> Self:
        """That of an export, read from its record; of other networks, which are loaded for it.

        Raises:
            UserError: there is no such network, or it was changed.
        """
        version = find_version(Path(model))
        if version is None:
            from lrfr_tf.recognition.recognizer import Recognizer

            return cls.of_recognizer(Recognizer(model))
        record = read_record(version)
        if "embed" not in record["signatures"]:
            raise UserError(f"{version} holds a model of the kind {record['kind']}, which cannot embed.")
        checksum = record["sha256"]
        name = f"{record['name']}-{record['version']}-{checksum[:12]}"
        return cls(_kept_name(model), record["version"], name, checksum, int(record.get("dimensions", 0)))

    @classmethod
    def of_recognizer(cls, recognizer: "Recognizer") -> Self:
        """That of the network a recognizer embeds with."""
        embedder = recognizer.embedder
        record: dict[str, Any] = getattr(embedder, "record", None) or {}
        model = _kept_name(recognizer.model) if recognizer.model else str(record.get("name", ""))
        return cls(model, int(record.get("version", 0)), embedder.name, embedder.checksum, embedder.dimensions)

    @classmethod
    def of_store(cls, store: Store) -> Self:
        """That which a gallery's embeddings are of."""
        facts = dict(store.read("SELECT name, value FROM fact"))
        return cls(*(facts[fact] for fact in FACTS))

    def as_facts(self) -> dict[str, Any]:
        """What a gallery's file keeps of it."""
        return dict(zip(FACTS, dataclasses.astuple(self), strict=True))

    def check_same(self, other: Self, label: str) -> None:
        """Refuses another network's embeddings.

        Raises:
            UserError: `other` is another network; it says how to migrate.
        """
        if (self.checksum or self.embedder) != (other.checksum or other.embedder):
            raise UserError(
                f"{label} holds embeddings of {self.embedder}, which cannot be compared with those of "
                f"{other.embedder}; lrfr gallery migrate embeds the stored pictures with another network."
            )

    def find(self) -> str:
        """Where the network lies today: its path, or the name of a published one."""
        folder = find_model(self.model)
        own = folder / str(self.version)
        return str(own if self.version and own.is_dir() else folder)

    def load_recognizer(self, label: str) -> "Recognizer":
        """Loads the network; TensorFlow with it.

        Raises:
            UserError: it is missing, or another one lies in its place.
        """
        from lrfr_tf.recognition.recognizer import Recognizer

        if not self.model:
            raise UserError(f"{label} does not know where its network {self.embedder} lies; give a recognizer.")
        recognizer = Recognizer(self.find())
        self.check_same(self.of_recognizer(recognizer), label)
        return recognizer

    def strangers(self) -> Strangers | None:
        """The calibration beside the network; None where there is none. TensorFlow is not loaded.

        Raises:
            UserError: the calibration is damaged or of another network.
        """
        version = find_version(Path(self.find())) if self.model else None
        return None if version is None or not self.version else read_calibration(version, self.checksum)


def _kept_name(model: str | os.PathLike[str]) -> str:
    """A shipped network stays a name, so that the file works elsewhere; a path becomes absolute."""
    name = os.fspath(model)
    return str(Path(name).resolve()) if Path(name).exists() else name
