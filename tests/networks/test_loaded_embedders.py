"""Embedders out of exports and out of weight files of a training, and averages over mirror images."""

from pathlib import Path

import keras
import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.models.spherenet import spherenet
from lrfr_tf.networks.embedding import load_embedder
from lrfr_tf.weights.backbone import write_embedder_record
from tests.tools.small_embedders import embed_by_hand, write_small_embedder


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports") / "small"
    write_small_embedder(folder / "1")
    return folder


def crops(*sizes: tuple[int, int]) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (height, width, 3), np.uint8) for height, width in sizes]


@pytest.mark.parametrize("flip", [False, True])
def test_an_export_gets_crops_as_they_are(export: Path, flip: bool) -> None:
    embedder = load_embedder(str(export))
    embedder.flip = flip
    embedder.batch_size = 2
    faces = crops((40, 30), (128, 128), (40, 30), (8, 8), (40, 30), (128, 128))
    found = embedder.embed(faces)
    assert found.dtype == np.float32
    assert found.shape == (6, embedder.dimensions)
    np.testing.assert_allclose(found, [embed_by_hand(face, flip) for face in faces], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(embedder.embed(np.stack(faces[::5][:1])), found[:1], atol=1e-6)
    assert embedder.embed([]).shape == (0, 192)
    with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\]"):
        embedder.embed([faces[0].astype(np.float32)])


def test_the_newest_version_and_its_name(export: Path) -> None:
    embedder = load_embedder(str(export / "1"))
    assert embedder.name == f"small-1-{embedder.checksum[:12]}"
    assert len(embedder.checksum) == 64


def test_exports_that_cannot_be_used(export: Path, tmp_path: Path) -> None:
    write_small_embedder(tmp_path / "other/1", signature="identify")
    with pytest.raises(UserError, match="cannot embed"):
        load_embedder(str(tmp_path / "other"))
    write_small_embedder(tmp_path / "changed/1")
    (tmp_path / "changed/1/saved_model.pb").write_bytes(b"something else")
    with pytest.raises(UserError, match=r"saved_model\.pb is missing or is not the file"):
        load_embedder(str(tmp_path / "changed"))
    with pytest.raises(UserError, match=r"is not known; there are facenet-128, .*folders of exports"):
        load_embedder(str(tmp_path / "nothing"))


def test_weights_of_a_training(tmp_path: Path) -> None:
    network = spherenet(4)
    network.save_weights(tmp_path / "run.weights.h5")
    # On which template they were trained is not guessed.
    with pytest.raises(UserError, match=r"No embedder\.json beside .*run\.weights\.h5 says on which template"):
        load_embedder(str(tmp_path / "run.weights.h5"), backbone="spherenet4")
    write_embedder_record(tmp_path, "lai", 128)
    embedder = load_embedder(str(tmp_path / "run.weights.h5"), backbone="spherenet4")
    assert embedder.name == f"spherenet4-{embedder.checksum[:12]}"
    (face, other) = crops((128, 128), (128, 128))
    features = keras.ops.convert_to_numpy(network(np.stack([face, other, face[:, ::-1]]).astype(np.float32)))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    np.testing.assert_allclose(embedder.embed([face, other]), unit[:2], atol=1e-5)
    embedder.flip = True
    mean = unit[0] + unit[2]
    np.testing.assert_allclose(embedder.embed([face])[0], mean / np.linalg.norm(mean), atol=1e-5)
    with pytest.raises(UserError, match=r"run\.weights\.h5 does not hold the weights of a spherenet10"):
        load_embedder(str(tmp_path / "run.weights.h5"), backbone="spherenet10")
    with pytest.raises(UserError, match="'spherenet5' is not known; there are spherenet4"):
        load_embedder(str(tmp_path / "run.weights.h5"), backbone="spherenet5")
    (tmp_path / "no.weights.h5").write_bytes(b"no")
    with pytest.raises(UserError, match=r"no\.weights\.h5 does not hold"):
        load_embedder(str(tmp_path / "no.weights.h5"), backbone="spherenet4")
    with pytest.raises(UserError, match=r"none\.weights\.h5 is missing"):
        load_embedder(str(tmp_path / "none.weights.h5"))
