"""Heads give the same scores after a round trip; the cosine head compares with mean templates."""

import json
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.data.embeddings import EmbeddingSet
from lrfr_tf.errors import UserError
from lrfr_tf.files import sha256
from lrfr_tf.networks import classifier as module
from lrfr_tf.networks.classifier import Classifier, load_classifier
from lrfr_tf.networks.head_kinds import KINDS
from lrfr_tf.training.classifier import fit_classifier

NAMES = ["2", "10", "anna", "bert", "nobody"]  # nobody has no face


def faces(seed: int, rows: int = 40) -> EmbeddingSet:
    """Faces of the first four classes; every seventh is a miss, with an embedding that would spoil a fit."""
    centers = np.random.default_rng(99).normal(size=(4, 8))
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(rows) % 4)
    embeddings = centers[labels] + 0.2 * random.normal(size=(rows, 8))
    embeddings = (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32)
    usable = np.arange(rows) % 7 != 0
    embeddings[~usable] = np.nan
    return EmbeddingSet(
        paths=[f"{NAMES[label]}/{row}.png" for row, label in enumerate(labels)],
        labels=labels,
        embeddings=embeddings,
        detected=usable,
        usable=usable,
        boxes=np.full((rows, 4), np.nan, np.float32),
        landmarks=np.full((rows, 5, 2), np.nan, np.float32),
        scores=usable.astype(np.float32),
        crops=["detected" if found else "miss" for found in usable],
    )


@pytest.fixture(scope="module")
def classifiers() -> dict[str, Classifier]:
    return {
        kind: fit_classifier(kind, faces(1), faces(2), NAMES, embedder_name="facenet-8", seed=0, epochs=5)
        for kind in KINDS
    }


@pytest.mark.parametrize("kind", KINDS)
def test_it_names_new_faces_and_survives_a_round_trip(
    kind: str, classifiers: dict[str, Classifier], tmp_path: Path
) -> None:
    classifier, new = classifiers[kind], faces(3)
    embeddings, labels = new.embeddings[new.usable], new.labels[new.usable]
    scores = classifier.scores(embeddings)
    assert scores.shape == (len(labels), 5)
    assert scores.dtype == np.float32
    assert np.mean(scores.argmax(axis=1) == labels) > 0.9
    if kind != "cosine":
        np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-5)
    classifier.save(tmp_path / "head")
    loaded = load_classifier(tmp_path / "head")
    np.testing.assert_array_equal(loaded.scores(embeddings), scores)
    assert (loaded.kind, loaded.class_names, loaded.embedder_name) == (kind, NAMES, "facenet-8")
    assert loaded.fit["train_images"] == int(faces(1).usable.sum())
    assert loaded.fit["train_identities"] == 4


def test_a_person_is_one_template(classifiers: dict[str, Classifier], monkeypatch: pytest.MonkeyPatch) -> None:
    gallery, new = faces(1), faces(3)
    probes = new.embeddings[new.usable]
    expected = np.full((len(probes), 5), -1.0)
    for label in range(4):
        mean = gallery.embeddings[gallery.usable & (gallery.labels == label)].astype(np.float64).mean(axis=0)
        for row, probe in enumerate(probes):
            expected[row, label] = float(np.dot(probe, mean)) / np.linalg.norm(mean)
    np.testing.assert_allclose(classifiers["cosine"].scores(probes), expected, atol=1e-6)
    assert np.all(expected[:, 4] == -1)
    monkeypatch.setattr(module, "VALUES_AT_ONCE", 100)  # chunks of two rows
    np.testing.assert_allclose(classifiers["cosine"].scores(probes), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["logistic", "mlp"])
