"""Exports: the contract's signatures, the live model's pixels, warm-up requests, refusals, nothing half-made."""

import dataclasses
import hashlib
import io
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from lrfr_tf.errors import UserError
from lrfr_tf.export.check import check_export
from lrfr_tf.export.servable import ExportError, Servable, export_saved_model
from lrfr_tf.export.super_resolution import servable_super_resolver
from lrfr_tf.files import read_json, write_json
from lrfr_tf.images.decode import decode_image
from lrfr_tf.images.resize import resize
from lrfr_tf.models.srcnn import srcnn
from lrfr_tf.models.srgan import generator_paper
from lrfr_tf.networks.embedding import load_embedder
from lrfr_tf.networks.saved_model import find_version, read_record
from lrfr_tf.networks.super_resolution import (
    in_float32,
    load_super_resolver,
    save_super_resolver,
)
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from lrfr_tf.networks.synthetic_faces import synthetic_faces
from tests.faces_by_code import FACE_BOX

PIXELS = {
    "inputs": {"images": ["uint8", [None, 16, 16, 3]]},
    "outputs": {"images": ["uint8", [None, 64, 64, 3]]},
}
CONTRACT = {
    "serving_default": PIXELS,
    "super_resolve": PIXELS,
    "super_resolve_bytes": {"inputs": {"image_bytes": ["string", [None]]}, "outputs": PIXELS["outputs"]},
}
EMBEDDER_INPUTS = {
    "serving_default": ("faces",),
    "embed": ("faces",),
    "embed_bytes": ("image_bytes",),
    "verify": ("faces_a", "faces_b"),
    "verify_bytes": ("image_bytes_a", "image_bytes_b"),
}
# Below that a face would not be told from strangers: cosines of version 2, whose threshold for 50 persons is 0.31; the
# face here is not aligned, and of 8 pixels.
LEAST_COSINE_TO_ITSELF = {8: 0.15, 16: 0.35, 24: 0.35}
# What ships has a card; others are somebody's own exports.
SHIPPED = sorted(
    folder
    for folder in (Path(__file__).parents[2] / "saved_models").glob("*/[0-9]*")
    if (folder.parent / "MODEL_CARD.md").is_file()
)
LARGEST_SHIPPED = {"super_resolution": 8_000_000, "embedder": 50_000_000}  # bytes


def spoil(network: keras.Model) -> None:
    """Moves every weight, so that nothing is at its first value: slopes and running statistics too."""
    random = np.random.default_rng(1)
    network.set_weights([w + random.uniform(-0.05, 0.05, w.shape).astype(w.dtype) for w in network.get_weights()])


@pytest.fixture(scope="module")
def low(portrait: np.ndarray) -> np.ndarray:
    """Real faces and noise, uint8 [5, 16, 16, 3]."""
    left, top, right, bottom = FACE_BOX
    faces = [resize(portrait[top + s : bottom + s, left + s : right + s], 16, 16) for s in (0, 5, 9)]
    noise = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    return np.concatenate([faces, noise])


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What training leaves: a network of the paper's form, of few weights."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    keras.utils.set_random_seed(0)
    network = generator_paper(16, blocks=1, filters=8, batch_norm=False)
    spoil(network)
    save_super_resolver(folder / "model", KerasSuperResolver("srgan", network))
    write_json(folder / "run.json", {"git_commit": "abc", "command": ["--vgg_weights=/home/me/vgg19.h5"]})
    return folder


@pytest.fixture(scope="module")
def servable(run_folder: Path) -> Servable:
    return servable_super_resolver(run_folder / "model")


