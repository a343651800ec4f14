"""The whole script on synthetic embeddings."""

import json
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.cli.train_classifier import Config, main
from lrfr_tf.data.embeddings import SCHEMA, EmbeddingSet, shard_path, write_shard
from lrfr_tf.data.folders import write_classes
from lrfr_tf.files import read_json, sha256, write_json
from lrfr_tf.main import run
from lrfr_tf.networks.classifier import load_classifier

CLASSES = ["1", "2", "3"]
ROWS = {"train": 30, "val": 12}


def write_embeddings(folder: Path, seed: int) -> None:
    """Embeddings of three separable people; the first validation face is a miss."""
    centers = np.random.default_rng(99).normal(size=(3, 8))
    random = np.random.default_rng(seed)
    for split, rows in ROWS.items():
        labels = np.arange(rows) % 3
        embeddings = centers[labels] + 0.1 * random.normal(size=(rows, 8))
        embeddings = (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32)
        usable = np.ones(rows, bool)
        if split == "val":
            usable[0], embeddings[0] = False, 0.0
        faces = EmbeddingSet(
            paths=[f"{CLASSES[label]}/{row}.png" for row, label in enumerate(labels)],
            labels=labels,
            embeddings=embeddings,
            detected=usable,
            usable=usable,
            boxes=np.full((rows, 4), np.nan, np.float32),
            landmarks=np.full((rows, 5, 2), np.nan, np.float32),
            scores=usable.astype(np.float32),
            crops=["detected" if found else "miss" for found in usable],
        )
        write_shard(shard_path(folder, split, 0), faces)
    write_classes(folder, CLASSES)
    splits = {split: {"images": rows, "shards": 1} for split, rows in ROWS.items()}
    write_json(folder / "manifest.json", {"schema": SCHEMA, "embedder": "facenet-8", "splits": splits})


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("embeddings")
    for seed, method in enumerate(("hr", "bicubic")):
        write_embeddings(root / method, seed)
    aligned = {"aligned": {"template": "centred", "size": 128}}
    write_json(root / method / "manifest.json", {**read_json(root / method / "manifest.json"), **aligned})
    return root


def test_every_head_of_every_method_is_fitted_and_reported(
    embeddings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(Config(embeddings=str(embeddings), output=str(tmp_path), epochs=5))
    for method in ("hr", "bicubic"):
        for head in ("logistic", "mlp", "cosine"):
            classifier = load_classifier(tmp_path / method / head)
            assert (classifier.class_names, classifier.embedder_name) == (CLASSES, "facenet-8")
            cut = ("box", None) if method == "hr" else ("aligned", "centred")
            assert (classifier.cut, classifier.template) == cut
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["data_sha256"] == {
        str(embeddings / method): sha256(embeddings / method / "manifest.json") for method in ("bicubic", "hr")
    }
    results = record["results"]
    assert len(results) == 6
    for result in results:
        # The miss is wrong: eleven of the twelve validation faces are right.
        assert result["val_top_1"] == pytest.approx(11 / 12)
        assert result["train_top_1"] == (None if result["head"] == "cosine" else 1.0)
    assert "test" not in capsys.readouterr().out


def test_only_the_chosen_methods_and_heads_are_fitted(embeddings: Path, tmp_path: Path) -> None:
    main(Config(embeddings=str(embeddings), output=str(tmp_path), methods=("bicubic",), head=("cosine",)))
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*")) == ["bicubic/cosine"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--head=svm"], "--head=svm is not known"),
        (["--methods=esrgan"], "esrgan holds no embeddings"),
        (["--embeddings=/nowhere"], "/nowhere has no folder of embeddings"),
        (["--C=0"], "--C=0.0 is out of range; it must be above 0"),
        (["--epochs=0"], "--epochs=0 is out of range; it must be at least 1"),
    ],
)
def test_bad_flags_exit_with_one_sentence(
    flags: list[str], message: str, embeddings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(main, Config, ["train_classifier", f"--embeddings={embeddings}", f"--output={tmp_path}/heads", *flags])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "heads").exists()
