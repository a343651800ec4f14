"""Runs that are killed with SIGKILL, and runs on several devices: the weights are those of a run that was left alone.

Every run is a process of its own, started as a user starts it. They wait for each other only where they must.
"""

import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.files import read_json
from tests.tools.small_runs import lines_beside_progress, read_checkpoint, read_events, start_script, write_small_tree

STEPS = 24
COMMON = (
    "--batch_size=4", "--log_every=1", "--evaluate_every=1000", "--save_every=1", "--jit_compile=off",
    "--identity_similarity=off", "--average_decay=0.9", "--best_metric=psnr", "--steps_per_call=3",
)  # fmt: skip
SRCNN = ("lrfr_tf.train_srcnn", f"--steps={STEPS}", *COMMON)
SRGAN = (
    "lrfr_tf.train_srgan", f"--pixel_steps={STEPS}", f"--adversarial_steps={STEPS}", "--blocks=1", "--filters=4",
    "--discriminator_filters=4", "--pixel_weight=1", "--perceptual_weight=0", "--attention",
    "--camera=clean,moderate,moderate,harsh", *COMMON,
)  # fmt: skip


def words(command: tuple[str, ...], devices: int) -> tuple[str, ...]:
    """What follows `python`: the script, or our wrapper that makes several devices of one processor."""
    if devices == 1:
        return (f"-m {command[0]}", *command[1:])
    return ("tests/training/on_devices.py", str(devices), *command)


def finish(command: tuple[str, ...], devices: int) -> None:
    """Runs a command to its end."""
    with start_script(*words(command, devices)) as process:
        _, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    assert lines_beside_progress(error) == []


def kill(command: tuple[str, ...], devices: int, output: Path, after: int) -> None:
    """Starts a command and kills it once its checkpoint of the step `after` is there, a moment later."""
    with start_script(*words(command, devices)) as process:
        deadline = time.monotonic() + 240
        while newest(output) < after:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.03))
        process.kill()
        process.communicate()
    assert process.returncode == -9
    assert not (output / "model").exists()


def newest(output: Path) -> int:
    return max((int(file.stem[5:]) for file in (output / "checkpoints").glob("ckpt-*.index")), default=0)


def chain(command: tuple[str, ...], devices: int, output: Path, kills: tuple[int, ...]) -> Path:
    """A command that is killed near each step of `kills` and started again each time."""
    command = (*command, f"--output={output}")
    for after in kills:
        kill(command, devices, output, after)
    finish(command, devices)
    return output


def run_all(jobs: dict[str, tuple[tuple[str, ...], int, tuple[int, ...]]], root: Path) -> dict[str, Path]:
    """Name -> run folder of (command, devices, steps near which it is killed), some of them at a time."""
    with ThreadPoolExecutor(3) as pool:
        futures = {
            name: pool.submit(chain, command, devices, root / name.replace(" ", "_"), kills)
            for name, (command, devices, kills) in jobs.items()
        }
        return {name: future.result() for name, future in futures.items()}


def some_step() -> int:
    """A random step, early enough that the run is not over before it is killed."""
    step = random.SystemRandom().randrange(1, STEPS - 12)
    print(f"killed after the checkpoint of step {step} of a phase", file=sys.stderr)
    return step


