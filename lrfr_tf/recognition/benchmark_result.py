"""What the four benchmark tools have in common: the embedder that their flags name, and the frame of their results."""

import dataclasses
import time
from pathlib import Path
from typing import Any, Protocol

from lrfr_tf.config import versions
from lrfr_tf.recognition.embedding import Embedder, load_embedder

SCHEMA = 1


class EmbedderFlags(Protocol):
    """The flags of a benchmark tool that say whose embeddings are measured."""

    @property
    def model(self) -> str: ...
    @property
    def backbone(self) -> str: ...
    @property
    def facenet_weights(self) -> str | None: ...
    @property
    def flip(self) -> bool: ...


def embedder_of(flags: EmbedderFlags) -> Embedder:
    """Loads the embedder that a tool's flags name.

    Raises:
        UserError: as `load_embedder` does.
    """
    weights = Path(flags.facenet_weights) if flags.facenet_weights else None
    embedder = load_embedder(flags.model, weights, flags.backbone)
    embedder.flip = flags.flip
    return embedder


def benchmark_result(
    benchmark: str, protocol: str, embedder: Embedder, measured: dict[str, Any], config: Any, started: float
) -> dict[str, Any]:
    """The result of a benchmark as its tool writes it.

    Args:
        benchmark: its name, a key of `data.benchmark_tree.FOLDERS`.
        protocol: in words.
        measured: counts, figures and checksums, which stand between the model and the settings.
        config: the tool's settings, a dataclass.
        started: when the tool began, by `time.monotonic`.
    """
    return {
        "schema": SCHEMA,
        "benchmark": benchmark,
        "protocol": protocol,
        "model": {"name": embedder.name, "sha256": embedder.checksum},
        **measured,
        "config": dataclasses.asdict(config),
        "versions": versions(),
        "seconds": round(time.monotonic() - started, 1),
    }
