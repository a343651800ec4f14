"""What an evaluation refuses before it reads a face; its figures are tested end to end and in test_table."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.data.embeddings import EmbeddingSet, shard_path, write_shard
from lrfr_tf.data.folders import write_classes
from lrfr_tf.errors import UserError
from lrfr_tf.files import sha256, write_json
from lrfr_tf.images.decode import write_png
from lrfr_tf.networks.classifier import Classifier
from lrfr_tf.networks.heads import make_templates
from lrfr_tf.study.evaluate import Evaluation


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    write_json(tmp_path / "data" / "manifest.json", {"schema": 1})
    common = {"schema": 1, "embedder": "a", "detector": {"name": "mtcnn"}, "policy": "miss", "splits": {}}
    write_json(tmp_path / "embeddings" / "hr" / "manifest.json", {**common, "source": "of another tree"})
    write_json(tmp_path / "embeddings" / "srgan" / "manifest.json", {**common, "source": "x", "policy": "whole"})
    return tmp_path


def open_evaluation(folders: Path, *methods: str) -> Evaluation:
    return Evaluation(folders / "data", folders / "embeddings", folders / "heads", methods, held_out_divisor=0)


def test_embeddings_of_another_tree_are_refused(folders: Path) -> None:
    with pytest.raises(UserError, match="were made from another tree than"):
        open_evaluation(folders, "hr")


def test_embeddings_made_with_different_settings_are_refused(folders: Path) -> None:
    with pytest.raises(UserError, match=r"were made with different settings \(policy\)"):
        open_evaluation(folders, "hr", "srgan")


def write_embeddings(folder: Path, data: Path, **settings: object) -> None:
    """The HR and bicubic embeddings of two test images; every row is found."""
    write_classes(folder / "hr", ["1", "2"])
    for method in ("hr", "bicubic"):
        manifest = {
            "schema": 1,
            "embedder": "a",
            "detector": {"name": "mtcnn"},
            "policy": "miss",
            "source": sha256(data / "manifest.json"),
            "splits": {"test": {"images": 2, "shards": 1}},
            **settings,
        }
        write_json(folder / method / "manifest.json", manifest)
        rows = EmbeddingSet(
            paths=["1/0.png", "2/0.png"],
            labels=np.array([0, 1]),
            embeddings=np.eye(2, dtype=np.float32),
            detected=np.ones(2, bool),
            usable=np.ones(2, bool),
            boxes=np.zeros((2, 4), np.float32),
            landmarks=np.zeros((2, 5, 2), np.float32),
            scores=np.ones(2, np.float32),
            crops=["detected"] * 2,
        )
        write_shard(shard_path(folder / method, "test", 0), rows)


ALIGNED = {"template": "lai", "size": 128}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "siamese are not of aligned faces"),
        ({"aligned": ALIGNED, "policy": "whole"}, r"siamese were made with different settings \(policy\)"),
        ({"aligned": ALIGNED, "source": "x"}, "siamese were made from another tree"),
    ],
)
def test_siamese_embeddings_that_do_not_fit_are_refused(
    tmp_path: Path, settings: dict[str, object], sentence: str
) -> None:
    data = tmp_path / "data"
    write_json(data / "manifest.json", {"schema": 1})
    write_embeddings(tmp_path / "facenet", data)
    write_embeddings(tmp_path / "siamese", data, **settings)
    with pytest.raises(UserError, match=sentence):
        Evaluation(
            data,
            tmp_path / "facenet",
            tmp_path,
            ("hr", "bicubic"),
            held_out_divisor=0,
            siamese=(tmp_path / "siamese", tmp_path / "heads"),
        )


def test_heads_of_another_embedder_are_refused(tmp_path: Path) -> None:
    data, heads = tmp_path / "data", tmp_path / "heads"
    write_json(data / "manifest.json", {"schema": 1})
    write_embeddings(tmp_path / "facenet", data)
    for kind in ("hr", "bicubic", "lr"):
        for name in ("1", "2"):
            write_png(data / kind / "test" / name / "0.png", np.zeros((8, 8, 3), np.uint8))
    gallery = make_templates(np.eye(2, dtype=np.float32), np.array([0, 1]), 2)
    Classifier("cosine", ["1", "2"], "b", gallery).save(heads / "hr" / "cosine")
    with pytest.raises(UserError, match="fitted on embeddings by b, but those in .*facenet are by a"):
        Evaluation(data, tmp_path / "facenet", heads, ("hr", "bicubic"), held_out_divisor=0)
    Classifier("cosine", ["1", "2"], "a", gallery).save(heads / "hr" / "cosine")
    assert len(Evaluation(data, tmp_path / "facenet", heads, ("hr", "bicubic"), held_out_divisor=0).recognitions) == 2


def test_hr_must_be_among_the_methods(folders: Path) -> None:
    with pytest.raises(UserError, match="`methods` must name hr"):
        open_evaluation(folders, "srgan")
