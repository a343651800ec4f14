"""Weights of the deep Siamese network: PyTorch's own embedding, recorded, and state dicts that do not fit."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.weights.dsn import convert_state_dict, import_checkpoint, read_state_dict
from tests.golden.make_dsn_golden import known_image, known_state

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "dsn_torch.json").read_text())

State = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def state() -> State:
    return known_state()


def test_embeddings_equal_pytorch_s(state: State) -> None:
    # The keys' names mean nothing; torch's DataParallel puts a word before them.
    network = convert_state_dict({f"module.{key}": values for key, values in state.items()}, 10)
    embedding = network(known_image()[None].astype(np.float32)).numpy()[0]
    expected = np.array(GOLDEN["embedding"])
    assert expected.std() > 1
    np.testing.assert_allclose(embedding, expected, atol=1e-4)


def without_last(state: State) -> State:
    return dict(list(state.items())[:-1])


def with_more(state: State) -> State:
    return {**state, "head.weight": np.zeros((10, 512), np.float32)}


def with_last_layer_first(state: State) -> State:
    keys = list(state)
    return {key: state[key] for key in [*keys[-2:], *keys[:-2]]}


def with_slopes_before_biases(state: State) -> State:
    keys = list(state)
    keys[1], keys[2] = keys[2], keys[1]  # the same shape: only the names tell
    return {key: state[key] for key in keys}


def with_another_size_of_image(state: State) -> State:
    key = list(state)[-2]
    return {**state, key: np.zeros((512, 512 * 7 * 6), np.float32)}


def with_nan(state: State) -> State:
    values = state["0.bias"].copy()
    values[3] = np.nan
    return {**state, "0.bias": values}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_last, "holds 31 tensors; SphereNet-10 has 32"),
        (with_more, "holds 33 tensors; SphereNet-10 has 32"),
        (with_last_layer_first, r"has the shape \(512, 32768\); SphereNet-10 needs a weight of \(64, 3, 3, 3\)"),
        (with_slopes_before_biases, r"1\.weight .* needs a bias of \(64,\) there, for stage1_entry_convolution"),
        (with_another_size_of_image, r"\(512, 21504\); SphereNet-10 needs a weight of \(512, 32768\) there"),
        (with_nan, r"0\.bias of the state dict holds values that are not finite"),
    ],
)
def test_a_state_dict_that_does_not_fit_is_refused(
    state: State, change: Callable[[State], State], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        convert_state_dict(change(state), 10)


def test_the_depth_is_checked(state: State) -> None:
    with pytest.raises(UserError, match="holds 32 tensors; SphereNet-4 has 14"):
        convert_state_dict(state, 4)


def test_without_pytorch_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match=r"absent\.pth is missing"):
        read_state_dict(tmp_path / "absent.pth")
    (tmp_path / "weights.pth").write_bytes(b"anything")
    with pytest.raises(UserError, match=r"needs PyTorch: pip install 'lrfr-tf\[torch\]'"):
        read_state_dict(tmp_path / "weights.pth")


@pytest.mark.parametrize("name", ["dsn.h5", "dsn", ".weights.h5"])
def test_the_output_has_to_be_a_weight_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"must end in \.weights\.h5"):
        import_checkpoint(tmp_path / "absent.pth", tmp_path / name)
