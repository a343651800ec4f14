"""MobileFaceNet's published weights: equal to the ONNX file, kept in the cache, and wrong files in one sentence."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.models.mobilefacenet import mobilefacenet
from lrfr_tf.weights import mobilefacenet as weights
from lrfr_tf.weights.mobilefacenet import load_w600k_mbf, set_onnx_weights


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LRFR_TF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def published(shared_data: Path) -> Path:
    pytest.importorskip("onnx")
    return shared_data / "weights" / "w600k_mbf.onnx"


@pytest.mark.shared_data
def test_equals_the_onnx_file_and_is_kept(
    published: Path, cache: Path, portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    images = np.random.default_rng(0).uniform(0, 255, (3, 112, 112, 3)).astype(np.float32)
    images[0] = portrait[60:172, 170:282]
    session = onnxruntime.InferenceSession(published, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {session.get_inputs()[0].name: (images.transpose(0, 3, 1, 2) - 127.5) / 127.5})
    network = load_w600k_mbf(published)
    np.testing.assert_allclose(np.asarray(network(images)), expected, atol=1e-4)

    monkeypatch.setattr(weights, "set_onnx_weights", None)  # not asked again
    assert len(list(cache.iterdir())) == 1
    for again in (load_w600k_mbf(), load_w600k_mbf(published)):
        np.testing.assert_array_equal(np.asarray(again(images)), np.asarray(network(images)))


@pytest.mark.shared_data
def test_a_damaged_cache_is_made_again(published: Path, cache: Path) -> None:
    before = load_w600k_mbf(published).get_weights()
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:1000])
    np.testing.assert_array_equal(load_w600k_mbf(published).get_weights()[0], before[0])


def test_another_file_is_named(tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(b"not a network")
    with pytest.raises(UserError, match=r"other\.onnx is not w600k_mbf\.onnx: its SHA-256"):
        load_w600k_mbf(other)
    with pytest.raises(UserError, match=r"nowhere\.onnx is missing"):
        load_w600k_mbf(tmp_path / "nowhere.onnx")


def test_another_network_is_named(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    kernel = onnx.numpy_helper.from_array(np.zeros((4, 3, 3, 3), np.float32), "kernel")
    bias = onnx.numpy_helper.from_array(np.zeros(4, np.float32), "bias")
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in ("x", "y")]
    node = onnx.helper.make_node("Conv", ["x", "kernel", "bias"], ["y"])
    graph = onnx.helper.make_graph([node], "small", values[:1], values[1:], [kernel, bias])
    onnx.save(onnx.helper.make_model(graph), str(tmp_path / "small.onnx"))
    with pytest.raises(UserError, match=r"small\.onnx is of another network than MobileFaceNet: entry_convolution is"):
        set_onnx_weights(mobilefacenet(), tmp_path / "small.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"not a network")
    with pytest.raises(UserError, match=r"broken\.onnx is not an ONNX file\."):
        set_onnx_weights(mobilefacenet(), tmp_path / "broken.onnx")
