"""Trees -> embeddings on disk: policies, order, resuming. The embedder is a small stand-in with random weights."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pytest

from lrfr_tf.data.embeddings import EmbeddingSet, load_embeddings
from lrfr_tf.data.folders import FaceFile, read_classes
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import align_face
from lrfr_tf.faces.detect import Detection, FaceDetector
from lrfr_tf.files import read_json, sha256, write_json
from lrfr_tf.images.decode import read_image, write_png
from lrfr_tf.networks.embedders import KerasEmbedder
from lrfr_tf.networks.embedding import Embedder
from lrfr_tf.study import extract, grown_embeddings
from lrfr_tf.study.extract import Extraction, choose_crops, extract_tree
from tests.faces_by_code import person

BOX = np.array([[10, 12, 50, 60]], np.float32)
FOUND = Detection(BOX, np.array([0.99], np.float32), np.zeros((1, 5, 2), np.float32))
NOTHING = Detection(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    keras.utils.set_random_seed(0)
    images = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 5, strides=4, activation="relu")(keras.layers.Rescaling(1 / 255)(images))
    x = keras.layers.Dense(8)(keras.layers.Flatten()(x))
    return KerasEmbedder(keras.Model(images, keras.layers.UnitNormalization()(x)), "stand-in")


@pytest.fixture
def tree(portrait: np.ndarray, tmp_path: Path) -> Path:
    """Two persons, three splits; the last test image is grey and holds no face."""
    for split, count in (("train", 3), ("val", 1), ("test", 2)):
        for identity, name in enumerate(("2", "11")):
            for photo in range(count):
                write_png(tmp_path / "hr" / split / name / f"{photo}.png", person(portrait, identity, photo, size=64))
    write_png(tmp_path / "hr" / "test" / "11" / "1.png", np.full((64, 64, 3), 128, np.uint8))
    write_json(tmp_path / "manifest.json", {"schema": 1})
    return tmp_path


def extraction(embedder: Embedder, policy: str = "miss") -> Extraction:
    return Extraction(FaceDetector(), embedder, policy, {"name": "mtcnn"})


def test_crops_follow_the_policy() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    detections = [FOUND, NOTHING]
    crops, chosen = choose_crops(images, detections, "miss", None)
    assert chosen == ["detected", "miss"]
    assert np.array_equal(crops[0], images[0, 12:60, 10:50])
    assert crops[1] is None
    crops, chosen = choose_crops(images, detections, "whole", None)
    assert chosen == ["detected", "whole"]
    assert np.array_equal(crops[1], images[1])
    hr_boxes = np.array([[0, 0, 9, 9], [20, 22, 40, 44]], np.float32)
    crops, chosen = choose_crops(images, detections, "hr_box", hr_boxes)
    assert chosen == ["detected", "hr_box"]
    assert np.array_equal(crops[1], images[1, 22:44, 20:40])
    assert choose_crops(images, detections, "hr_box", np.full((2, 4), np.nan))[1] == ["detected", "miss"]


def test_aligned_crops_lie_on_the_template() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    landmarks = np.array([[20, 24], [44, 26], [32, 36], [24, 48], [41, 47]], np.float32)
    found = Detection(BOX, np.array([0.99], np.float32), landmarks[None])
    in_hr = np.stack([landmarks + 1, landmarks + 3, np.full((5, 2), np.nan, np.float32)])
    detections = [found, NOTHING, NOTHING]
    crops, chosen = choose_crops(images, detections, "hr_box", in_hr, template="centred")
    assert chosen == ["detected", "hr_box", "miss"]
    assert np.array_equal(crops[0], align_face(images[0], landmarks, template="centred"))
    assert np.array_equal(crops[1], align_face(images[1], landmarks + 3, template="centred"))
    assert crops[0].shape == (128, 128, 3)
    assert not np.array_equal(crops[0], align_face(images[0], landmarks, template="lai"))
    crops, chosen = choose_crops(images, detections, "whole", None, template="lai")
    assert chosen == ["detected", "whole", "whole"]
    assert np.array_equal(crops[1], images[1])


def test_the_face_that_is_meant_is_embedded_and_a_rival_is_named(
    tree: Path, embedder: Embedder, tmp_path: Path
) -> None:
    """The detector is surer of a face in the corner; in the second image that one is nearly as large."""

    class Detector(FaceDetector):
        def detect(self, images: Sequence[np.ndarray]) -> list[Detection]:
            large = [10, 4, 54, 60]
            boxes = [np.array([[0, 0, 20, height], large], np.float32) for height in (25, 45)]
            landmarks = np.arange(20, dtype=np.float32).reshape(2, 5, 2)
            return [Detection(both, np.array([0.99, 0.7], np.float32), landmarks) for both in boxes]

    how = Extraction(Detector(), embedder, "miss", {"name": "mtcnn"})
    assert extract_tree(tree / "hr", ("val",), ["2", "11"], how, output=tmp_path / "out", hr_output=None) == [
        "val/11/0.png"
    ]
    found = load_embeddings(tmp_path / "out", "val")
    assert found.boxes.tolist() == [[10, 4, 54, 60]] * 2
    assert found.landmarks[0, 0].tolist() == [10, 11]
    np.testing.assert_allclose(found.scores, 0.7)
    faces = [read_image(tree / "hr" / "val" / path)[4:60, 10:54] for path in found.paths]
    assert found.embeddings == pytest.approx(embedder.embed(faces), abs=1e-6)


def test_an_aligned_tree_is_another_than_one_of_boxes(tree: Path, embedder: Embedder, tmp_path: Path) -> None:
    boxes, output = tmp_path / "boxes", tmp_path / "aligned"
    aligned = dataclasses.replace(extraction(embedder), template="lai")
    extract_tree(tree / "hr", ("val",), ["2", "11"], extraction(embedder), output=boxes, hr_output=None)
    extract_tree(tree / "hr", ("val",), ["2", "11"], aligned, output=output, hr_output=None)
    assert json.loads((output / "manifest.json").read_text())["aligned"] == {"template": "lai", "size": 128}
    one, other = load_embeddings(boxes, "val"), load_embeddings(output, "val")
    assert np.array_equal(one.landmarks, other.landmarks)
    faces = [
        align_face(read_image(tree / "hr" / "val" / path), points)
        for path, points in zip(other.paths, other.landmarks, strict=True)
    ]
    assert other.embeddings == pytest.approx(embedder.embed(faces), abs=1e-6)
    assert np.abs(one.embeddings - other.embeddings).max() > 0.01
    with pytest.raises(UserError, match=r"other settings \(aligned\)"):
        extract_tree(tree / "hr", ("val",), ["2", "11"], aligned, output=boxes, hr_output=None)


def test_a_tree_is_embedded_in_order_with_misses_marked(tree: Path, embedder: Embedder, tmp_path: Path) -> None:
    output = tmp_path / "embeddings"
    extract_tree(tree / "hr", ("train", "test"), ["2", "11"], extraction(embedder), output=output, hr_output=None)
    test = load_embeddings(output, "test")
    assert test.paths == ["2/0.png", "2/1.png", "11/0.png", "11/1.png"]
    assert test.labels.tolist() == [0, 0, 1, 1]
    assert test.detected.tolist() == test.usable.tolist() == [True, True, True, False]
    assert test.crops == ["detected"] * 3 + ["miss"]
    assert np.linalg.norm(test.embeddings, axis=1) == pytest.approx([1, 1, 1, 0], abs=1e-5)
    assert np.isnan(test.boxes[3]).all()
    assert ((test.boxes[:3] >= 0) & (test.boxes[:3] <= 64)).all()
    assert json.loads((output / "manifest.json").read_text())["splits"]["train"]["images"] == 6
    # The landmarks of an upright face: eyes above the nose, the nose above the mouth.
    left_eye, right_eye, nose, mouth_left, _ = test.landmarks[0]
    assert left_eye[1] < nose[1] < mouth_left[1]
    assert left_eye[0] < right_eye[0]


def test_an_interrupted_extraction_goes_on_with_the_next_shard(
    tree: Path, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract, "SHARD_SIZE", 2)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    extract_tree(tree / "hr", ("train",), ["2", "11"], extraction(embedder), output=whole, hr_output=None)
    written = []
    write = extract.write_shard

    def stops_at_the_third(path: Path, rows: EmbeddingSet) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(path)
        write(path, rows)

    monkeypatch.setattr(extract, "write_shard", stops_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        extract_tree(tree / "hr", ("train",), ["2", "11"], extraction(embedder), output=parts, hr_output=None)
    with pytest.raises(UserError, match="shard-00002.npz is missing"):
        load_embeddings(parts, "train")
    monkeypatch.setattr(extract, "write_shard", lambda path, rows: (written.append(path), write(path, rows)))
    extract_tree(tree / "hr", ("train",), ["2", "11"], extraction(embedder), output=parts, hr_output=None)
    assert [path.name for path in written] == ["shard-00000.npz", "shard-00001.npz", "shard-00002.npz"]
    one, other = load_embeddings(whole, "train"), load_embeddings(parts, "train")
    assert one.paths == other.paths
    assert np.array_equal(one.embeddings, other.embeddings)


def test_other_settings_and_unknown_identities_are_refused(tree: Path, embedder: Embedder, tmp_path: Path) -> None:
    output = tmp_path / "embeddings"
    extract_tree(tree / "hr", ("val",), ["2", "11"], extraction(embedder), output=output, hr_output=None)
    with pytest.raises(UserError, match=r"other settings \(policy\)"):
        extract_tree(tree / "hr", ("val",), ["2", "11"], extraction(embedder, "whole"), output=output, hr_output=None)
    # The faces were made anew: their manifest says so.
    write_json(tree / "manifest.json", {"schema": 1, "framing": "another"})
    with pytest.raises(UserError, match="was begun with other data: what it was made of changed since"):
        extract_tree(tree / "hr", ("val",), ["2", "11"], extraction(embedder), output=output, hr_output=None)
    with pytest.raises(UserError, match="holds '11', which is not in the class map"):
        extract_tree(tree / "hr", ("val",), ["2"], extraction(embedder), output=tmp_path / "more", hr_output=None)


def test_the_hr_box_stands_in_where_nothing_is_found(tree: Path, embedder: Embedder, tmp_path: Path) -> None:
    how = extraction(embedder, "hr_box")
    extract_tree(tree / "hr", ("test",), ["2", "11"], how, output=tmp_path / "out" / "hr", hr_output=None)
    for path in (tree / "hr" / "test").rglob("*.png"):
        relative = path.relative_to(tree / "hr")
        write_png(tree / "grey" / relative, np.full((64, 64, 3), 90, np.uint8))
    extract_tree(
        tree / "grey", ("test",), ["2", "11"], how, output=tmp_path / "out" / "grey", hr_output=tmp_path / "out" / "hr"
    )
    test = load_embeddings(tmp_path / "out" / "grey", "test")
    assert test.crops == ["hr_box"] * 3 + ["miss"]
    assert test.detected.tolist() == [False] * 4
    assert test.usable.tolist() == [True] * 3 + [False]


def grow(tree: Path, portrait: np.ndarray) -> None:
    """A person between the two, in all splits, and a further photo of the first."""
    before = sha256(tree / "manifest.json")
    for split in ("train", "val", "test"):
        write_png(tree / "hr" / split / "7" / "0.png", person(portrait, 2, 0, size=64))
    write_png(tree / "hr" / "train" / "2" / "9.png", person(portrait, 0, 9, size=64))
    write_json(tree / "manifest.json", {"schema": 1, "grown_from": [before]})


def test_what_was_added_to_a_tree_is_embedded_and_only_that(
    tree: Path, embedder: Embedder, portrait: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract, "SHARD_SIZE", 2)
    splits, output, notes = ("train", "val", "test"), tmp_path / "out" / "hr", []
    for name in ("hr", "cut"):
        extract_tree(
            tree / "hr", splits, ["2", "11"], extraction(embedder), output=output.parent / name, hr_output=None
        )
    (output.parent / "cut" / "test" / "shard-00001.npz").unlink()  # as if that run had been interrupted
    before = {split: load_embeddings(output, split) for split in splits}
    grow(tree, portrait)
    extract_tree(tree / "hr", splits, ["2", "7", "11"], extraction(embedder), output=tmp_path / "whole", hr_output=None)
    embedded = []
    part = extract._embed_part

    def counts(folder: Path, files: Sequence[FaceFile], *others: object, **more: object) -> object:
        embedded.extend(f"{folder.name}/{file.path}" for file in files)
        return part(folder, files, *others, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(extract, "_embed_part", counts)
    write = extract.write_shard

    def stops_at_the_tests(path: Path, rows: EmbeddingSet) -> None:
        if path.parent.name == "test":
            raise KeyboardInterrupt
        write(path, rows)

    monkeypatch.setattr(extract, "write_shard", stops_at_the_tests)
    with pytest.raises(KeyboardInterrupt):
        extract_tree(tree / "hr", splits, ["2", "7", "11"], extraction(embedder), output=output, hr_output=None)
    assert load_embeddings(output, "train").paths == before["train"].paths  # the old ones are whole until the new are
    monkeypatch.setattr(extract, "write_shard", write)
    embedded.clear()
    extract_tree(
        tree / "hr", splits, ["2", "7", "11"], extraction(embedder), output=output, hr_output=None, note=notes.append
    )
    assert embedded == ["test/7/0.png"]
    assert notes == [f"{tree / 'hr'}: 1 person, 4 photos added."]
    embedded.clear()
    extract_tree(
        tree / "hr", splits, ["2", "7", "11"], extraction(embedder), output=output.parent / "cut", hr_output=None
    )
    assert sorted(set(embedded)) == [
        "test/11/0.png", "test/11/1.png", "test/7/0.png", "train/2/9.png", "train/7/0.png", "val/7/0.png",
    ]  # fmt: skip
    for folder in (output, output.parent / "cut"):
        assert read_json(folder / "manifest.json") == read_json(tmp_path / "whole" / "manifest.json")
        assert read_classes(folder) == ["2", "7", "11"]
        for split in splits:
            found, whole = load_embeddings(folder, split), load_embeddings(tmp_path / "whole", split)
            assert found.paths == whole.paths
            assert found.labels.tolist() == whole.labels.tolist()
            assert found.embeddings == pytest.approx(whole.embeddings, abs=1e-6)
        assert sorted(path.name for path in folder.iterdir()) == [
            "classes.json", "manifest.json", "test", "train", "val",
        ]  # fmt: skip


def test_shards_that_were_not_moved_to_their_place_are(
    tree: Path, embedder: Embedder, portrait: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, classes = tmp_path / "out", ["2", "7", "11"]
    extract_tree(tree / "hr", ("train", "val"), ["2", "11"], extraction(embedder), output=output, hr_output=None)
    grow(tree, portrait)
    with monkeypatch.context() as stopped:
        stopped.setattr(grown_embeddings, "_put_in_place", lambda output: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            extract_tree(tree / "hr", ("train", "val"), classes, extraction(embedder), output=output, hr_output=None)
    with pytest.raises(UserError, match="shard-00000.npz is missing; run the same"):
        load_embeddings(output, "train")
    monkeypatch.setattr(extract, "_embed_part", None)  # nothing is left to embed
    extract_tree(tree / "hr", ("train", "val"), classes, extraction(embedder), output=output, hr_output=None)
    assert load_embeddings(output, "val").paths == ["2/0.png", "7/0.png", "11/0.png"]
    assert not (output / ".grown").exists()
