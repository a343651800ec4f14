"""What is done for the peers is right: their input, their names of our weights, and the stand-in for torchvision."""

import sys
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.models.facenet import inception_resnet_v1, whiten_each
from lrfr_tf.speed.peers import FACENET_PYTORCH, OURS, programs
from lrfr_tf.speed.whiten import whiten
from lrfr_tf.speed.worker import read_lists, write_lists


def test_peers_get_the_input_that_our_network_makes_itself() -> None:
    faces = np.random.default_rng(0).integers(0, 256, (3, 20, 20, 3), np.uint8)
    faces[2] = 7  # of one color
    np.testing.assert_allclose(whiten(faces), np.asarray(whiten_each(faces)), atol=1e-5)


def test_arrays_of_any_sizes_come_back_in_order(tmp_path: Path) -> None:
    lists = {"a, 2 x 2": [np.full((size, 2, 3), size, np.uint8) for size in range(1, 13)], "b": [np.zeros((1, 1, 3))]}
    write_lists(tmp_path / "lists.npz", lists)
    found = read_lists(tmp_path / "lists.npz")
    assert list(found) == list(lists)
    for name, arrays in lists.items():
        for array, other in zip(found[name], arrays, strict=True):
            np.testing.assert_array_equal(array, other)


def test_without_their_environment_the_peers_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = programs("embed", str(tmp_path / "none"), {"other": "keras_facenet_embed"})
    assert [program.name for program in found] == [OURS, "other"]
    assert [program.module for program in found][0] == "lrfr_tf.speed.ours_embed"
    (line,) = caplog.messages
    assert line.startswith(f"{FACENET_PYTORCH} is left out: {tmp_path / 'none'} has no facenet-pytorch")


def test_every_weight_has_a_name_there() -> None:
    pytest.importorskip("torch")
    from lrfr_tf.speed.facenet_pytorch_embed import stand_in_for_torchvision, state_of

    try:
        stand_in_for_torchvision()
        InceptionResnetV1 = pytest.importorskip("facenet_pytorch").InceptionResnetV1  # noqa: N806
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
    layers = inception_resnet_v1(512).layers
    weights = {f"{layer.name}/{weight.name}": weight.numpy() for layer in layers for weight in layer.weights}
    theirs = {key: value.shape for key, value in InceptionResnetV1().state_dict().items()}
    ours = {key: value.shape for key, value in state_of(weights).items()}
    assert ours == {key: shape for key, shape in theirs.items() if key in ours}
    assert all(key.endswith(("bn.weight", "num_batches_tracked")) for key in theirs.keys() - ours.keys())


def test_suppression_by_hand() -> None:
    torch = pytest.importorskip("torch")
    from lrfr_tf.speed.torch_boxes import Suppression

    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 9], [20, 20, 30, 30]])
    kept = Suppression()(boxes, torch.tensor([0.8, 0.9, 0.7, 0.6]), torch.tensor([0, 0, 1, 0]), 0.5)
    assert kept.tolist() == [1, 2, 3]
    assert Suppression()(boxes[:0], torch.empty(0), torch.empty(0), 0.5).tolist() == []
