"""Nothing that is read can run code: what the sources may not call, and files that are refused with one sentence."""

import ast
import io
import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, sha256, write_json
from lrfr_tf.models.backbone import backbone
from lrfr_tf.models.srgan import generator_paper
from lrfr_tf.networks.classifier import load_classifier
from lrfr_tf.networks.embedding import load_embedder
from lrfr_tf.networks.super_resolution import load_super_resolver, save_super_resolver
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from lrfr_tf.networks.trained_backbone import load_backbone
from lrfr_tf.training.classifier import fit_classifier
from lrfr_tf.weights.backbone import write_embedder_record
from lrfr_tf.weights.facenet import load_facenet_128
from lrfr_tf.weights.vgg19 import vgg19_features
from tests.embeddings_by_code import random_embeddings

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "lrfr_tf").rglob("*.py"), *(ROOT / "tools").rglob("*.py")])

NEVER_IMPORTED = {"pickle", "joblib", "dill", "marshal", "cloudpickle", "shelve", "yaml"}
NEVER_CALLED = {"eval", "exec", "enable_unsafe_deserialization", "Lambda"}
# The places that are known and guarded: torch's error type is pickle's; joblib reads the wheel's files, whose SHA-256
# is checked first (`checked_path`).
KNOWN = {("lrfr_tf/weights/dsn.py", "imports pickle"), ("lrfr_tf/weights/mtcnn.py", "imports joblib")}