@pytest.fixture(scope="module")
def tree(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_tree(tmp_path_factory.mktemp("tree"), portrait, {"train": 6, "val": 2})


@pytest.fixture(scope="module")
def srcnn_runs(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    one = (*SRCNN, f"--data={tree}")
    two = (*one, "--strategy=mirrored")
    jobs = {
        "one killed": (one, 1, (some_step(),)),
        "two killed": (two, 2, (some_step(),)),
        "one": (one, 1, ()),
        "two": (two, 2, ()),
    }
    return run_all(jobs, tmp_path_factory.mktemp("srcnn"))


@pytest.fixture(scope="module")
def srgan_runs(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    one = (*SRGAN, f"--data={tree}")
    jobs = {
        "one killed": (one, 1, (some_step(), STEPS + some_step())),
        "one": (one, 1, ()),
        "two": ((*one, "--strategy=mirrored"), 2, ()),
    }
    return run_all(jobs, tmp_path_factory.mktemp("srgan"))


def check_same(whole: Path, killed: Path) -> None:
    """Both runs ended with the same bits: networks, average, best, optimizers and figures."""
    first, second = read_checkpoint(whole / "checkpoints"), read_checkpoint(killed / "checkpoints")
    assert first.keys() == second.keys()
    assert {"step", "average", "best"} <= {key.split("/")[0] for key in first}
    assert max(np.abs(first[key] - second[key]).max(initial=0.0) for key in first if "step" not in key) == 0.0
    assert all(np.array_equal(first[key], second[key]) for key in first)
    assert read_json(whole / "validation.json")[-1] == read_json(killed / "validation.json")[-1]


@pytest.mark.parametrize("devices", ["one", "two"])
def test_a_killed_srcnn_ends_with_the_same_weights(devices: str, srcnn_runs: dict[str, Path]) -> None:
    check_same(srcnn_runs[devices], srcnn_runs[f"{devices} killed"])


@pytest.mark.slow
def test_an_srgan_killed_in_both_phases_ends_with_the_same_weights(srgan_runs: dict[str, Path]) -> None:
    check_same(srgan_runs["one"], srgan_runs["one killed"])


def losses(run: Path, name: str, first_step: int, count: int = 20) -> np.ndarray:
    """The values of `count` steps."""
    values = read_events(run / "tensorboard")[name]
    return np.array([float(values[step]) for step in range(first_step, first_step + count)])


def test_two_devices_have_the_losses_of_one(srcnn_runs: dict[str, Path]) -> None:
    one, two = (losses(srcnn_runs[devices], "loss/pixel", 1) for devices in ("one", "two"))
    assert np.abs(one - two).max() < 1e-4 * one.min()
    # Equal, but not for being the same computation.
    first, second = (read_checkpoint(srcnn_runs[devices] / "checkpoints") for devices in ("one", "two"))
    assert not all(np.array_equal(first[key], second[key]) for key in first)


@pytest.mark.slow
def test_half_precision_on_two_devices(tree: Path, srcnn_runs: dict[str, Path], tmp_path: Path) -> None:
    # Four steps are enough: float16 is slow on a CPU.
    flags = (f"--data={tree}", "--strategy=mirrored", "--precision=mixed_float16", "--clip_norm=100", "--steps=4")
    run = chain((*SRCNN, *flags, "--rate_schedule=constant"), 2, tmp_path / "run", ())
    half, whole = losses(run, "loss/pixel", 1, 4), losses(srcnn_runs["one"], "loss/pixel", 1, 4)
    assert half == pytest.approx(whole, rel=0.02)
    assert not np.array_equal(half, whole)
    assert all(np.log2(scale).is_integer() for scale in losses(run, "loss_scale", 1, 4))


@pytest.mark.slow
def test_two_devices_play_the_game_of_one(srgan_runs: dict[str, Path]) -> None:
    def difference(name: str, first_step: int) -> np.ndarray:
        return np.abs(losses(srgan_runs["one"], name, first_step) - losses(srgan_runs["two"], name, first_step))

    # Batch norm takes its statistics from both shares: without that the losses part at once.
    assert difference("loss/pixel", 1).max() < 1e-6
    for name in ("loss/pixel", "loss/total"):
        assert difference(name, STEPS + 1).max() < 1e-4
    # The game doubles a difference of rounding every other step, whatever makes it.
    for name in ("loss/adversarial", "loss/discriminator"):
        assert difference(name, STEPS + 1)[0] < 1e-5
        assert difference(name, STEPS + 1).max() < 0.05
