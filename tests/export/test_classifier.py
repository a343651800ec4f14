"""The exported classifier: scores of every head, names, files, refusals, and the program that shows SavedModels."""

import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.export.check import describe_signature
from lrfr_tf.export.classifier import servable_classifier
from lrfr_tf.export.embedder import servable_embedder
from lrfr_tf.export.servable import ExportError, Servable, export_saved_model
from lrfr_tf.export.super_resolution import servable_super_resolver
from lrfr_tf.files import read_json, write_json
from lrfr_tf.images.decode import decode_image
from lrfr_tf.models.backbone import backbone
from lrfr_tf.models.heads import linear_head, mlp_head
from lrfr_tf.models.srgan import generator_paper
from lrfr_tf.networks.classifier import Classifier, load_classifier
from lrfr_tf.networks.embedders import KerasEmbedder
from lrfr_tf.networks.embedding import Embedder, load_embedder
from lrfr_tf.networks.exported_classifier import load_exported_classifier
from lrfr_tf.networks.graph_part import embeddings_in_graph
from lrfr_tf.networks.heads import HeadNetwork, make_templates
from lrfr_tf.networks.saved_model import content_checksum, file_checksums
from lrfr_tf.networks.stored_network import StoredNetwork
from lrfr_tf.networks.super_resolution import load_super_resolver, save_super_resolver
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from lrfr_tf.weights.backbone import write_embedder_record
from tests.checked_here import checked_here
from tests.faces_by_code import person
from tests.tools.small_embedders import GRID, embed_by_hand, pillow, write_small_embedder

NAMES = ["Zoë", "a b ", "3", "#x,y", "李", "Ann", "Bob"]
FACES = {"faces": ["uint8", [None, None, None, 3]]}
ANSWERS = {"identity": ["string", [None, 5]], "score": ["float32", [None, 5]]}
CONTRACT = {
    "serving_default": {"inputs": FACES, "outputs": ANSWERS},
    "identify": {"inputs": FACES, "outputs": ANSWERS},
    "identify_bytes": {"inputs": {"image_bytes": ["string", [None]]}, "outputs": ANSWERS},
}


@pytest.fixture(scope="module")
def faces(portrait: np.ndarray) -> np.ndarray:
    return np.stack([person(portrait, identity, 0, 48) for identity in range(6)])


@pytest.fixture(scope="module")
def embedder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_small_embedder(tmp_path_factory.mktemp("embedder") / "small" / "1")
    write_json(folder / "model.json", {**read_json(folder / "model.json"), "input_size": GRID, "stored_as": "float32"})
    return folder  # it has no parameters


@pytest.fixture(scope="module")
def generator_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's network, with batch norm to fold."""
    keras.utils.set_random_seed(0)
    network = generator_paper(16, blocks=1, filters=4)
    random = np.random.default_rng(1)
    network.set_weights([w + random.uniform(-0.02, 0.02, w.shape).astype(w.dtype) for w in network.get_weights()])
    folder = tmp_path_factory.mktemp("runs") / "model"
    save_super_resolver(folder, KerasSuperResolver("srgan", network))
    return folder