def findings(source: str) -> set[str]:
    """What a source does that can run what a file holds."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {f"imports {alias.name}" for alias in node.names if alias.name.split(".")[0] in NEVER_IMPORTED}
        if isinstance(node, ast.ImportFrom):
            names = {(node.module or "").split(".")[0]} | {alias.name for alias in node.names}
            found |= {f"imports {name}" for name in names & (NEVER_IMPORTED | NEVER_CALLED)}
        if isinstance(node, ast.Attribute) and node.attr in {"enable_unsafe_deserialization", "Lambda"}:
            found.add(f"names {node.attr}")
        if isinstance(node, ast.Call):
            found |= _of_a_call(node)
    return found


def _of_a_call(node: ast.Call) -> set[str]:
    name = ast.unparse(node.func)
    last = name.rsplit(".", 1)[-1]
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    found = set()
    if name in NEVER_CALLED:
        found.add(f"calls {name}")
    if given.get("safe_mode", "True") != "True":
        found.add("gives safe_mode another value than True")
    if given.get("allow_pickle", "False") != "False":
        found.add("gives allow_pickle another value than False")
    if name == "np.load" and "allow_pickle" not in given:
        found.add("calls np.load without allow_pickle=False")
    if last == "load_model" and given.get("safe_mode") != "True":
        found.add("calls load_model without safe_mode=True")
    if name == "torch.load" and given.get("weights_only") != "True":
        found.add("calls torch.load without weights_only=True")
    return found


def test_the_sources_run_nothing_that_a_file_holds() -> None:
    assert len(SOURCES) > 100
    found = {
        (path.relative_to(ROOT).as_posix(), finding)
        for path in SOURCES
        for finding in findings(path.read_text(encoding="utf-8"))
    }
    assert found == KNOWN


@pytest.mark.parametrize(
    "line",
    [
        "import pickle", "from joblib import load", "import yaml", "import marshal as m",
        "from keras.layers import Lambda", "x = keras.layers.Lambda(f)", "layers.Lambda(f)", "eval(text)", "exec(text)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)", "np.load(path, allow_pickle=flag)", "keras.saving.load_model(path)",
        "keras.saving.load_model(path, safe_mode=False)", "tf.keras.models.load_model(path, safe_mode=flag)",
        "torch.load(path)", "torch.load(path, weights_only=False)", "keras.config.enable_unsafe_deserialization()",
        "from keras.config import enable_unsafe_deserialization", "clone(safe_mode=False)",
    ],
)  # fmt: skip
def test_the_search_would_find_it(line: str) -> None:
    assert findings(line)


def sentence(error: BaseException) -> str:
    """The message, once it is known to be one sentence on one line."""
    message = str(error)
    assert "\n" not in message
    assert message.endswith(".")
    assert len(message) < 500
    return message


def refusal(load: Callable[[], Any]) -> str:
    with pytest.raises(UserError) as refused:
        load()
    return sentence(refused.value)


def network_with_a_lambda(mark: Path) -> keras.Model:
    """It makes a file when its layer is called, or only restored."""
    images = keras.Input((16, 16, 3))
    code = keras.layers.Lambda(lambda x, path=str(mark): (open(path, "w").close(), x)[1])  # noqa: SIM115
    return keras.Model(images, keras.layers.Conv2D(3, 1)(code(images)))


def describe_as_its_own(folder: Path) -> None:
    """The record says what the file is now, as somebody who made both would."""
    description = read_json(folder / "super_resolver.json")
    write_json(folder / "super_resolver.json", {**description, "sha256": sha256(folder / "network.keras")})


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    save_super_resolver(tmp_path / "model", KerasSuperResolver("srgan", generator_paper(16, blocks=1, filters=4)))
    return tmp_path / "model"


def test_a_lambda_in_a_keras_file_is_refused_and_not_run(stored: Path, tmp_path: Path) -> None:
    mark = tmp_path / "was_run"
    network = network_with_a_lambda(mark)
    mark.unlink()  # building it ran it
    network.save(stored / "network.keras")
    describe_as_its_own(stored)
    assert "network.keras" in refusal(lambda: load_super_resolver(stored))
    assert not mark.exists()


def test_a_lambda_in_an_h5_file_is_refused_and_not_run(stored: Path, tmp_path: Path) -> None:
    """A whole model in an .h5 file, by the name of a file of weights and by the name of a network."""
    mark = tmp_path / "was_run"
    network = network_with_a_lambda(mark)
    mark.unlink()
    whole = tmp_path / "whole.h5"
    network.save(whole)
    named = tmp_path / "spherenet4.weights.h5"
    named.write_bytes(whole.read_bytes())
    (stored / "network.keras").write_bytes(whole.read_bytes())
    describe_as_its_own(stored)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "spherenet4.weights.h5").write_bytes(whole.read_bytes())
    assert "network.keras" in refusal(lambda: load_super_resolver(stored))
    assert "spherenet4.weights.h5" in refusal(lambda: load_embedder(str(named), backbone="spherenet4"))
    assert "spherenet4.weights.h5" in refusal(lambda: load_backbone(tmp_path / "run"))
    assert "whole.h5 is not facenet_keras.h5" in refusal(lambda: load_facenet_128(whole))
    assert "whole.h5" in refusal(lambda: vgg19_features("block2_conv2", whole))
    assert not mark.exists()


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "no config", "other layers"])
def test_a_network_that_its_record_vouches_for_and_that_is_damaged(damage: str, stored: Path) -> None:
    file = stored / "network.keras"
    data = file.read_bytes()
    if damage == "no config":
        file.write_bytes(data.replace(b"config.json", b"konfig.json"))
    elif damage == "other layers":
        file.write_bytes(data.replace(b"model.weights.h5", b"nodel.weights.h5"))
    else:
        file.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "text": b"hello"}[damage])
    describe_as_its_own(stored)
    assert "network.keras" in refusal(lambda: load_super_resolver(stored))


def test_a_record_without_its_fields_is_refused(stored: Path) -> None:
    path = stored / "super_resolver.json"
    whole = read_json(path)
    for broken in (["a list"], {"schema": 1}, {**whole, "low_size": "16"}, {**whole, "sha256": None}):
        write_json(path, broken)
        assert "super_resolver.json" in refusal(lambda: load_super_resolver(stored))
    path.write_text(json.dumps(whole)[:50])
    assert "super_resolver.json cannot be read as JSON" in refusal(lambda: load_super_resolver(stored))


def damaged(data: bytes) -> list[bytes]:
    """The file without its end, its half, a head alone, nothing, other bytes, and bits that are turned."""
    turned = bytearray(data)
    for place in np.random.default_rng(0).integers(0, min(len(data), 3000), 40):
        turned[place] ^= 0xFF
    return [data[:-100], data[: len(data) // 2], data[:10], b"", b"hello, I am a text\n", bytes(turned)]


def test_damaged_weights_of_a_training_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "spherenet4.weights.h5"
    backbone("spherenet4").save_weights(path)
    write_embedder_record(tmp_path, "lai", 128)
    data = path.read_bytes()
    for wrong in damaged(data):
        path.write_bytes(wrong)
        assert "spherenet4.weights.h5" in refusal(lambda: load_embedder(str(path), backbone="spherenet4"))
    path.write_bytes(data)
    with h5py.File(path, "a") as file:  # right layers, wrong numbers of values

        def halve(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and item.ndim == 4:
                places.append(name)

        places: list[str] = []
        file.visititems(halve)
        values = file[places[0]][()]
        del file[places[0]]
        file[places[0]] = values[..., :1]
    assert "spherenet4.weights.h5" in refusal(lambda: load_embedder(str(path), backbone="spherenet4"))


@pytest.mark.parametrize(("kind", "name"), [("cosine", "templates.npz"), ("logistic", "head.weights.h5")])
def test_damaged_heads_are_refused(kind: str, name: str, tmp_path: Path) -> None:
    faces = random_embeddings(12, 8, classes=3)
    fit_classifier(kind, faces, faces, ["a", "b", "c"], embedder_name="facenet-8", seed=0).save(tmp_path)
    good = (tmp_path / name).read_bytes()
    # One bit of one weight: it can be read, and would give other names.
    (tmp_path / name).write_bytes(one_bit_changed(good, kind))
    assert f"{name} is not the file that head.json describes" in refusal(lambda: load_classifier(tmp_path))
    forget_checksum(tmp_path)
    load_classifier(tmp_path)
    for wrong in damaged(good):
        (tmp_path / name).write_bytes(wrong)
        assert name in refusal(lambda: load_classifier(tmp_path))


def one_bit_changed(good: bytes, kind: str) -> bytes:
    """A file of weights with the lowest bit of a float32 changed; the checksum within an `.npz` is made right again."""
    if kind != "cosine":
        with h5py.File(io.BytesIO(good)) as file:
            places: list[int] = []
            file.visititems(
                lambda _, item: places.append(item.id.get_offset()) if isinstance(item, h5py.Dataset) else None
            )
        place = next(place for place in places if place)
        return good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
    with np.load(io.BytesIO(good)) as stored:
        arrays = {key: stored[key] for key in stored.files}
    arrays["embeddings"].view(np.uint32)[0, 0] ^= 1
    changed = io.BytesIO()
    np.savez(changed, **arrays)
    return changed.getvalue()


def forget_checksum(folder: Path) -> None:
    """Makes a head of the kind that has no checksum in its description."""
    description = read_json(folder / "head.json")
    del description["sha256"]
    write_json(folder / "head.json", description)


class Harmful:
    """A pickle of it makes a folder where it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.mkdir, (self.path,))


