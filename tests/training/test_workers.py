"""Two workers on loopback, as processes: they agree, one writes, one dies, both go on."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from tests.tools.small_runs import lines_beside_progress, read_checkpoint, sentence, start_script, write_small_tree

pytestmark = pytest.mark.slow

STEPS = 40
FLAGS = (
    f"--steps={STEPS}", "--batch_size=4", "--log_every=5", "--evaluate_every=1000", "--save_every=5",
    "--identity_similarity=off", "--average_decay=0.9",
)  # fmt: skip


class Workers:
    """Two processes of the same command, each with an output folder that only the chief should write to."""

    def __init__(self, tree: Path, folder: Path, *more: str) -> None:
        self.outputs = [folder / "chief", folder / "other"]
        self.dumps = [folder / "chief.npz", folder / "other.npz"]
        hosts = [f"localhost:{port}" for port in free_ports(2)]
        self.processes: list[subprocess.Popen[str]] = []
        for index in range(2):
            task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
            flags = (f"--data={tree}", f"--output={self.outputs[index]}", *FLAGS, *more)
            environment = {"TF_CONFIG": json.dumps(task), "DUMP": str(self.dumps[index])}
            script = ("tests/training/on_devices.py", "1", "lrfr_tf.train_srcnn", *flags)
            self.processes.append(start_script(*script, **environment))

    def wait_for_checkpoint(self, step: int) -> None:
        deadline = time.monotonic() + 200
        while not list((self.outputs[0] / "checkpoints").glob(f"ckpt-{step}.index")):
            assert all(process.poll() is None for process in self.processes)
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def finish(self) -> list[tuple[int, str, str]]:
        """(exit code, stdout, stderr) of each."""
        texts = [process.communicate(timeout=200) for process in self.processes]
        return [(process.returncode, *text) for process, text in zip(self.processes, texts, strict=True)]


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture(scope="module")
def tree(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_tree(tmp_path_factory.mktemp("tree"), portrait, {"train": 6, "val": 2})


@pytest.fixture(scope="module")
def whole(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Workers:
    workers = Workers(tree, tmp_path_factory.mktemp("whole"))
    for code, _, error in workers.finish():
        assert code == 0, error
        assert lines_beside_progress(error) == []
    return workers


def check_same(one: Path, other: Path) -> None:
    with np.load(one) as first, np.load(other) as second:
        assert len(first.files) == len(second.files) > 20
        assert all(np.array_equal(first[name], second[name]) for name in first.files)


def test_workers_agree_and_only_the_chief_writes(whole: Workers) -> None:
    check_same(*whole.dumps)
    assert (whole.outputs[0] / "model").is_dir()
    assert read_checkpoint(whole.outputs[0] / "checkpoints")["step/.ATTRIBUTES/VARIABLE_VALUE"] == STEPS
    assert not whole.outputs[1].exists()


@pytest.mark.parametrize("lost", ["other", "chief"])
def test_when_a_worker_dies_the_other_ends_and_both_go_on_later(
    lost: str, whole: Workers, tree: Path, tmp_path: Path
) -> None:
    workers = Workers(tree, tmp_path, "--steps_per_call=1")
    workers.wait_for_checkpoint(10)
    dead = workers.processes[1 if lost == "other" else 0]
    left = workers.processes[0 if lost == "other" else 1]
    dead.kill()
    killed_at = time.monotonic()
    _, error = left.communicate(timeout=60)
    assert time.monotonic() - killed_at < 60
    assert left.returncode == 2
    assert "Another worker stopped answering" in sentence(error)
    dead.communicate()
    assert not (workers.outputs[0] / "model").exists()
    again = Workers(tree, tmp_path)
    assert [code for code, _, _ in again.finish()] == [0, 0]
    check_same(*again.dumps)
    check_same(again.dumps[0], whole.dumps[0])
    assert not workers.outputs[1].exists()


def test_sigterm_to_one_worker_ends_both_with_a_checkpoint(whole: Workers, tree: Path, tmp_path: Path) -> None:
    workers = Workers(tree, tmp_path, "--steps_per_call=1")
    workers.wait_for_checkpoint(5)
    os.kill(workers.processes[1].pid, signal.SIGTERM)
    (code, _, error), (other_code, _, _) = workers.finish()
    assert (code, other_code) == (143, 143)
    assert "stopped by SIGTERM and saved after step" in lines_beside_progress(error)[-1]
    again = Workers(tree, tmp_path)
    assert [code for code, _, _ in again.finish()] == [0, 0]
    check_same(again.dumps[0], whole.dumps[0])