@pytest.fixture(scope="module")
def resolver_export(generator_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as an export; written without its check, which test_export.py is for."""
    servable = servable_super_resolver(generator_folder)
    folder = tmp_path_factory.mktemp("resolver") / "srgan" / "4"
    return write_export(folder, servable.kind, servable.module, servable.signatures, **servable.facts)


def write_export(folder: Path, kind: str, module: tf.Module, signatures: dict[str, Any], **facts: Any) -> Path:
    """An export without its check."""
    tf.saved_model.save(module, str(folder), signatures=signatures)
    files = file_checksums(folder)
    record = {
        "schema": 1, "kind": kind, "name": folder.parent.name, "version": int(folder.name),
        "signatures": {name: describe_signature(function) for name, function in signatures.items()},
        **facts, "sha256": content_checksum(files), "files": files,
    }  # fmt: skip
    write_json(folder / "model.json", record)
    return folder


def small_network(name: str = "stand-in", template: str | None = "lai") -> Embedder:
    """A Keras embedder (of aligned faces, if it has a template) that tells the tinted persons apart.

    It sees the mean colors of a 4 x 4 grid.
    """
    images = keras.Input((32, 32, 3))
    x = keras.layers.Rescaling(1 / 255, offset=-0.5)(keras.layers.AveragePooling2D(8)(images))
    x = keras.layers.UnitNormalization()(keras.layers.Flatten()(x))
    return KerasEmbedder(keras.Model(images, x), name, template=template)


def write_head(folder: Path, kind: str, embedder: Embedder, names: list[str], seed: int = 0) -> Classifier:
    """A head of random weights, or templates of random faces of which one class has none and one has two."""
    random = np.random.default_rng(seed)
    head: Any
    if kind == "cosine":
        labels = np.array([*range(len(names) - 2), 0, len(names) - 1])
        gallery = random.normal(size=(len(labels), embedder.dimensions)).astype(np.float32)
        gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
        head = make_templates(gallery, labels, len(names))
    else:
        network = (mlp_head if kind == "mlp" else linear_head)(embedder.dimensions, len(names))
        # Probabilities that differ well, but of which none is 1.
        scale = 0.5 if kind == "mlp" else 2.0
        network.set_weights([random.normal(0, scale / len(w) ** 0.5, w.shape) for w in network.get_weights()])
        head = HeadNetwork(kind, network)
    classifier = Classifier(kind, names, embedder.name, head)
    classifier.save(folder)
    return classifier


def best(classifier: Classifier, embeddings: np.ndarray, count: int = 5) -> tuple[list[list[str]], np.ndarray]:
    """Names and scores, the best first, by plain Python."""
    names, rows = [], []
    for row in classifier.scores(embeddings):
        order = sorted(range(len(row)), key=lambda label: -row[label])[:count]
        names.append([classifier.class_names[label] for label in order])
        rows.append([row[label] for label in order])
    return names, np.array(rows)


def decoded(identity: tf.Tensor) -> list[list[str]]:
    return [[name.decode() for name in row] for row in identity.numpy()]


def file_of(image: np.ndarray, image_format: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, image_format)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["logistic", "mlp", "cosine"])
@pytest.mark.parametrize("super_resolved", [True, False])
def test_scores_are_those_of_the_parts(
    kind: str, super_resolved: bool, faces: np.ndarray, generator_folder: Path, tmp_path: Path
) -> None:
    embedder = small_network()
    classifier = write_head(tmp_path / "head", kind, embedder, NAMES)
    resolver = load_super_resolver(generator_folder) if super_resolved else None
    servable = servable_classifier(tmp_path / "head", embedder, resolver)
    embedded = faces
    if resolver is not None:
        embedded = resolver.super_resolve(np.stack([pillow(face, 16, 16) for face in faces]))
    names, scores = best(classifier, embedder.embed(embedded))
    assert np.diff(scores, axis=1).min() < -1e-3
    assert servable.facts["embedded_part"] is None
    for signature in ("identify", "serving_default"):
        found = servable.signatures[signature](tf.constant(faces))
        assert decoded(found["identity"]) == names
        # Rounding to grey levels after super-resolution may fall on either side of a half.
        np.testing.assert_allclose(found["score"].numpy(), scores, atol=1e-3 if super_resolved else 1e-5)
    none = servable.signatures["identify"](tf.zeros((0, 9, 7, 3), tf.uint8))
    assert none["identity"].shape == none["score"].shape == (0, 5)
    assert servable.facts["parts"] == {
        "embedder": "stand-in", "super_resolver": "srgan" if super_resolved else None, "head": kind, "classes": 7,
    }  # fmt: skip
    assert servable.facts["cut"] == ("square" if super_resolved else "aligned")
    if kind == "cosine":
        assert (servable.signatures["identify"](tf.constant(faces))["score"].numpy() >= -1).all()


def test_facenet_is_shown_the_box_of_a_super_resolved_square(
    faces: np.ndarray, generator_folder: Path, tmp_path: Path
) -> None:
    """Its heads learned from boxes of a detector, which in such a square are always at the same place."""
    embedder = small_network("facenet-128-0123", template=None)
    classifier = write_head(tmp_path / "head", "cosine", embedder, NAMES)
    resolver = load_super_resolver(generator_folder)
    servable = servable_classifier(tmp_path / "head", embedder, resolver)
    high = resolver.super_resolve(np.stack([pillow(face, 16, 16) for face in faces]))
    names, scores = best(classifier, embedder.embed(list(high[:, 7:57, 13:50])))
    found = servable.signatures["identify"](tf.constant(faces))
    assert decoded(found["identity"]) == names
    np.testing.assert_allclose(found["score"].numpy(), scores, atol=1e-3)
    assert np.abs(scores - best(classifier, embedder.embed(high))[1]).max() > 0.01
    assert (servable.facts["cut"], servable.facts["embedded_part"]) == ("square", (13, 7, 50, 57))


def test_a_closed_set_is_said_in_the_record(faces: np.ndarray, tmp_path: Path) -> None:
    embedder = small_network()
    write_head(tmp_path / "logistic", "logistic", embedder, NAMES)
    write_head(tmp_path / "cosine", "cosine", embedder, NAMES)
    assert servable_classifier(tmp_path / "logistic", embedder, closed_set=True).facts["closed_set"] is True
    assert servable_classifier(tmp_path / "logistic", embedder).facts["closed_set"] is False
    with pytest.raises(UserError, match="can tell strangers; it needs no `closed_set`"):
        servable_classifier(tmp_path / "cosine", embedder, closed_set=True)
    write_head(tmp_path / "one", "logistic", embedder, ["only"])
    with pytest.raises(UserError, match="one: a logistic head of one person names everybody"):
        servable_classifier(tmp_path / "one", embedder)


def test_many_photos_give_no_more_chances(tmp_path: Path) -> None:
    """A stranger's best of 30 photos is higher than the cosine with their mean; an export compares with the mean."""
    random = np.random.default_rng(0)
    embedder = small_network()
    photos = random.normal(size=(30, embedder.dimensions)).astype(np.float32)
    photos /= np.linalg.norm(photos, axis=1, keepdims=True)
    head = make_templates(photos, np.zeros(30, np.int64), 1)
    Classifier("cosine", ["many"], embedder.name, head).save(tmp_path / "head")
    strangers = random.integers(0, 256, (20, 32, 32, 3), np.uint8)
    embeddings = embedder.embed(strangers)
    found = servable_classifier(tmp_path / "head", embedder).signatures["identify"](tf.constant(strangers))
    mean = photos.mean(axis=0)
    np.testing.assert_allclose(found["score"].numpy()[:, 0], embeddings @ mean / np.linalg.norm(mean), atol=1e-5)
    assert (found["score"].numpy()[:, 0] < (embeddings @ photos.T).max(axis=1)).all()


def test_a_class_without_a_face_has_the_lowest_cosine(faces: np.ndarray, tmp_path: Path) -> None:
    embedder = small_network()
    classifier = write_head(tmp_path / "head", "cosine", embedder, ["a", "nobody", "c"])
    found = servable_classifier(tmp_path / "head", embedder).signatures["identify"](tf.constant(faces))
    assert found["score"].shape == (6, 3)  # as many answers as there are classes
    assert [row[-1] for row in decoded(found["identity"])] == ["nobody"] * 6
    assert (found["score"].numpy()[:, -1] == -1).all()
    assert best(classifier, embedder.embed(faces), 3)[0] == decoded(found["identity"])


@pytest.fixture(scope="module")
def head_folder(embedder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heads") / "people" / "cosine"
    write_head(folder, "cosine", load_embedder(str(embedder_folder)), NAMES)
    return folder


@pytest.fixture(scope="module")
def servable(head_folder: Path, embedder_folder: Path, resolver_export: Path) -> Servable:
    """Everything out of exports: the networks are part of another SavedModel once more."""
    return servable_classifier(head_folder, load_embedder(str(embedder_folder)), load_super_resolver(resolver_export))


@pytest.fixture(scope="module")
def version(servable: Servable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of it. Read only: copy it to change it."""
    output = tmp_path_factory.mktemp("export") / "saved_models"
    export_saved_model(servable, output, "people", 2)
    return output / "people" / "2"


def test_an_export_of_exports_answers_as_its_parts(
    version: Path, head_folder: Path, resolver_export: Path, faces: np.ndarray, portrait: np.ndarray
) -> None:
    loaded = load_exported_classifier(version.parent)
    assert loaded.name.startswith("people-2-")
    assert loaded.parts["super_resolver"] == "srgan"
    photos = [*faces, portrait[:200, :300], portrait[10:26, 200:216]]
    low = np.stack([pillow(photo, 16, 16) for photo in photos])
    high = list(load_super_resolver(resolver_export).super_resolve(low)[:, 7:57, 13:50])
    with np.load(head_folder / "templates.npz") as stored:
        templates = stored["embeddings"]
    cosines = np.stack([embed_by_hand(face) for face in high]) @ templates.T
    found, scores = loaded.identify(photos)
    assert scores.dtype == np.float32
    for place, row in enumerate(cosines):
        by_name = {NAMES[label]: row[label] for label in np.flatnonzero(templates.any(axis=1))}
        expected = sorted(by_name, key=by_name.__getitem__, reverse=True)[:5]
        assert found[place].tolist() == expected
        np.testing.assert_allclose(scores[place], [by_name[name] for name in expected], atol=1e-4)
    none = loaded.identify([])
    assert none[0].shape == none[1].shape == (0, 5)
    with pytest.raises(ValueError, match="must be uint8"):
        loaded.identify([faces[0].astype(np.float32)])


def test_an_embedder_of_half_precision_is_exported_once_more(faces: np.ndarray, tmp_path: Path) -> None:
    """Its weights are widened by the initializer of the model, and so are those of the classifier."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(12)]
    module = StoredNetwork(keras.Sequential([keras.Input((8, 8, 3)), *layers]), "float16")
    embeddings = embeddings_in_graph(module, 8)
    signature = [tf.TensorSpec((None, None, None, 3), tf.uint8, "faces")]
    embed = tf.function(lambda faces: {"embedding": embeddings(faces)}, input_signature=signature)
    write_export(
        tmp_path / "half" / "1",
        "embedder",
        module,
        {"embed": embed.get_concrete_function()},
        input_size=8,
        parameters=3292,
    )
    embedder = load_embedder(str(tmp_path / "half"))
    classifier = write_head(tmp_path / "head", "logistic", embedder, NAMES)
    servable = servable_classifier(tmp_path / "head", embedder)
    expected = best(classifier, embedder.embed(faces))
    export_saved_model(servable, tmp_path / "saved_models", "people", 1)
    found = load_exported_classifier(tmp_path / "saved_models" / "people").identify(faces)
    assert found[0].tolist() == expected[0]
    np.testing.assert_allclose(found[1], expected[1], atol=1e-5)
    variables = tf.train.list_variables(str(tmp_path / "saved_models" / "people" / "1" / "variables" / "variables"))
    values = [np.prod(shape) for name, shape in variables if name.endswith("VARIABLE_VALUE")]
    assert sum(values) == servable.facts["parameters"] == (192 + 1) * 16 + (16 + 1) * 12 + (12 + 1) * 7  # each once


def test_files_are_decoded_and_shrunk_like_pillow(servable: Servable, portrait: np.ndarray) -> None:
    photos = [portrait[10:171, 150:290], portrait[:400, :300], portrait[20:36, 200:216]]
    files = [file_of(photo, kind) for photo, kind in zip(photos, ("JPEG", "PNG", "BMP"), strict=True)]
    low = np.stack([pillow(decode_image(data, "a"), 16, 16) for data in files])
    found = servable.signatures["identify_bytes"](tf.constant(files))
    expected = servable.signatures["identify"](tf.constant(low))
    assert decoded(found["identity"]) == decoded(expected["identity"])
    np.testing.assert_allclose(found["score"], expected["score"], atol=1e-6)
    assert servable.signatures["identify_bytes"](tf.constant([], tf.string))["score"].shape == (0, 5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not a JPEG, PNG or BMP file"):
        servable.signatures["identify_bytes"](tf.constant([files[0], b"GIF89a"]))
    for shape in ((2, 8, 8, 1), (2, 0, 8, 3), (8, 8, 3)):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"faces must be \[N, H, W, 3\]"):
            servable.signatures["identify"](tf.zeros(shape, tf.uint8))


def test_the_record_and_the_files(version: Path, embedder_folder: Path) -> None:
    record = read_json(version / "model.json")
    assert (record["kind"], record["signatures"], record["check"]["requests"]) == ("classifier", CONTRACT, 10)
    embedder = load_embedder(str(embedder_folder))
    assert record["parts"] == {
        "embedder": embedder.name, "super_resolver": "srgan", "head": "cosine", "classes": 7,
    }  # fmt: skip
    assert record["embedder_sha256"] == embedder.checksum
    assert record["source"]["model"] == "people/cosine"
    assert (version / "assets" / "labels.txt").read_text(encoding="utf-8").split("\n") == [*NAMES, ""]
    for file in version.rglob("*"):
        if file.is_file():
            assert b"/tmp" not in file.read_bytes(), file
    stored = tf.train.list_variables(str(version / "variables" / "variables"))
    kept = sum(int(np.prod(shape)) for name, shape in stored if name.endswith("VARIABLE_VALUE"))
    assert kept == record["parameters"]
    assert record["closed_set"] is False


def test_names_may_change_places_but_not_much(servable: Servable, tmp_path: Path) -> None:
    rolled = [{**answer, "identity": np.roll(answer["identity"], 1, axis=1)} for answer in servable.answers]
    other = Servable(servable.kind, servable.module, servable.signatures, servable.requests, rolled, servable.facts)
    wrong = "Output identity of serving_default is not the live model's in 5 of 5"
    with checked_here(), pytest.raises(ExportError, match=wrong):
        export_saved_model(other, tmp_path / "out", "people", 1)
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit_together_is_refused(head_folder: Path, embedder_folder: Path, tmp_path: Path) -> None:
    embedder = load_embedder(str(embedder_folder))
    with pytest.raises(UserError, match=f"cosine was fitted on embeddings of {embedder.name}, not of stand-in"):
        servable_classifier(head_folder, small_network())
    write_head(tmp_path / "head", "cosine", embedder, ["a", "two\nlines", "c"])
    with pytest.raises(UserError, match=r"has a class called 'two\\nlines'; in an export every name is a line"):
        servable_classifier(tmp_path / "head", embedder)
    with pytest.raises(UserError, match=r"head\.json is missing"):
        servable_classifier(tmp_path, embedder)
    head = load_classifier(head_folder)
    for cut, template, own, message in (
        ("box", None, "lai", r"faces that were cut out at their box, but .* that are aligned .* with crop=aligned"),
        ("aligned", "lai", None, r"faces that were aligned by their landmarks, but .* with crop=box"),
        ("aligned", "centred", "lai", r"on faces on the template 'centred', but .* takes them on 'lai'"),
    ):
        head.cut, head.template = cut, template
        head.save(tmp_path / "cut")
        embedder.template = embedder.record["template"] = own
        with pytest.raises(UserError, match=message):
            servable_classifier(tmp_path / "cut", embedder)
    head.template = "lai"
    head.save(tmp_path / "cut")
    assert servable_classifier(tmp_path / "cut", embedder).facts["template"] == "lai"
    embedder.input_size = None
    with pytest.raises(UserError, match="does not say its input_size"):
        servable_classifier(head_folder, embedder)


def test_changed_exports_are_refused_by_every_loader(
    version: Path, embedder_folder: Path, resolver_export: Path, tmp_path: Path
) -> None:
    loaders: dict[Path, Callable[[Path], Any]] = {
        version: load_exported_classifier,
        embedder_folder: lambda folder: load_embedder(str(folder)),
        resolver_export: load_super_resolver,
    }
    copy = tmp_path / "copy"
    tried = 0
    for folder, load in loaders.items():
        for file in sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file()):
            if file.name == "model.json":
                continue
            shutil.copytree(folder, copy)
            data = bytearray((copy / file).read_bytes())
            changed = bytearray(data)
            changed[len(data) // 2] ^= 1
            for content in (changed, data[:-1], b""):
                (copy / file).write_bytes(content)
                with pytest.raises(UserError, match=f"{file} is missing or is not the file that model.json describes"):
                    load(copy)
            (copy / file).unlink()
            with pytest.raises(UserError, match=f"{file} is missing"):
                load(copy)
            shutil.rmtree(copy)
            tried += 1
    assert tried >= 5 + 3 + 3


def test_a_changed_record_is_refused(version: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(version, copy)
    record = read_json(version / "model.json")
    for change in ({"files": []}, {"signatures": None}, {"schema": 2}):
        write_json(copy / "model.json", {**record, **change})
        with pytest.raises(UserError, match=r"model\.json is not the record of an export"):
            load_exported_classifier(copy)
    write_json(copy / "model.json", {key: value for key, value in record.items() if key != "parts"})
    with pytest.raises(UserError, match=r"model\.json is not the record of an export"):
        load_exported_classifier(copy)
    write_json(copy / "model.json", {**record, "sha256": "0" * 64})
    with pytest.raises(UserError, match=r"model\.json was changed: its sha256"):
        load_exported_classifier(copy)
    (copy / "model.json").write_text((version / "model.json").read_text()[:-20])
    with pytest.raises(UserError, match=r"model\.json cannot be read as JSON"):
        load_exported_classifier(copy)
    with pytest.raises(UserError, match="holds no exported classifier"):
        load_exported_classifier(tmp_path / "nothing")


def test_each_loader_refuses_the_other_kinds(version: Path, embedder_folder: Path) -> None:
    with pytest.raises(UserError, match="a model of the kind embedder, not classifier"):
        load_exported_classifier(embedder_folder)
    with pytest.raises(UserError, match="a model of the kind classifier, not super_resolution"):
        load_super_resolver(version)
    with pytest.raises(UserError, match="a model of the kind classifier, which cannot embed"):
        load_embedder(str(version))


def saved_model_cli(*arguments: str) -> str:
    program = Path(sys.executable).parent / "saved_model_cli"
    done = subprocess.run([str(program), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_saved_model_cli_runs_a_classifier(version: Path, faces: np.ndarray, tmp_path: Path) -> None:
    shown = saved_model_cli("show", "--all", "--dir", str(version))
    for name, (dtype, shape) in {"identity": ("STRING", "(-1, 5)"), "score": ("FLOAT", "(-1, 5)")}.items():
        assert f"outputs['{name}'] tensor_info:\n        dtype: DT_{dtype}\n        shape: {shape}" in shown
    assert "inputs['image_bytes'] tensor_info:\n        dtype: DT_STRING\n        shape: (-1)" in shown
    run_signature(version, "identify", {"faces": faces}, tmp_path)
    expected = load_exported_classifier(version).identify(faces)
    np.testing.assert_allclose(np.load(tmp_path / "score.npy"), expected[1], atol=1e-5)
    identity = np.load(tmp_path / "identity.npy", allow_pickle=True)
    assert [[name.decode() for name in row] for row in identity] == expected[0].tolist()


@pytest.mark.slow
def test_saved_model_cli_runs_the_other_kinds(
    embedder_folder: Path, resolver_export: Path, faces: np.ndarray, tmp_path: Path
) -> None:
    run_signature(embedder_folder, "embed", {"faces": faces}, tmp_path)
    found = np.load(tmp_path / "embedding.npy")
    np.testing.assert_allclose(found, [embed_by_hand(face) for face in faces], atol=1e-5)
    low = np.stack([pillow(face, 16, 16) for face in faces])
    run_signature(resolver_export, "super_resolve", {"images": low}, tmp_path)
    images = np.load(tmp_path / "images.npy").astype(int)
    assert np.abs(images - load_super_resolver(resolver_export).super_resolve(low)).max() <= 1


def run_signature(folder: Path, signature: str, inputs: dict[str, np.ndarray], output: Path) -> None:
    """Writes every output of a signature as <output>/<name>.npy."""
    for name, array in inputs.items():
        np.save(output / f"{name}.npy", array)
    given = ";".join(f"{name}={output}/{name}.npy" for name in inputs)
    saved_model_cli(
        "run", "--dir", str(folder), "--tag_set", "serve", "--signature_def", signature,
        "--inputs", given, "--outdir", str(output), "--overwrite",
    )  # fmt: skip


def test_an_embedder_in_bfloat16_may_be_part_of_it(faces: np.ndarray, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    (tmp_path / "run" / "model").mkdir(parents=True)
    # The fewest weights of all: whenever a signature is first called, those in its graph are copied a hundred times.
    backbone("mobilefacenet").save_weights(tmp_path / "run" / "model" / "mobilefacenet.weights.h5")
    write_embedder_record(tmp_path / "run" / "model", "centred", 112)
    servable = servable_embedder(tmp_path / "run" / "model", compute="bfloat16")
    export_saved_model(servable, tmp_path / "exports", "rounded", 1)
    embedder = load_embedder(str(tmp_path / "exports" / "rounded"))
    classifier = write_head(tmp_path / "head", "cosine", embedder, NAMES)
    record = export_saved_model(
        servable_classifier(tmp_path / "head", embedder, None), tmp_path / "exports", "people", 1
    )
    assert (record["stored_as"], record["computes_in"]) == ("bfloat16", "bfloat16")
    found, scores = load_exported_classifier(tmp_path / "exports" / "people").identify(list(faces))
    names, expected = best(classifier, embedder.embed(np.stack([pillow(face, 112, 112) for face in faces])))
    np.testing.assert_allclose(scores, expected, atol=0.02)
    assert [row[0] for row in found.tolist()] == [row[0] for row in names]
