"""What all benchmarks have in common: the embedder that their settings name, and the frame of their results."""

import dataclasses
import time
from pathlib import Path
from typing import Any

from lrfr_tf.config import versions
from lrfr_tf.main import note
from lrfr_tf.networks.embedding import Embedder, load_embedder, template_for

SCHEMA = 1


def embedder_of(settings: Any) -> Embedder:
    """Loads the embedder that the settings of a benchmark name: `model`, `backbone`, `facenet_weights` and `flip`.

    Raises:
        UserError: as `load_embedder` does.
    """
    weights = Path(settings.facenet_weights) if settings.facenet_weights else None
    embedder = load_embedder(settings.model, weights, settings.backbone)
    embedder.flip = settings.flip
    return embedder


def template_to_measure(embedder: Embedder, asked: str | None) -> str:
    """The template on which a benchmark's photos are aligned: the embedder's own, unless another one is asked for. What
    that costs may be measured, and a note says so.

    Raises:
        UserError: as `template_for` does.
    """
    if asked is None:
        return template_for(embedder)
    if embedder.template not in (None, asked):
        note(f"{embedder.name} was trained on the template {embedder.template!r}, and is measured on {asked!r}.")
    return asked


def benchmark_result(
    benchmark: str, protocol: str, embedder: Embedder, measured: dict[str, Any], *, config: Any, started: float
) -> dict[str, Any]:
    """The result of a benchmark as its command writes it.

    Args:
        benchmark: its name.
        protocol: in words.
        measured: counts, figures and checksums, which stand between the model and the settings.
        config: the command's settings, a dataclass.
        started: when the command began, by `time.monotonic`.
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
