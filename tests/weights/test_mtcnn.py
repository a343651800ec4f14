"""MTCNN's weights: the package's files and nothing else, converted once, read without a pickle."""

from pathlib import Path

import keras
import numpy as np
import pytest
from mtcnn.stages import StageONet, StagePNet, StageRNet

from lrfr_tf.errors import UserError
from lrfr_tf.files import sha256
from lrfr_tf.weights import mtcnn
from lrfr_tf.weights.mtcnn import (
    CONVERTED_SHA256,
    PACKAGE_SHA256,
    Nets,
    checked_path,
    converted_path,
    mtcnn_nets,
    named_variables,
    nets_from_file,
    nets_from_package,
    without_lz4_warnings,
    write_converted,
)


@pytest.fixture(scope="module")
def nets() -> Nets:
    return nets_from_package()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LRFR_TF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_nets_give_what_the_package_s_nets_give(nets: Nets) -> None:
    generator = np.random.default_rng(0)
    stages = ((StagePNet, "pnet.lz4", 31), (StageRNet, "rnet.lz4", 24), (StageONet, "onet.lz4", 48))
    for net, (stage, name, side) in zip((nets.proposal, nets.refinement, nets.output), stages, strict=True):
        images = generator.uniform(-1, 1, (5, side, side, 3)).astype(np.float32)
        with without_lz4_warnings():
            package = stage(weights=checked_path(name)).model
        found = net(images)
        if net is nets.proposal:
            found[1] = keras.ops.softmax(found[1])
        for ours, theirs in zip(found, package(images), strict=True):
            assert np.std(theirs) > 0.01
            np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_converted_file_is_the_same_everywhere_and_gives_the_same_nets(nets: Nets, tmp_path: Path) -> None:
    write_converted(nets, tmp_path / "mtcnn.npz")
    assert sha256(tmp_path / "mtcnn.npz") == CONVERTED_SHA256
    read = named_variables(nets_from_file(tmp_path / "mtcnn.npz"))
    assert len(read) == 50
    for key, variable in named_variables(nets).items():
        np.testing.assert_array_equal(read[key], variable)


def test_the_package_s_files_are_opened_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = mtcnn_nets()
    assert converted_path() == cache / "mtcnn.npz"
    assert sha256(converted_path()) == CONVERTED_SHA256
    monkeypatch.setattr(mtcnn, "nets_from_package", lambda: pytest.fail("the package's files were opened again"))
    second = named_variables(mtcnn_nets())
    for key, variable in named_variables(first).items():
        np.testing.assert_array_equal(second[key], variable)


def test_a_changed_file_in_the_cache_is_made_anew(cache: Path, nets: Nets) -> None:
    write_converted(nets, converted_path())
    content = bytearray(converted_path().read_bytes())
    content[-5000] ^= 1
    converted_path().write_bytes(content)
    kernel = named_variables(mtcnn_nets())["output_net/probabilities/kernel"]
    np.testing.assert_array_equal(kernel, named_variables(nets)["output_net/probabilities/kernel"])
    assert sha256(converted_path()) == CONVERTED_SHA256


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LRFR_TF_CACHE", str(tmp_path / "file" / "cache"))
    assert mtcnn_nets().proposal.count_params() == 6_632


def test_changed_weights_are_not_opened(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGE_SHA256, "rnet.lz4", "0" * 64)
    with pytest.raises(UserError, match=r"rnet\.lz4 is not the file of mtcnn 1\.0\.0"):
        mtcnn_nets()
    assert not converted_path().exists()


def test_weights_in_the_working_folder_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PACKAGE_SHA256:
        (tmp_path / name).write_bytes(b"not weights: the package would try to unpickle this")
    monkeypatch.chdir(tmp_path)
    nets_from_package()


def test_a_missing_package_is_a_user_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"mtcnn 1\.0\.0 is missing"):
        checked_path("pnet.lz4")


def test_files_that_hold_something_else_are_refused(nets: Nets, tmp_path: Path) -> None:
    path = tmp_path / "mtcnn.npz"
    with pytest.raises(UserError, match=r"mtcnn\.npz is missing"):
        nets_from_file(path)
    write_converted(nets, path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(UserError, match=r"mtcnn\.npz cannot be read as a file of arrays"):
        nets_from_file(path)
    np.savez(path, **{"proposal_net/convolution1/kernel": np.array([{"an": "object"}], dtype=object)})
    with pytest.raises(UserError, match=r"mtcnn\.npz cannot be read as a file of arrays"):
        nets_from_file(path)
    values = {key: np.asarray(variable) for key, variable in named_variables(nets).items()}
    key = "refinement_net/dense4/kernel"
    for wrong in ({**values, key: values[key][:-1]}, {**values, "more": values[key]}, {key: values[key]}):
        np.savez(path, **wrong)
        with pytest.raises(UserError, match="does not hold the weights of MTCNN's three nets"):
            nets_from_file(path)