def test_scores_do_not_depend_on_the_chunk(
    kind: str, classifiers: dict[str, Classifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    new = faces(3)
    whole = classifiers[kind].scores(new.embeddings[new.usable])
    monkeypatch.setattr(module, "VALUES_AT_ONCE", 2048 * 3)
    np.testing.assert_allclose(classifiers[kind].scores(new.embeddings[new.usable]), whole, atol=1e-6)


def test_a_class_without_a_face_is_never_named(classifiers: dict[str, Classifier]) -> None:
    new = faces(3)
    assert np.all(classifiers["logistic"].scores(new.embeddings[new.usable])[:, 4] == 0)


def test_saving_replaces_the_folder_as_a_whole(classifiers: dict[str, Classifier], tmp_path: Path) -> None:
    folder = tmp_path / "head"
    classifiers["cosine"].save(folder)
    classifiers["logistic"].save(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["head.json", "head.weights.h5"]
    assert [path.name for path in tmp_path.iterdir()] == ["head"]


def test_embeddings_of_another_size_are_refused(classifiers: dict[str, Classifier]) -> None:
    with pytest.raises(UserError, match=r"facenet-8 embeddings \[n, 8\], not \[3, 9\]"):
        classifiers["mlp"].scores(np.zeros((3, 9), np.float32))


def test_a_split_without_a_usable_face_is_refused() -> None:
    nothing = faces(1).rows(~faces(1).usable)
    for kind in KINDS:
        with pytest.raises(UserError, match="no usable training face"):
            fit_classifier(kind, nothing, faces(2), NAMES, embedder_name="facenet-8", seed=0)
    with pytest.raises(UserError, match="no usable validation row"):
        fit_classifier("mlp", faces(1), nothing, NAMES, embedder_name="facenet-8", seed=0)


def test_a_head_that_kept_all_faces_is_read_as_templates(classifiers: dict[str, Classifier], tmp_path: Path) -> None:
    classifiers["cosine"].save(tmp_path)
    train, new = faces(1), faces(3)
    stored = {"embeddings": train.embeddings[train.usable], "labels": train.labels[train.usable]}
    (tmp_path / "templates.npz").unlink()
    np.savez(tmp_path / "gallery.npz", **stored)
    description = json.loads((tmp_path / "head.json").read_text())
    (tmp_path / "head.json").write_text(json.dumps({**description, "sha256": sha256(tmp_path / "gallery.npz")}))
    expected = classifiers["cosine"].scores(new.embeddings[new.usable])
    np.testing.assert_allclose(load_classifier(tmp_path).scores(new.embeddings[new.usable]), expected, atol=1e-6)


def test_a_head_of_one_person_is_refused() -> None:
    alone = faces(1).rows(faces(1).labels == 0)
    for kind in ("logistic", "mlp"):
        with pytest.raises(UserError, match=f"a {kind} head of one person names everybody"):
            fit_classifier(kind, alone, alone, NAMES[:1], embedder_name="facenet-8", seed=0)
    assert fit_classifier("cosine", alone, alone, NAMES[:1], embedder_name="facenet-8", seed=0).class_names == NAMES[:1]


def test_damaged_folders_are_named(classifiers: dict[str, Classifier], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="head.json is missing"):
        load_classifier(tmp_path)
    for kind, name in (("cosine", "templates.npz"), ("logistic", "head.weights.h5")):
        folder = tmp_path / kind
        classifiers[kind].save(folder)
        (folder / name).write_bytes(b"not a head")
        with pytest.raises(UserError, match=f"{name} is not the file that head.json describes"):
            load_classifier(folder)
        (folder / name).unlink()
        with pytest.raises(UserError, match=f"{name} is missing"):
            load_classifier(folder)
    description = json.loads((folder / "head.json").read_text())
    (folder / "head.json").write_text(json.dumps({**description, "cut": "by hand"}))
    with pytest.raises(UserError, match="says that faces were cut out as 'by hand'"):
        load_classifier(folder)
    (folder / "head.json").write_text(json.dumps({**description, "schema": 99}))
    with pytest.raises(UserError, match="schema"):
        load_classifier(folder)
