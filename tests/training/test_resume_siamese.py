"""Siamese runs that are killed with SIGKILL, and runs on two devices: the weights are those of a run left alone."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.files import read_json
from tests.aligned_by_code import write_aligned_tree
from tests.tools.small_runs import read_checkpoint
from tests.training.test_resume import STEPS, losses, run_all, some_step

pytestmark = pytest.mark.slow

COMMON = (
    "lrfr_tf.train_siamese", "--backbone=spherenet4", "--batch_size=2", "--sizes=128,8",
    "--validation_identities=2", "--log_every=1", "--evaluate_every=1000", "--jit_compile=off", "--steps_per_call=3",
    "--learning_rate=0.002", "--clip_norm=1", "--average_decay=0.9",
)  # fmt: skip


@pytest.fixture(scope="module")
def runs(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    tree = write_aligned_tree(
        tmp_path_factory.mktemp("aligned") / "tree", portrait, {str(number): 4 for number in (1, 2, 3, 4, 6, 7, 8)}, 6
    )
    killed = (*COMMON, f"--data={tree}", f"--steps={STEPS}", "--save_every=6")
    # A triplet is looked for among a replica's share, so two replicas have other hardest negatives than one.
    alike = (*COMMON, f"--data={tree}", "--triplet_weight=0", "--steps=20", "--save_every=1000")
    two = "--strategy=mirrored"
    jobs = {
        "killed": (killed, 1, (some_step(),)),
        "left alone": (killed, 1, ()),
        "one": (alike, 1, ()),
        "two": ((*alike, two), 2, ()),
    }
    return run_all(jobs, tmp_path_factory.mktemp("siamese"))


def test_a_killed_run_ends_with_the_same_weights(runs: dict[str, Path]) -> None:
    first, second = (read_checkpoint(runs[name] / "checkpoints") for name in ("left alone", "killed"))
    assert first.keys() == second.keys()
    assert {name.split("/")[0] for name in first} == {"step", "network", "head", "optimizer", "average"}
    assert max(np.abs(first[name] - second[name]).max(initial=0.0) for name in first if "step" not in name) == 0.0
    assert read_json(runs["left alone"] / "validation.json") == read_json(runs["killed"] / "validation.json")
    models = [(runs[name] / "model" / "spherenet4.weights.h5").is_file() for name in ("left alone", "killed")]
    assert models == [True, True]


def test_two_devices_have_the_losses_of_one(runs: dict[str, Path]) -> None:
    for name in ("loss/total", "loss/classification_128", "loss/classification_8", "gradient_norm"):
        one, two = (losses(runs[devices], name, 1) for devices in ("one", "two"))
        assert np.abs(one - two).max() < 1e-4 * one.min(), name
    # Equal, but not for being the same computation.
    first, second = (read_checkpoint(runs[devices] / "checkpoints") for devices in ("one", "two"))
    assert not all(np.array_equal(first[key], second[key]) for key in first)
