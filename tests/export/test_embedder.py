"""The exported embedder: its signatures, any sizes and counts of faces, its record, refusals."""

import hashlib
import io
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lrfr_tf.errors import UserError
from lrfr_tf.export.embedder import servable_embedder, servable_exported_embedder, servable_facenet
from lrfr_tf.export.servable import export_saved_model
from lrfr_tf.files import read_json, write_json
from lrfr_tf.images.decode import decode_image
from lrfr_tf.models.backbone import backbone, fold_facenet
from lrfr_tf.networks.embedding import load_embedder, template_for
from lrfr_tf.networks.trained_backbone import load_backbone
from lrfr_tf.weights.backbone import write_embedder_record
from tests.faces_by_code import person

FACES = ["uint8", [None, None, None, 3]]
EMBEDDING = {"embedding": ["float32", [None, 512]]}
SIMILARITY = {"similarity": ["float32", [None]]}
FILES = ["string", [None]]
CONTRACT = {
    "serving_default": {"inputs": {"faces": FACES}, "outputs": EMBEDDING},
    "embed": {"inputs": {"faces": FACES}, "outputs": EMBEDDING},
    "embed_bytes": {"inputs": {"image_bytes": FILES}, "outputs": EMBEDDING},
    "verify": {"inputs": {"faces_a": FACES, "faces_b": FACES}, "outputs": SIMILARITY},
    "verify_bytes": {"inputs": {"image_bytes_a": FILES, "image_bytes_b": FILES}, "outputs": SIMILARITY},
}


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What train_siamese leaves: weights by the name of their backbone."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    (folder / "model").mkdir(parents=True)
    keras.utils.set_random_seed(0)
    backbone("spherenet4").save_weights(folder / "model" / "spherenet4.weights.h5")
    write_embedder_record(folder / "model", "lai", 128)
    write_json(folder / "run.json", {"git_commit": "abc", "command": ["--data=/home/me/faces"]})
    return folder


