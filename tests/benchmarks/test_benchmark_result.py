"""The frame that all four benchmarks' results have."""

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.benchmarks.benchmark_result import benchmark_result, embedder_of
from lrfr_tf.errors import UserError
from tests.tools.small_embedders import embed_by_hand, write_small_embedder


@dataclasses.dataclass(frozen=True)
class Flags:
    model: str
    backbone: str = "spherenet20"
    facenet_weights: str | None = None
    flip: bool = False


def test_the_embedder_is_the_one_of_the_flags(tmp_path: Path, portrait: np.ndarray) -> None:
    model = str(write_small_embedder(tmp_path / "small" / "1").parent)
    face = portrait[:160, 150:310]
    for flip in (False, True):
        embedder = embedder_of(Flags(model, flip=flip))
        np.testing.assert_allclose(embedder.embed([face])[0], embed_by_hand(face, flip), atol=2e-3)
    with pytest.raises(UserError, match="nothing"):
        embedder_of(Flags(str(tmp_path / "nothing")))


def test_the_result_says_what_was_measured_how_and_with_what(tmp_path: Path) -> None:
    flags = Flags(str(write_small_embedder(tmp_path / "small" / "1").parent))
    embedder = embedder_of(flags)
    measured = {"counts": {"probes": 3}, "rank_1": 0.5}
    result = benchmark_result(
        "tinyface", "closed set", embedder, measured, config=flags, started=time.monotonic() - 2.0
    )
    assert list(result) == [
        "schema", "benchmark", "protocol", "model", "counts", "rank_1", "config", "versions", "seconds",
    ]  # fmt: skip
    assert result["model"] == {"name": embedder.name, "sha256": embedder.checksum}
    assert result["config"] == dataclasses.asdict(flags)
    assert "tensorflow" in result["versions"]
    assert 2.0 <= result["seconds"] < 60.0