@pytest.mark.parametrize("name", ["templates.npz", "gallery.npz"])
def test_arrays_with_pickles_or_other_arrays_are_refused(name: str, tmp_path: Path) -> None:
    """The templates of a cosine head, and all faces, which heads of an older kind kept."""
    faces = random_embeddings(12, 8, classes=3)
    fit_classifier("cosine", faces, faces, ["a", "b", "c"], embedder_name="facenet-8", seed=0).save(tmp_path / "head")
    forget_checksum(tmp_path / "head")
    (tmp_path / "head" / "templates.npz").unlink()
    file, mark = tmp_path / "head" / name, tmp_path / "was_run"
    embeddings = faces.embeddings[:3] if name == "templates.npz" else faces.embeddings
    good = {"embeddings": embeddings, "labels": faces.labels}
    infected = np.array([Harmful(mark)], dtype=object)
    file.write_bytes(pickle.dumps(Harmful(mark)))
    assert name in refusal(lambda: load_classifier(tmp_path / "head"))
    np.savez(file, **good)
    load_classifier(tmp_path / "head")
    wrong_embeddings = [
        {**good, "embeddings": embeddings[:, :5]},  # not as wide as head.json says
        {**good, "embeddings": embeddings[0]},
        {**good, "embeddings": embeddings[:-1]},  # not as many as there are classes, or labels
        {**good, "embeddings": embeddings * np.nan},
        {**good, "embeddings": infected},
    ]
    wrong_labels = [
        {**good, "labels": infected},
        {"embeddings": embeddings},
        {**good, "labels": good["labels"][:-1]},
        {**good, "labels": good["labels"] + 7},  # of classes that are not there
        {**good, "labels": good["labels"] - 1},
    ]
    for wrong in wrong_embeddings + (wrong_labels if name == "gallery.npz" else []):
        np.savez(file, **wrong)
        assert name in refusal(lambda: load_classifier(tmp_path / "head"))
    assert not mark.exists()


def test_a_head_without_its_fields_is_refused(tmp_path: Path) -> None:
    faces = random_embeddings(12, 8, classes=3)
    fit_classifier("logistic", faces, faces, ["a", "b", "c"], embedder_name="facenet-8", seed=0).save(tmp_path)
    whole = read_json(tmp_path / "head.json")
    for field in ("dimensions", "classes", "embedder"):
        write_json(tmp_path / "head.json", {key: value for key, value in whole.items() if key != field})
        assert re.search("head.json", refusal(lambda: load_classifier(tmp_path)))
    for changed in ({"dimensions": "eight"}, {"dimensions": -1}, {"classes": 3}, {"classes": []}):
        write_json(tmp_path / "head.json", {**whole, **changed})
        assert re.search("head.json", refusal(lambda: load_classifier(tmp_path)))


@pytest.mark.facenet
def test_a_changed_facenet_file_is_refused(facenet_weights: Path, tmp_path: Path) -> None:
    data = bytearray(facenet_weights.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "facenet_keras.h5").write_bytes(data)
    assert "its SHA-256 begins with" in refusal(lambda: load_facenet_128(tmp_path / "facenet_keras.h5"))
    (tmp_path / "facenet_keras.h5").write_bytes(data[:-1000])
    assert "its SHA-256 begins with" in refusal(lambda: load_facenet_128(tmp_path / "facenet_keras.h5"))
