"""The conversion from end to end, and files that must not be loaded; all but the first two tests need PyTorch."""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfr_tf.files import read_json, sha256
from lrfr_tf.models.spherenet import UNITS, spherenet
from tests.cli.conftest import Refused, Tool
from tests.golden.make_dsn_golden import known_image, torch_embedding, torch_network


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed (pip install 'lrfr-tf[torch]')")


@pytest.fixture
def module(tool: Tool) -> Any:
    return tool("import_dsn_checkpoint")


def flags(path: Path, **more: str) -> list[str]:
    settings = {"checkpoint": str(path), "output": f"{path.parent}/dsn.weights.h5", **more}
    return [f"--{name}={value}" for name, value in settings.items()]


def test_a_missing_file_is_named(module: Any, refused: Refused, tmp_path: Path) -> None:
    assert f"{tmp_path}/absent.pth is missing" in refused(module, *flags(tmp_path / "absent.pth"))


def test_pytorch_is_asked_for(module: Any, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "weights.pth").write_bytes(b"anything")
    assert "pip install 'lrfr-tf[torch]'" in refused(module, *flags(tmp_path / "weights.pth"))


@pytest.mark.parametrize("depth", [10, 20])
def test_embeddings_equal_those_of_pytorch(
    depth: int, torch: Any, module: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(depth)
    theirs = torch_network(UNITS[depth])
    # PyTorch's initial weights are small, so that biases alone would decide; slopes must differ to be told apart.
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.mul_(1.6 if parameter.dim() > 1 else 1.0)
            if parameter.dim() == 1:
                parameter.add_(0.2 * torch.rand_like(parameter))
    torch.save(theirs.state_dict(), tmp_path / "backbone.pth")
    output = tmp_path / "dsn.weights.h5"
    module.main(module.Config(str(tmp_path / "backbone.pth"), str(output), f"spherenet{depth}"))

    ours = spherenet(depth)
    ours.load_weights(output)
    images = np.stack([known_image(), known_image()[::-1], 255 - known_image()])
    expected = torch_embedding(theirs, images)
    embeddings = ours(images.astype(np.float32)).numpy()
    assert expected.std() > 0.3
    assert np.abs(expected[0] - expected[1]).max() > 0.1
    np.testing.assert_allclose(embeddings, expected, atol=1e-4)

    record = read_json(tmp_path / "dsn.json")
    assert record["network"] == f"spherenet{depth}"
    assert record["parameters"] == sum(parameter.numel() for parameter in theirs.parameters())
    assert record["weights"] == {"file": "dsn.weights.h5", "sha256": sha256(output)}
    assert record["source"] == {"file": "backbone.pth", "sha256": sha256(tmp_path / "backbone.pth")}
    assert f"sha256 {sha256(output)}" in capsys.readouterr().out


class Harmful:
    """An object whose pickle makes a folder when it is loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def test_a_pickle_with_other_objects_is_refused(torch: Any, module: Any, refused: Refused, tmp_path: Path) -> None:
    torch.save({"0.weight": Harmful(tmp_path / "made")}, tmp_path / "harmful.pth")
    assert "is not a checkpoint of tensors alone" in refused(module, *flags(tmp_path / "harmful.pth"))
    assert [path.name for path in tmp_path.iterdir()] == ["harmful.pth"]
    # The test's own object works, where it is loaded.
    torch.load(tmp_path / "harmful.pth", weights_only=False)
    assert (tmp_path / "made").is_dir()


def test_what_is_no_state_dict_is_refused(torch: Any, module: Any, refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    contents = {
        "holds no state dict but a Tensor": torch.zeros(3),
        "holds no state dict but a list": [torch.zeros(3)],
        "holds no state dict but a dict": {},
        "'epoch' is not a tensor": {"epoch": 3},
        "'counts' is not a tensor of floating-point numbers": {"counts": torch.zeros(3, dtype=torch.int64)},
        "holds 1 tensors; SphereNet-20 has 62": {"0.weight": torch.zeros(3)},
    }
    for message, content in contents.items():
        torch.save(content, path)
        assert message in refused(module, *flags(path))
    for data in (b"", b"not a pickle at all", path.read_bytes()[:200]):
        path.write_bytes(data)
        assert "weights.pth is not a" in refused(module, *flags(path))
    assert [found.name for found in tmp_path.iterdir()] == ["weights.pth"]


def test_wrong_shapes_are_named(torch: Any, module: Any, refused: Refused, tmp_path: Path) -> None:
    state = torch_network(UNITS[4]).state_dict()
    state["2.bias"] = torch.zeros(100)
    torch.save(state, tmp_path / "weights.pth")
    error = refused(module, *flags(tmp_path / "weights.pth", backbone="spherenet4"))
    assert "2.bias of the state dict has the shape (100,); SphereNet-4 needs a bias of (128,) there" in error
    assert "spherenet11" in refused(module, *flags(tmp_path / "weights.pth", backbone="spherenet11"))
