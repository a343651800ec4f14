"""Pairs are found in a tree by their names, every image is embedded once, and rows hold what was measured."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lrfr_tf.benchmarks.verify_pairs import (
    embed_images,
    find_paired_faces,
    similarities,
    table_lines,
    verification_rows,
)
from lrfr_tf.data.face_cache import load_faces
from lrfr_tf.data.pairs import Pair, PairedImages
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.verification import fold_accuracy
from lrfr_tf.files import write_json
from lrfr_tf.images.decode import write_png
from lrfr_tf.networks.embedders import KerasEmbedder
from tests.tools.small_runs import small_embedder

FOLDS = [
    [Pair(("ann", "1a.jpg"), ("ann", "2a.jpg")), Pair(("ann", "1a.jpg"), ("bob", "1b.jpg"))],
    [Pair(("cat", "2c.jpg"), ("cat", "1c.jpg")), Pair(("ann", "2a.jpg"), ("cat", "1c.jpg"))],
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Five images of noise in three splits."""
    random = np.random.default_rng(0)
    for path in ("train/ann/1a", "test/ann/2a", "val/bob/1b", "extra/cat/1c", "train/cat/2c", "train/cat/3c"):
        write_png(tmp_path / "hr" / f"{path}.png", random.integers(0, 256, (32, 32, 3), dtype=np.uint8))
    write_json(tmp_path / "manifest.json", {"schema": 1})
    return tmp_path


def test_pairs_are_found_in_any_split_and_each_image_once(tree: Path) -> None:
    paired = find_paired_faces(tree, FOLDS)
    paths = [face.path for face in paired.images]
    expected = ["train/ann/1a.png", "test/ann/2a.png", "val/bob/1b.png", "train/cat/2c.png", "extra/cat/1c.png"]
    assert sorted(paths) == sorted(expected)
    ends = [(paths[first], paths[second]) for first, second in zip(paired.first, paired.second, strict=True)]
    assert ends[0] == ("train/ann/1a.png", "test/ann/2a.png")
    assert ends[2] == ("train/cat/2c.png", "extra/cat/1c.png")
    assert paired.same.tolist() == [True, False, True, False]
    assert paired.folds.tolist() == [0, 0, 1, 1]
    assert [first == second for first, second in paired.persons] == paired.same.tolist()
    assert paired.counts() == {
        "pairs": 4, "matched": 2, "folds": 2, "persons": 3, "persons_in_several_folds": 1, "images": 5,
    }  # fmt: skip


def test_cosines_are_those_of_the_pairs(tree: Path) -> None:
    class Counting(KerasEmbedder):
        images = 0

        def embed(self, faces: object) -> np.ndarray:
            Counting.images += len(faces)  # type: ignore[arg-type]
            return super().embed(faces)  # type: ignore[arg-type]

    paired = find_paired_faces(tree, FOLDS)
    faces = load_faces(tree / "hr", paired.images)
    embeddings = embed_images(Counting(small_embedder().network, "stand-in"), faces, "embed")
    assert Counting.images == 5
    found = similarities(embeddings, embeddings, paired)
    for pair, (one, other) in enumerate(zip(paired.first, paired.second, strict=True)):
        a, b = small_embedder().embed(faces[[one, other]])
        assert found[pair] == pytest.approx(float(a @ b), abs=1e-5)
    others = np.roll(embeddings, 1, axis=0)
    assert similarities(embeddings, others, paired)[0] == pytest.approx(
        float(embeddings[paired.first[0]] @ others[paired.second[0]]), abs=1e-6
    )


def test_images_that_are_not_there(tree: Path) -> None:
    with pytest.raises(UserError, match="lacks 1 of 2 images that the list of pairs names, such as bob/9b"):
        find_paired_faces(tree, [[Pair(("ann", "1a.png"), ("bob", "9b.png"))]])
    write_png(tree / "hr" / "val" / "ann" / "1a.png", np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(UserError, match=r"holds ann/1a twice: train/ann/1a.png and val/ann/1a.png"):
        find_paired_faces(tree, FOLDS)


def test_rows_and_table() -> None:
    random = np.random.default_rng(0)
    same, folds = np.tile(np.repeat([True, False], 20), 10), np.repeat(np.arange(10), 40)
    persons = np.stack([folds * 4, folds * 4 + np.where(same, 0, random.integers(1, 4, 400))], axis=1)
    paired = PairedImages([], [], np.zeros(400, int), np.zeros(400, int), same, folds, persons)
    assert paired.counts()["persons_in_several_folds"] == 0
    scores = {"hr": random.normal(same * 2.5, 1), "bicubic": random.normal(same, 1), "good": random.normal(same * 2, 1)}
    rows = verification_rows(scores, paired, "bicubic")
    for name, values in scores.items():
        assert rows[name]["accuracy"]["mean"] == fold_accuracy(values, same, folds).mean
        assert rows[name]["auc"] == pytest.approx(roc_auc_score(same, values))
        assert len(rows[name]["accuracy"]["thresholds"]) == 10
    difference = rows["good"]["difference_to_bicubic"]
    assert difference["mean"] == pytest.approx(rows["good"]["accuracy"]["mean"] - rows["bicubic"]["accuracy"]["mean"])
    assert 0 < difference["interval_95"][0] < difference["mean"] < difference["interval_95"][1]
    assert difference["interval_95_over_persons"] != difference["interval_95"]
    assert rows["bicubic"]["difference_to_bicubic"] is None
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    lines = table_lines(rows, "bicubic")
    assert [line.split()[0] for line in lines[1:]] == ["hr", "bicubic", "good"]
    assert f"{100 * rows['good']['accuracy']['mean']:.2f}" in lines[3]
