"""Runs that are given more steps: equal to longer ones, bit for bit, or a sentence says that they are not."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.cli.train_srcnn import Config, main
from lrfr_tf.cli.train_srgan import Config as SrganConfig
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.run import lengthen
from lrfr_tf.training.schedules import begin_alike, learning_rate
from lrfr_tf.training.settings import RATE_SCHEDULES
from lrfr_tf.training.strategy import Devices
from tests.tools.small_runs import read_checkpoint, write_small_tree


@pytest.fixture(scope="module")
def tree(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_tree(tmp_path_factory.mktemp("tree"), portrait, {"train": 2, "val": 1})


def train(tree: Path, output: Path, steps: int, **changes: Any) -> dict[str, np.ndarray]:
    """Runs SRCNN; returns its last checkpoint."""
    values: dict[str, Any] = {
        "data": (str(tree),), "output": str(output), "steps": steps, "batch_size": 2, "evaluate_every": 100,
        "jit_compile": "off", "identity_similarity": "off", "average_decay": 0.9, "low_size": 32, "warm_up_steps": 3,
    }  # fmt: skip
    keras.utils.clear_session()
    main(Config(**{**values, **changes}))
    return read_checkpoint(output / "checkpoints")


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_a_finished_run_at_a_constant_rate_ends_as_a_longer_one(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tree, tmp_path / "run", 3, rate_schedule="constant")
    longer = train(tree, tmp_path / "run", 7, rate_schedule="constant")
    assert "note:" not in capsys.readouterr().err
    assert same(longer, train(tree, tmp_path / "whole", 7, rate_schedule="constant"))
    names = sorted(path.name for path in (tmp_path / "run").iterdir() if path.name.startswith("model"))
    assert names == ["model", "model_after_3_steps"]
    assert read_json(tmp_path / "run" / "settings.json") == read_json(tmp_path / "whole" / "settings.json")
    # Fewer steps are other settings, as ever.
    with pytest.raises(UserError, match=r"other settings \(steps\)"):
        train(tree, tmp_path / "run", 3, rate_schedule="constant")


def test_a_run_before_its_first_division_ends_as_a_longer_one(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save = CheckpointStore.save

    def save_and_stop(self: CheckpointStore, step: int) -> None:
        save(self, step)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(CheckpointStore, "save", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            train(tree, tmp_path / "run", 8, rate_schedule="steps", save_every=4)
    longer = train(tree, tmp_path / "run", 10, rate_schedule="steps", save_every=4)
    assert "note:" not in capsys.readouterr().err
    assert same(longer, train(tree, tmp_path / "whole", 10, rate_schedule="steps"))


def test_a_finished_run_along_a_cosine_says_so_and_goes_on(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tree, tmp_path / "run", 2, rate_schedule="cosine")
    longer = train(tree, tmp_path / "run", 4, rate_schedule="cosine")
    sentence = (
        f"note: {tmp_path / 'run'} goes on from step 2 with 4 instead of 2 steps, but will not end as if it had been "
        "begun with them: its learning rate (cosine) depends on the number of steps.\n"
    )
    assert capsys.readouterr().err.count(sentence) == 1
    assert longer["step/.ATTRIBUTES/VARIABLE_VALUE"] == 4
    assert not same(longer, train(tree, tmp_path / "whole", 4, rate_schedule="cosine"))
    # It is a run of four steps now, and finished.
    train(tree, tmp_path / "run", 4, rate_schedule="cosine")
    assert "note:" not in capsys.readouterr().err


@pytest.mark.parametrize("kind", RATE_SCHEDULES)
def test_schedules_are_compared_by_their_rates(kind: str) -> None:
    def rates(steps: int) -> list[float]:
        rate = learning_rate(kind, 1.0, steps)
        return [float(rate(step)) if callable(rate) else rate for step in range(steps)]

    for steps, others in ((5, 6), (6, 9), (4, 4), (10, 30)):
        one, other = rates(steps), rates(others)
        for done in range(steps + 1):
            assert begin_alike(kind, steps, others, done) == (one[:done] == other[:done])


def test_each_phase_is_lengthened_while_it_lasts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tree").mkdir()
    write_json(tmp_path / "tree" / "manifest.json", {})
    phases: Any = [
        SimpleNamespace(length="pixel_steps", folder="pixel_model"),
        SimpleNamespace(length="adversarial_steps", folder="model"),
    ]
    devices = Devices(tf.distribute.get_strategy(), writes=True, jit_compile=False)

    def longer(done: int, pixel: int, adversarial: int, **changes: Any) -> str:
        """What is told of a run of 4 and 4 steps that has taken `done` and is given more."""
        config = SrganConfig(
            data=(str(tmp_path / "tree"),), output=str(tmp_path), pixel_steps=pixel, adversarial_steps=adversarial,
            **changes,
        )  # fmt: skip
        lengthen(config, phases, {"pixel_steps": 4, "adversarial_steps": 4}, done, devices=devices)
        return capsys.readouterr().err

    for folder in ("pixel_model", "model"):
        (tmp_path / folder).mkdir()
    assert longer(8, 4, 4) == ""
    assert not (tmp_path / "settings.json").exists()
    assert "with 6 instead of 4 adversarial_steps" in longer(8, 4, 6)
    assert {path.name for path in tmp_path.iterdir()} == {
        "tree", "settings.json", "pixel_model", "model_after_8_steps"
    }  # fmt: skip
    assert longer(4, 4, 6) == ""  # the second phase has not begun
    assert longer(8, 4, 6, rate_schedule="constant") == ""
    assert "with 6 instead of 4 pixel_steps" in longer(4, 6, 4)
    assert (tmp_path / "pixel_model_after_4_steps").is_dir()
    with pytest.raises(UserError, match="cannot be given more pixel_steps: it is 1 step into what follows them"):
        longer(5, 6, 4)
    # The best weights are looked for at the end as well, where a longer run may not look.
    best = {"rate_schedule": "constant", "best_metric": "psnr"}
    assert "the best weights may be those of step 8" in longer(8, 4, 6, evaluate_every=3, **best)
    assert longer(8, 4, 6, evaluate_every=4, **best) == ""