@pytest.fixture(scope="module")
def version(servable: Servable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of `run_folder`. Read only: copy it to change it."""
    output = tmp_path_factory.mktemp("export") / "saved_models"
    export_saved_model(servable, output, "small", 3)
    return output / "small" / "3"


@pytest.fixture(scope="module")
def signatures(version: Path) -> Any:
    loaded = tf.saved_model.load(str(version))
    yield loaded.signatures
    del loaded


def described(signatures: Any) -> dict[str, Any]:
    """Names, dtypes and shapes of loaded signatures, by means of TensorFlow alone."""
    return {
        name: {
            "inputs": {
                key: [spec.dtype.name, spec.shape.as_list()]
                for key, spec in function.structured_input_signature[1].items()
            },
            "outputs": {
                key: [spec.dtype.name, spec.shape.as_list()] for key, spec in function.structured_outputs.items()
            },
        }
        for name, function in signatures.items()
    }


def file_of(image: np.ndarray, image_format: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, image_format)
    return buffer.getvalue()


def test_the_signatures_are_the_contracts(signatures: Any) -> None:
    assert described(signatures) == CONTRACT


def test_pixels_are_the_live_models(signatures: Any, run_folder: Path, low: np.ndarray) -> None:
    live = keras.saving.load_model(run_folder / "model" / "network.keras")
    expected = np.clip(np.round(np.asarray(live(low.astype(np.float32)))), 0, 255)
    assert expected.std() > 5
    for name in ("super_resolve", "serving_default"):
        for batch in (low, low[:1]):
            found = signatures[name](images=tf.constant(batch))["images"].numpy()
            differences = np.abs(found.astype(int) - expected[: len(batch)])
            assert differences.max() <= 1
            assert (differences > 0).mean() <= 0.001
    assert signatures["super_resolve"](images=tf.constant(low[:0]))["images"].shape == (0, 64, 64, 3)


def test_files_are_decoded_and_shrunk_like_pillow(signatures: Any, portrait: np.ndarray) -> None:
    photos = [portrait[10:171, 150:290], portrait[:400, :300], portrait[20:36, 200:216]]
    files = [file_of(photo, kind) for photo, kind in zip(photos, ("JPEG", "PNG", "BMP"), strict=True)]
    shrunk = np.stack([resize(decode_image(data, "a"), 16, 16) for data in files])
    found = signatures["super_resolve_bytes"](image_bytes=tf.constant(files))["images"].numpy()
    expected = signatures["super_resolve"](images=tf.constant(shrunk))["images"].numpy()
    assert np.array_equal(found, expected)
    none = signatures["super_resolve_bytes"](image_bytes=tf.constant([], tf.string))["images"]
    assert none.shape == (0, 64, 64, 3)


@pytest.mark.parametrize("shape", [(2, 8, 8, 3), (2, 32, 8, 3), (2, 16, 16, 1), (16, 16, 3), (1, 16, 16, 3, 1), (768,)])
def test_other_shapes_are_refused_in_the_graph(signatures: Any, shape: tuple[int, ...]) -> None:
    for name in ("super_resolve", "serving_default"):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"images must be \[N, 16, 16, 3\], not"):
            signatures[name](images=tf.zeros(shape, tf.uint8))


def test_other_bytes_are_refused_in_the_graph(signatures: Any, portrait: np.ndarray) -> None:
    good = file_of(portrait[:20, :20], "PNG")
    for bad in (file_of(portrait[:20, :20], "GIF"), good[:60], b""):
        with pytest.raises(tf.errors.InvalidArgumentError):
            signatures["super_resolve_bytes"](image_bytes=tf.constant([good, bad]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="it has 2001 x 2000 pixels"):
        signatures["super_resolve_bytes"](
            image_bytes=tf.constant([file_of(np.zeros((2000, 2001, 3), np.uint8), "BMP")])
        )


def test_warm_up_requests_are_prediction_logs_that_replay(version: Path, signatures: Any) -> None:
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    seen = []
    for record in tf.data.TFRecordDataset(str(path)):
        log = PredictionLog.FromString(record.numpy())
        assert log.WhichOneof("log_type") == "predict_log"
        request = log.predict_log.request
        assert request.model_spec.name == "small"
        inputs = {name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()}
        outputs = signatures[request.model_spec.signature_name](**inputs)
        (count,) = {len(tensor) for tensor in inputs.values()}
        assert outputs["images"].shape == (count, 64, 64, 3)
        seen.append((request.model_spec.signature_name, count))
    assert {name for name, _ in seen} == set(CONTRACT)
    assert {(name, 1) for name in CONTRACT} < set(seen)


def test_the_record_says_what_was_exported(version: Path, run_folder: Path) -> None:
    record = read_json(version / "model.json")
    assert (record["kind"], record["name"], record["version"]) == ("super_resolution", "small", 3)
    assert record["signatures"] == CONTRACT
    assert record["parameters"] == keras.saving.load_model(run_folder / "model" / "network.keras").count_params()
    network = (run_folder / "model" / "network.keras").read_bytes()
    assert record["source"] == {
        "model": "small/model", "sha256": hashlib.sha256(network).hexdigest(), "git_commit": "abc",
    }  # fmt: skip
    assert "/home" not in (version / "model.json").read_text()
    assert "/tmp" not in (version / "model.json").read_text()
    assert record["check"]["requests"] == 6
    files = sorted(path for path in version.rglob("*") if path.is_file() and path.name != "model.json")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(version)}\n" for path in files]
    assert record["sha256"] == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert record["bytes"] == sum(path.stat().st_size for path in files)
    assert [path.name for path in version.parent.iterdir()] == ["3"]


def test_weights_are_stored_once_and_nothing_is_left_to_xla(version: Path) -> None:
    stored = tf.train.list_variables(str(version / "variables" / "variables"))
    weights = [np.prod(shape) for name, shape in stored if name.endswith("VARIABLE_VALUE")]
    assert sum(weights) == read_json(version / "model.json")["parameters"]
    graph = SavedModel.FromString((version / "saved_model.pb").read_bytes())
    assert len(graph.meta_graphs[0].graph_def.library.function) > 3
    for function in graph.meta_graphs[0].graph_def.library.function:
        assert not function.attr["_XlaMustCompile"].b


def test_an_export_is_a_super_resolver(version: Path, run_folder: Path, low: np.ndarray) -> None:
    live = load_super_resolver(run_folder / "model")
    for folder in (version, version.parent):
        loaded = load_super_resolver(folder)
        assert (loaded.name, loaded.low_size, loaded.high_size) == ("small", 16, 64)
        assert loaded.checksum == read_json(version / "model.json")["sha256"]
        assert np.abs(loaded.super_resolve(low).astype(int) - live.super_resolve(low)).max() <= 1
        assert loaded.super_resolve(low[:0]).shape == (0, 64, 64, 3)
    with pytest.raises(ValueError, match=r"small takes uint8 \[N, 16, 16, 3\]"):
        loaded.super_resolve(low[:, :8])
    with pytest.raises(UserError, match="is an export already"):
        servable_super_resolver(version)


def test_the_newest_version_is_the_highest_number(tmp_path: Path) -> None:
    assert find_version(tmp_path / "none") is None
    assert find_version(tmp_path) is None
    for name in ("2", "10", "9", "notes", ".part-x-11"):
        (tmp_path / name).mkdir()
    (tmp_path / "12").write_text("a file")
    assert find_version(tmp_path) == tmp_path / "10"


def test_changed_and_foreign_exports_are_refused(version: Path, tmp_path: Path) -> None:
    copy = tmp_path / "srgan" / "1"

    def refusal() -> str:
        with pytest.raises(UserError) as refused:
            load_super_resolver(copy)
        return str(refused.value)

    for name in ("saved_model.pb", "variables/variables.data-00000-of-00001"):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(version, copy)
        data = bytearray((copy / name).read_bytes())
        data[len(data) // 2] ^= 1
        (copy / name).write_bytes(data)
        assert f"{copy}/{name} is missing or is not the file" in refusal()
        (copy / name).write_bytes(data[:-10])
        assert f"{copy}/{name} is missing or is not the file" in refusal()
        (copy / name).unlink()
        assert f"{copy}/{name} is missing" in refusal()
    shutil.rmtree(copy)
    shutil.copytree(version, copy)
    (copy / "assets.extra" / "more").write_text("something")
    assert f"{copy}/assets.extra/more is missing or is not the file" in refusal()
    (copy / "assets.extra" / "more").unlink()
    other = {"kind": "classifier", "parts": {}, "cut": "box"}
    write_json(copy / "model.json", {**read_json(copy / "model.json"), **other})
    assert f"{copy} holds a model of the kind classifier" in refusal()
    write_json(copy / "model.json", {"schema": 0})
    assert f"{copy}/model.json is not the record of an export" in refusal()
    (copy / "model.json").unlink()
    assert f"{copy} has no model.json" in refusal()


def test_a_version_is_never_replaced(servable: Servable, version: Path) -> None:
    before = (version / "model.json").read_bytes()
    with pytest.raises(UserError, match="3 is there already and is not replaced"):
        export_saved_model(servable, version.parents[1], "small", 3)
    assert (version / "model.json").read_bytes() == before
    with pytest.raises(UserError, match="`name`=../x is not a name"):
        export_saved_model(servable, version.parents[1], "../x", 1)


def test_an_export_unlike_the_live_model_leaves_nothing(servable: Servable, tmp_path: Path) -> None:
    other = [{"images": answer["images"] + np.uint8(2)} for answer in servable.answers]
    with pytest.raises(ExportError, match=r"failed its check: Output images of .* differs from the live model's by up"):
        export_saved_model(dataclasses.replace(servable, answers=other), tmp_path / "saved_models", "small", 1)
    assert not list(tmp_path.iterdir())


def test_what_the_check_lets_pass(servable: Servable, version: Path, tmp_path: Path) -> None:
    """Two answers of 8 x 64 x 64 pixels, so one in a thousand are 32 of them."""

    def check(signatures: dict[str, Any], *changes: tuple[int, int]) -> dict[str, Any]:
        answers = {f"{i}/images": answer["images"].copy() for i, answer in enumerate(servable.answers)}
        pixels = answers["3/images"].reshape(-1, 3)
        for pixel, levels in changes:
            pixels[pixel] = np.where(pixels[pixel] < 128, pixels[pixel] + levels, pixels[pixel] - levels)
        np.savez(tmp_path / "answers.npz", **answers)
        write_json(tmp_path / "expected.json", {"signatures": signatures, "largest_difference": 1e-4})
        return check_export(version, tmp_path)

    exact = check(CONTRACT)
    assert (exact["requests"], exact["largest_difference"]) == (6, 0)
    assert exact["places"] == (1 + 8 + 1 + 8 + 1 + 3) * 64 * 64
    assert check(CONTRACT, *((pixel, 1) for pixel in range(32)))["differing"] == 32
    with pytest.raises(UserError, match="by up to 1, in 33 of 32768 places"):
        check(CONTRACT, *((pixel, 1) for pixel in range(33)))
    with pytest.raises(UserError, match="by up to 2, in 1 of 32768 places"):
        check(CONTRACT, (7, 2))
    with pytest.raises(UserError, match="The signatures are"):
        check({**CONTRACT, "super_resolve": {**PIXELS, "outputs": {"images": ["float32", [None, 64, 64, 3]]}}})


@pytest.fixture
def mixed() -> Any:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy(before)


def test_a_network_of_mixed_precision_computes_in_float32(mixed: None, low: np.ndarray, tmp_path: Path) -> None:
    trained = generator_paper(16, blocks=1, filters=8)  # with batch norm
    spoil(trained)
    assert {layer.compute_dtype for layer in trained.layers} == {"float32", "bfloat16"}
    trained.trainable = False  # as the running average of a network is
    save_super_resolver(tmp_path / "model", KerasSuperResolver("srresnet", trained))
    keras.config.set_dtype_policy("float32")
    exact = generator_paper(16, blocks=1, filters=8)
    exact.set_weights(trained.get_weights())
    expected = KerasSuperResolver("exact", exact).super_resolve(low)
    loaded = load_super_resolver(tmp_path / "model")
    assert loaded.network is not None
    assert {layer.compute_dtype for layer in loaded.network.layers} == {"float32"}
    assert np.array_equal(loaded.super_resolve(low), expected)
    assert not np.array_equal(KerasSuperResolver("rough", trained).super_resolve(low), expected)
    assert in_float32(exact) is exact
    servable = servable_super_resolver(tmp_path / "model")
    found = servable.signatures["super_resolve"](tf.constant(low))["images"].numpy()
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_half_precision_is_half_as_large_and_says_what_it_costs(low: np.ndarray, tmp_path: Path) -> None:
    network = srcnn()
    spoil(network)
    save_super_resolver(tmp_path / "run" / "model", KerasSuperResolver("srcnn", network, enlarge_first=True))
    servable = servable_super_resolver(tmp_path / "run" / "model", precision="float16")
    cost = servable.facts["cost_of_precision"]
    assert 0 < cost["mean_levels"] <= cost["largest_levels"] <= 3
    record = export_saved_model(servable, tmp_path, "srcnn", 1)
    stored = tf.train.load_checkpoint(str(tmp_path / "srcnn" / "1" / "variables" / "variables"))
    shapes = stored.get_variable_to_shape_map()
    assert shapes["_halves/.ATTRIBUTES/VARIABLE_VALUE"] == [network.count_params()]
    assert record["stored_as"] == "float16"
    assert record["files"]["variables/variables.data-00000-of-00001"]["bytes"] < 2 * network.count_params() + 2000
    network.set_weights([weight.astype(np.float16).astype(np.float32) for weight in network.get_weights()])
    expected = KerasSuperResolver("rounded", network, enlarge_first=True).super_resolve(low)
    assert np.abs(load_super_resolver(tmp_path / "srcnn").super_resolve(low).astype(int) - expected).max() <= 1


def test_weights_too_large_for_half_precision_are_refused(tmp_path: Path) -> None:
    network = generator_paper(16, blocks=1, filters=4, batch_norm=False)
    network.set_weights([weight + 1e5 for weight in network.get_weights()])
    save_super_resolver(tmp_path / "model", KerasSuperResolver("srgan", network))
    with pytest.raises(UserError, match="weights that are not finite as float16"):
        servable_super_resolver(tmp_path / "model", precision="float16")


@pytest.mark.parametrize("folder", SHIPPED, ids=["/".join(folder.parts[-2:]) for folder in SHIPPED])
def test_shipped_models_keep_the_contract(folder: Path, low: np.ndarray, portrait: np.ndarray) -> None:
    record = read_record(folder)
    assert (record["name"], str(record["version"])) == (folder.parent.name, folder.name)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < LARGEST_SHIPPED[record["kind"]]
    assert (folder.parent / "MODEL_CARD.md").is_file()
    if record["kind"] == "super_resolution":
        assert described(tf.saved_model.load(str(folder)).signatures) == CONTRACT
        resolver = load_super_resolver(folder)
        enlarged = resolver.super_resolve(low[:3])
        # It is the same face: shrunk again, it is near what it was made of.
        assert np.abs(resize(enlarged, 16, 16).astype(int) - low[:3]).mean() < 6
        found = check_against_warm_up(folder)
        assert found == 6
    else:
        assert described(tf.saved_model.load(str(folder)).signatures) == embedder_contract(record["dimensions"])
        embedder = load_embedder(str(folder))
        side = record["input_size"]
        faces = synthetic_faces(3, side)
        small = embedder.embed(resize(faces, 16, 16))
        enlarged = embedder.embed(resize(resize(faces, 16, 16), side, side))
        np.testing.assert_allclose(np.linalg.norm(small, axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(small, enlarged, atol=1e-3)
        # A small face is most like its own sharp one; a real one, since what is made up here is no face.
        left, top, right, bottom = FACE_BOX
        face = resize(portrait[top:bottom, left:right], side, side)
        sharp = embedder.embed(np.stack([face, face[::-1], *faces]))
        for size, least in LEAST_COSINE_TO_ITSELF.items():
            cosines = embedder.embed(resize(face, size, size)[None])[0] @ sharp.T
            assert cosines[0] > least
            assert cosines[1:].max() < min(0.2, cosines[0] / 2)


def embedder_contract(dimensions: int) -> dict[str, Any]:
    """The signatures of an export with embeddings of so many numbers."""
    faces, files = ["uint8", [None, None, None, 3]], ["string", [None]]
    return {
        name: {
            "inputs": dict.fromkeys(keys, files if "bytes" in name else faces),
            "outputs": {"similarity": ["float32", [None]]}
            if "verify" in name
            else {"embedding": ["float32", [None, dimensions]]},
        }
        for name, keys in EMBEDDER_INPUTS.items()
    }


def check_against_warm_up(folder: Path) -> int:
    """Replays the warm-up requests of a folder; how many there were."""
    signatures = tf.saved_model.load(str(folder)).signatures
    count = 0
    for record in tf.data.TFRecordDataset(str(folder / "assets.extra" / "tf_serving_warmup_requests")):
        request = PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()}
        assert signatures[request.model_spec.signature_name](**inputs)["images"].dtype == tf.uint8
        count += 1
    return count


def test_threads_may_share_what_ships() -> None:
    signature = tf.saved_model.load(str(Path(__file__).parents[2] / "saved_models" / "siamese" / "1")).signatures[
        "embed"
    ]
    # Of all sizes, so that both networks are asked, and both of them by one call now and then.
    requests = [synthetic_faces(1 + number % 3, 12 + 9 * number) for number in range(16)]

    def embed(faces: np.ndarray) -> np.ndarray:
        return signature(faces=tf.constant(faces))["embedding"].numpy()

    alone = [embed(faces) for faces in requests]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(embed, requests * 3))
    for found, expected in zip(together, alone * 3, strict=True):
        np.testing.assert_array_equal(found, expected)