@pytest.fixture(scope="module")
def version(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("export") / "saved_models"
    export_saved_model(servable_embedder(run_folder / "model"), output, "siamese", 2)
    return output / "siamese" / "2"


@pytest.fixture(scope="module")
def half(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("half") / "saved_models"
    export_saved_model(servable_embedder(run_folder / "model", precision="float16"), output, "siamese", 1)
    return output / "siamese" / "1"


@pytest.fixture(scope="module")
def signatures(version: Path) -> Any:
    loaded = tf.saved_model.load(str(version))
    yield loaded.signatures
    del loaded


@pytest.fixture(scope="module")
def faces(portrait: np.ndarray) -> np.ndarray:
    return np.stack([person(portrait, identity, 0, 128) for identity in (1, 2, 3)])


@pytest.fixture(scope="module")
def network(run_folder: Path) -> keras.Model:
    return load_backbone(run_folder / "model")[0]


def by_keras(network: keras.Model, faces: np.ndarray) -> np.ndarray:
    features = np.asarray(network(faces.astype(np.float32), training=False))
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def enlarged(face: np.ndarray, side: int = 128) -> np.ndarray:
    """Pillow's bicubic, width first."""
    wide = Image.fromarray(face).resize((side, face.shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(wide.resize((side, side), Image.Resampling.BICUBIC))


def embed(signatures: Any, faces: np.ndarray, name: str = "embed") -> np.ndarray:
    return signatures[name](faces=tf.constant(faces))["embedding"].numpy()


def encoded(image: np.ndarray, image_format: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, image_format)
    return buffer.getvalue()


def test_the_signatures_are_the_contracts(version: Path) -> None:
    assert read_json(version / "model.json")["signatures"] == CONTRACT


def test_embeddings_are_those_of_keras(signatures: Any, network: keras.Model, faces: np.ndarray) -> None:
    expected = by_keras(network, faces)
    assert np.abs(expected[0] - expected[1]).max() > 0.003
    for name in ("embed", "serving_default"):
        for batch in (faces, faces[:1]):
            found = embed(signatures, batch, name)
            np.testing.assert_allclose(found, expected[: len(batch)], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("size", [8, 12, 16, 20, 64])
def test_a_small_face_is_the_same_as_the_face_enlarged(signatures: Any, faces: np.ndarray, size: int) -> None:
    small = np.stack([enlarged(face, size) for face in faces])
    found = embed(signatures, small)
    np.testing.assert_allclose(found, embed(signatures, np.stack([enlarged(face) for face in small])), atol=1e-3)
    assert np.abs(found - embed(signatures, faces)).max() > 1e-3


def test_faces_of_any_form(signatures: Any, network: keras.Model, faces: np.ndarray) -> None:
    assert embed(signatures, faces[:0]).shape == (0, 512)
    assert embed(signatures, np.zeros((0, 9, 7, 3), np.uint8)).shape == (0, 512)
    random = np.random.default_rng(0)
    for shape in ((1, 1), (1, 5000), (5000, 1), (33, 250)):
        odd = random.integers(0, 256, (2, *shape, 3), dtype=np.uint8)
        expected = by_keras(network, np.stack([enlarged(face) for face in odd]))
        np.testing.assert_allclose(embed(signatures, odd), expected, atol=1e-4)


@pytest.mark.parametrize(
    "shape",
    [
        (2, 128, 128, 1), (2, 128, 128, 4), (128, 128, 3), (1, 2, 8, 8, 3), (2, 0, 8, 3), (2, 8, 0, 3), (9,),
        (1, 1, 65_536, 3), (1, 2_001, 2_000, 3),
    ],
)  # fmt: skip
def test_other_faces_are_refused_in_the_graph(signatures: Any, shape: tuple[int, ...]) -> None:
    wrong = tf.zeros(shape, tf.uint8)
    fitting = tf.zeros((shape[0], 8, 8, 3), tf.uint8)
    for name, inputs in (
        ("embed", {"faces": wrong}),
        ("verify", {"faces_a": wrong, "faces_b": fitting}),
        ("verify", {"faces_a": fitting, "faces_b": wrong}),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"faces must be \[N, H, W, 3\] with H and W of 1 to"):
            signatures[name](**inputs)


def test_verify_is_the_cosine_of_each_pair(signatures: Any, faces: np.ndarray) -> None:
    small = np.stack([enlarged(face, 16) for face in faces])
    expected = (embed(signatures, faces) * embed(signatures, small)).sum(axis=1)
    found = signatures["verify"](faces_a=tf.constant(faces), faces_b=tf.constant(small))["similarity"].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    itself = signatures["verify"](faces_a=tf.constant(faces), faces_b=tf.constant(faces))["similarity"].numpy()
    np.testing.assert_allclose(itself, 1, atol=1e-5)
    none = signatures["verify"](faces_a=tf.constant(faces[:0]), faces_b=tf.constant(faces[:0]))["similarity"]
    assert none.shape == (0,)
    for first, second in ((3, 2), (1, 3), (0, 1)):
        with pytest.raises(tf.errors.InvalidArgumentError, match="verify compares as many faces_a as faces_b"):
            signatures["verify"](faces_a=tf.constant(faces[:first]), faces_b=tf.constant(faces[:second]))


def test_files_are_decoded_and_resized_like_pillow(signatures: Any, portrait: np.ndarray) -> None:
    photos = [portrait[10:171, 150:290], portrait[:400, :300], portrait[20:36, 200:216]]
    files = [encoded(photo, kind) for photo, kind in zip(photos, ("JPEG", "PNG", "BMP"), strict=True)]
    resized = np.stack([enlarged(decode_image(data, "a")) for data in files])
    expected = embed(signatures, resized)
    found = signatures["embed_bytes"](image_bytes=tf.constant(files))["embedding"].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    similarity = signatures["verify_bytes"](
        image_bytes_a=tf.constant(files), image_bytes_b=tf.constant(files[1:] + files[:1])
    )["similarity"].numpy()
    np.testing.assert_allclose(similarity, (expected * np.roll(expected, -1, axis=0)).sum(axis=1), atol=1e-5)
    assert signatures["embed_bytes"](image_bytes=tf.constant([], tf.string))["embedding"].shape == (0, 512)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not a JPEG, PNG or BMP file"):
        signatures["embed_bytes"](image_bytes=tf.constant([files[0], b"GIF89a"]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="verify compares as many"):
        signatures["verify_bytes"](image_bytes_a=tf.constant(files), image_bytes_b=tf.constant(files[:1]))


def test_the_record_says_what_was_exported(version: Path, run_folder: Path, network: keras.Model) -> None:
    record = read_json(version / "model.json")
    expected = {
        "kind": "embedder", "name": "siamese", "version": 2, "input_size": 128, "dimensions": 512, "template": "lai",
        "backbone": "spherenet4", "parameters": network.count_params(), "stored_as": "float32",
        "resize_kernel": "pillow-bicubic-antialias",
    }  # fmt: skip
    assert {key: record[key] for key in expected} == expected
    weights = (run_folder / "model" / "spherenet4.weights.h5").read_bytes()
    digest = hashlib.sha256(weights).hexdigest()
    assert record["source"] == {"model": "small/model", "sha256": digest, "git_commit": "abc"}
    assert "/home" not in (version / "model.json").read_text()
    assert "cost_of_precision" not in record
    # Two sizes and two counts for three signatures of pixels, two counts for two of files.
    assert record["check"]["requests"] == 16
    assert record["check"]["largest_difference"] < 1e-4
    stored = tf.train.list_variables(str(version / "variables" / "variables"))
    kept = sum(int(np.prod(shape)) for name, shape in stored if name.endswith("VARIABLE_VALUE"))
    assert kept == network.count_params()  # the graphs of five signatures share them


def test_an_export_is_an_embedder(version: Path, network: keras.Model, faces: np.ndarray) -> None:
    embedder = load_embedder(str(version.parent))
    assert embedder.name.startswith("siamese-2-")
    np.testing.assert_allclose(embedder.embed(faces), by_keras(network, faces), atol=1e-5)


@pytest.mark.slow
def test_half_precision_is_half_as_large_and_says_what_it_costs(
    half: Path, version: Path, network: keras.Model, faces: np.ndarray
) -> None:
    record, exact = read_json(half / "model.json"), read_json(version / "model.json")
    assert record["signatures"] == CONTRACT
    assert record["stored_as"] == "float16"
    assert 0.5 * exact["bytes"] < record["bytes"] < 0.52 * exact["bytes"]
    cost = record["cost_of_precision"]
    assert 0.9999 < cost["smallest_cosine"] <= cost["mean_cosine"] < 1.00001
    found = load_embedder(str(half)).embed(faces)
    assert (found * by_keras(network, faces)).sum(axis=1).min() > 0.9999
    rounded = backbone("spherenet4")
    rounded.set_weights([weight.astype(np.float16).astype(np.float32) for weight in network.get_weights()])
    np.testing.assert_allclose(found, by_keras(rounded, faces), atol=1e-5)
    # That is nearer than the float32 network is.
    assert np.abs(found - by_keras(rounded, faces)).max() < 0.1 * np.abs(found - by_keras(network, faces)).max()


@pytest.fixture(scope="module")
def quarter(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stored as int8."""
    root = tmp_path_factory.mktemp("quarter")
    export_saved_model(servable_embedder(run_folder / "model", "int8"), root, "siamese", 1)
    return root / "siamese" / "1"


def of_int8(network: keras.Model) -> keras.Model:
    """The network with weights of 255 levels in each output channel; what has one axis is rounded to float16."""
    rounded = []
    for weight in network.get_weights():
        if weight.ndim > 1:
            rows = weight.reshape(-1, weight.shape[-1]).astype(np.float64)
            steps = np.abs(rows).max(axis=0) / 127
            rounded.append((np.rint(rows / steps) * steps).reshape(weight.shape))
        else:
            rounded.append(weight.astype(np.float16))
    copy = backbone("spherenet4")
    copy.set_weights(rounded)
    return copy


def test_int8_is_a_quarter_as_large(quarter: Path, run_folder: Path, faces: np.ndarray) -> None:
    record = read_json(quarter / "model.json")
    assert record["signatures"] == CONTRACT
    assert record["stored_as"] == "int8"
    rounded = of_int8(load_backbone(run_folder / "model")[0])
    assert record["parameters"] == rounded.count_params()
    assert record["bytes"] < 1.1 * record["parameters"] + 3e6  # of which the graphs are the second part
    assert 0.999 < record["cost_of_precision"]["smallest_cosine"] < 0.9999999
    signatures = tf.saved_model.load(str(quarter)).signatures
    expected = by_keras(rounded, faces)
    np.testing.assert_allclose(embed(signatures, faces), expected, atol=1e-4)
    np.testing.assert_allclose(embed(signatures, faces[1:2]), expected[1:2], atol=1e-4)
    assert embed(signatures, faces[:0]).shape == (0, 512)
    # A small face is the same whether it comes enlarged or not.
    tiny = np.stack([enlarged(face, 16) for face in faces])
    again = embed(signatures, np.stack([enlarged(face) for face in tiny]))
    np.testing.assert_allclose(embed(signatures, tiny), again, atol=1e-3)
    similarity = signatures["verify"](faces_a=tf.constant(faces), faces_b=tf.constant(faces[::-1]))["similarity"]
    np.testing.assert_allclose(similarity, (expected * expected[::-1]).sum(axis=1), atol=1e-4)


def test_what_computes_in_bfloat16_is_nearly_the_same(run_folder: Path, faces: np.ndarray, tmp_path: Path) -> None:
    network = load_backbone(run_folder / "model")[0]
    export_saved_model(servable_embedder(run_folder / "model", compute="bfloat16"), tmp_path, "siamese", 1)
    record = read_json(tmp_path / "siamese" / "1" / "model.json")
    assert record["signatures"] == CONTRACT
    assert (record["stored_as"], record["computes_in"]) == ("bfloat16", "bfloat16")
    assert 0.999 < record["cost_of_compute"]["smallest_cosine"] < 0.9999999
    # Weights of half the size in the graph, and none beside it.
    assert 2 * record["parameters"] < (tmp_path / "siamese/1/saved_model.pb").stat().st_size < record["bytes"]
    assert tf.train.load_checkpoint(
        str(tmp_path / "siamese/1/variables/variables")
    ).get_variable_to_shape_map().keys() == {"_CHECKPOINTABLE_OBJECT_GRAPH"}
    found = load_embedder(str(tmp_path / "siamese")).embed(faces)
    cosines = (found * by_keras(network, faces)).sum(axis=1)
    assert 0.999 < cosines.min() < cosines.max() < 0.9999999
    with pytest.raises(UserError, match="`compute`=bfloat16 stores the weights so, too; it does not go with"):
        servable_embedder(run_folder / "model", "int8", compute="bfloat16")
    with pytest.raises(UserError, match="has its weights in its graph, in bfloat16"):
        servable_exported_embedder(tmp_path / "siamese/1")


def test_an_export_is_exported_in_another_way(quarter: Path, faces: np.ndarray, tmp_path: Path) -> None:
    mixed = np.concatenate([faces, np.stack([enlarged(enlarged(face, 12)) for face in faces])])
    stored = load_embedder(str(quarter)).embed(mixed)
    record = read_json(quarter / "model.json")
    ways = (
        ("float32", "bfloat16", "bfloat16", 0.999),
        ("float32", "float32", "float32", 0.999999),
        ("int8", "float32", "int8", 0.999999),
    )
    for number, (precision, compute, stored_as, least) in enumerate(ways):
        servable = servable_exported_embedder(quarter, precision, compute)
        again = export_saved_model(servable, tmp_path, "again", number + 1)
        expected = {"stored_as": stored_as, "computes_in": compute, "parameters": record["parameters"]}
        assert {key: again[key] for key in expected} == expected
        for key in ("source", "template", "backbone"):
            assert again[key] == record[key]
        assert again["source_export"]["sha256"] == record["sha256"]
        assert (load_embedder(str(tmp_path / "again")).embed(mixed) * stored).sum(axis=1).min() > least
    # What is stored as int8 is so exactly when it is stored again.
    assert again["cost_of_precision"]["smallest_cosine"] > 0.999999
    two = tmp_path / "two" / "1"
    shutil.copytree(quarter, two)
    write_json(two / "model.json", record | {"source_of_larger": {"model": "large/model"}})
    with pytest.raises(UserError, match=r"holds two networks, .* can be used and measured as it is"):
        servable_exported_embedder(two)


def test_what_is_no_network_is_refused(run_folder: Path, network: keras.Model, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(UserError, match=r"holds no <backbone>\.weights\.h5"):
            servable_embedder(folder)
    (tmp_path / "model").mkdir()
    file = tmp_path / "model" / "spherenet4.weights.h5"
    file.write_bytes(b"no")
    with pytest.raises(UserError, match="does not hold the weights of spherenet4"):
        servable_embedder(tmp_path / "model")
    (tmp_path / "model" / "other.weights.h5").write_bytes(b"no")
    with pytest.raises(UserError, match=r"holds no <backbone>\.weights\.h5"):
        servable_embedder(tmp_path / "model")
    (tmp_path / "model" / "other.weights.h5").unlink()
    write_embedder_record(tmp_path / "model", "lai", 128)
    wild = backbone("spherenet4")
    for value, precision in ((1e6, "float16"), (np.inf, "float32"), (np.inf, "int8"), (np.nan, "int8")):
        wild.set_weights([np.full_like(weight, value) for weight in network.get_weights()])
        wild.save_weights(file)
        with pytest.raises(UserError, match=f"weights that are not finite as {precision}; it is not exported"):
            servable_embedder(tmp_path / "model", precision)


@pytest.mark.facenet
@pytest.mark.slow
def test_facenet_is_exported_as_an_embedder(facenet_weights: Path, faces: np.ndarray, tmp_path: Path) -> None:
    record = export_saved_model(servable_facenet("facenet", facenet_weights), tmp_path, "facenet", 1)
    of_128 = {"embedding": ["float32", [None, 128]]}
    for name, signature in CONTRACT.items():
        outputs = SIMILARITY if "verify" in name else of_128
        assert record["signatures"][name] == {"inputs": signature["inputs"], "outputs": outputs}
    live = load_embedder("facenet", facenet_weights)
    assert (record["kind"], record["input_size"], record["dimensions"]) == ("embedder", 160, 128)
    assert record["source"] == {"model": live.name, "sha256": live.checksum}
    assert record["cost_of_folding"]["smallest_cosine"] > 0.99999
    exported = load_embedder(str(tmp_path / "facenet"))
    small = [enlarged(face, 16) for face in faces]
    for some in (faces, small, np.stack([enlarged(face, 160) for face in faces])):
        np.testing.assert_allclose(exported.embed(some), live.embed(some), atol=1e-4)
    # 22.8 million weights, less the running statistics of 132 batch norms; shifts are part of the biases.
    assert record["parameters"] == fold_facenet(live.network).count_params() < live.network.count_params()


def test_only_facenets_batch_norm_is_folded(network: keras.Model) -> None:
    assert fold_facenet(network) is network
    facenet = backbone("facenet")  # without batch norm from the beginning
    assert fold_facenet(facenet) is facenet


def test_the_template_of_the_training_goes_into_the_record(run_folder: Path, tmp_path: Path) -> None:
    assert servable_embedder(run_folder / "model").facts["template"] == "lai"
    centred = tmp_path / "centred" / "model"
    shutil.copytree(run_folder / "model", centred)
    write_embedder_record(centred, "centred", 128)
    assert servable_embedder(centred).facts["template"] == "centred"
    weights = load_embedder(str(centred / "spherenet4.weights.h5"), backbone="spherenet4")
    assert (weights.template, template_for(weights)) == ("centred", "centred")
    write_json(centred / "embedder.json", ["centred"])
    with pytest.raises(UserError, match=r"embedder\.json names no template"):
        servable_embedder(centred)
    (centred / "embedder.json").unlink()
    with pytest.raises(UserError, match=r"No embedder\.json beside .*spherenet4\.weights\.h5 says on which template"):
        servable_embedder(centred)
