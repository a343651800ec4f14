"""What tools/evaluate_pixels.py refuses in one sentence; its figures are tested end to end."""

from pathlib import Path

import numpy as np

from lrfr_tf.data.embeddings import EmbeddingSet, shard_path, write_shard
from lrfr_tf.data.folders import list_faces, write_classes
from lrfr_tf.files import sha256, write_json
from tests.cli.conftest import Refused, Tool
from tests.tools.held_out_tree import write_held_out_tree


def write_hr_embeddings(folder: Path, data: Path) -> None:
    """HR embeddings in which every face was found at the same place."""
    manifest = {
        "schema": 1,
        "embedder": "another",
        "detector": {"name": "mtcnn"},
        "policy": "miss",
        "source": sha256(data / "manifest.json"),
        "splits": {split: {"images": 2, "shards": 1} for split in ("train", "test")},
    }
    write_json(folder / "hr" / "manifest.json", manifest)
    write_classes(folder / "hr", ["1", "2"])
    for split in ("train", "test"):
        files = list_faces(data / "hr", split)
        count = len(files)
        rows = EmbeddingSet(
            paths=[file.path for file in files],
            labels=np.array([int(file.identity) - 1 for file in files]),
            embeddings=np.eye(count, dtype=np.float32),
            detected=np.ones(count, bool),
            usable=np.ones(count, bool),
            boxes=np.tile(np.array([8, 8, 50, 60], np.float32), (count, 1)),
            landmarks=np.zeros((count, 5, 2), np.float32),
            scores=np.ones(count, np.float32),
            crops=["detected"] * count,
        )
        write_shard(shard_path(folder / "hr", split, 0), rows)


def test_bad_calls_are_refused(tool: Tool, refused: Refused, portrait: np.ndarray, tmp_path: Path) -> None:
    module, output = tool("evaluate_pixels"), tmp_path / "out" / "result.json"
    data = write_held_out_tree(tmp_path / "data", portrait, (1, 2), train_images=1)
    write_hr_embeddings(tmp_path / "embeddings", data)
    given = (f"--data={data}", f"--embeddings={tmp_path / 'embeddings'}", f"--output={output}")
    assert "--siamese and --siamese_embeddings belong together" in refused(module, *given, "--siamese=x")
    assert "--sizes=8,65 must lie in 1 to 64, the side of HR" in refused(module, *given, "--sizes=8,65")
    assert "--models=srcnn is not of the form name=folder" in refused(module, *given, "--models=srcnn")
    assert "No test identity is divisible by --held_out_divisor=5" in refused(module, *given, "--held_out_divisor=5")
    assert f"--output={tmp_path} is a folder" in refused(module, *given[:2], f"--output={tmp_path}")
    message = refused(module, given[0], f"--embeddings={tmp_path / 'nothing'}", given[2])
    assert "holds no embeddings" in message
    write_json(data / "manifest.json", {"schema": 1, "framing": "another"})
    assert "were made from another tree than" in refused(module, *given)
    assert not output.parent.exists()
