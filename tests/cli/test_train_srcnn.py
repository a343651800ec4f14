"""The whole script on a few faces: what a run leaves behind, going on after a stop, refusals."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from skimage.metrics import peak_signal_noise_ratio

from lrfr_tf.cli.train_srcnn import Config, main
from lrfr_tf.data.face_cache import load_faces
from lrfr_tf.data.folders import list_faces
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.main import run
from lrfr_tf.models.srcnn import srcnn
from lrfr_tf.networks.super_resolution import load_super_resolver
from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.tensorboard import Monitor
from tests.tools.small_runs import read_checkpoint, read_events, write_small_tree


@pytest.fixture(scope="module")
def tree(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_tree(tmp_path_factory.mktemp("tree"), portrait, {"train": 6, "val": 2})


def settings(tree: Path, output: Path, **changes: Any) -> Config:
    values: dict[str, Any] = {
        "data": (str(tree),), "output": str(output), "steps": 6, "batch_size": 4, "log_every": 1, "evaluate_every": 3,
        "save_every": 2, "jit_compile": "off", "identity_similarity": "off",
    }  # fmt: skip
    return Config(**{**values, **changes})


@pytest.fixture(scope="module")
def whole(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six steps that nothing stopped."""
    output = tmp_path_factory.mktemp("whole") / "run"
    # As in a process of its own: TensorFlow orders some sums by the names of layers, and Keras goes on counting them.
    keras.utils.clear_session()
    main(settings(tree, output))
    return output


def test_the_model_folder_holds_the_network_as_trained(whole: Path, tree: Path) -> None:
    resolver = load_super_resolver(whole / "model")
    assert (resolver.name, resolver.low_size, resolver.high_size, resolver.enlarge_first) == ("srcnn", 16, 64, True)
    keras.utils.set_random_seed(0)
    begun = srcnn("9-1-5").get_weights()
    assert resolver.network is not None
    moved = [np.abs(a - b).max() for a, b in zip(resolver.network.get_weights(), begun, strict=True)]
    # Six steps of Adam at a thousandth move no weight by more than that much each.
    assert all(0 < change < 0.01 for change in moved)
    # The validation figure is that of the stored network, by another hand.
    low, high = (load_faces(tree / kind / "val", list_faces(tree / kind, "val")) for kind in ("lr", "hr"))
    psnr = [peak_signal_noise_ratio(a, b) for a, b in zip(high, resolver.super_resolve(low), strict=True)]
    history = read_json(whole / "validation.json")
    assert [item["step"] for item in history] == [3, 6]
    assert history[-1]["psnr"] == pytest.approx(np.mean(psnr), abs=1e-3)


def test_the_record_of_the_run(whole: Path, tree: Path) -> None:
    record = read_json(whole / "run.json")
    assert record["config"]["steps"] == 6
    assert record["config"]["data"] == [str(tree)]
    assert (record["training_faces"], record["validation_faces"]) == (12, 4)
    assert record["versions"]["keras"] == keras.__version__
    assert sorted(path.name for path in (whole / "checkpoints").glob("*.index")) == ["ckpt-4.index", "ckpt-6.index"]


def test_tensorboard_shows_losses_rates_and_faces(whole: Path) -> None:
    events = read_events(whole / "tensorboard")
    assert list(events["loss/pixel"]) == [1, 2, 3, 4, 5, 6]
    assert all(np.isfinite(value) and value > 0 for value in events["loss/pixel"].values())
    assert all(value > 0 for value in events["images_per_second"].values())
    # Halved at half of the steps and again at three quarters, as read after the step.
    rates = [float(value) for value in events["learning_rate"].values()]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-3, 5e-4, 2.5e-4, 2.5e-4])
    history = read_json(whole / "validation.json")
    for item in history:
        for name in ("psnr", "ssim", "psnr_gain"):
            assert float(events[f"validation/{name}"][item["step"]]) == pytest.approx(item[name], rel=1e-5)
    width, height, png = events["validation/low_bicubic_output_high"][6][:3]
    grid = tf.io.decode_png(png).numpy()
    assert (int(width), int(height)) == (4 * 64, 4 * 64)
    assert grid.shape == (256, 256, 3)


@pytest.fixture(scope="module", params=["after the checkpoint of step 4", "at step 5, between two checkpoints"])
def resumed(request: pytest.FixtureRequest, tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, stopped by Ctrl-C and started again with the same command."""
    output = tmp_path_factory.mktemp("stopped") / "run"
    save, report = CheckpointStore.save, Monitor.report

    def save_and_stop(self: CheckpointStore, step: int) -> None:
        save(self, step)
        if step == 4 and request.param.startswith("after"):
            raise KeyboardInterrupt

    def report_and_stop(self: Monitor, step: int, values: dict[str, float]) -> None:
        report(self, step, values)
        if step == 5 and request.param.startswith("at"):
            raise KeyboardInterrupt

    keras.utils.clear_session()
    flags = ["train_srcnn", f"--data={tree}", f"--output={output}", "--steps=6", "--batch_size=4"]
    flags += ["--log_every=1", "--evaluate_every=3", "--save_every=2", "--jit_compile=off", "--identity_similarity=off"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CheckpointStore, "save", save_and_stop)
        patch.setattr(Monitor, "report", report_and_stop)
        with pytest.raises(SystemExit) as stopped:
            run(main, Config, flags)
    assert stopped.value.code == 130
    assert not (output / "model").exists()
    begun: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Monitor, "report", lambda self, step, values: (begun.append(step), report(self, step, values)))
        keras.utils.clear_session()
        run(main, Config, flags)
    assert begun == [5, 6]
    return output


def test_a_stopped_run_ends_with_the_same_weights(resumed: Path, whole: Path) -> None:
    one, other = read_checkpoint(whole / "checkpoints"), read_checkpoint(resumed / "checkpoints")
    assert {"step", "network", "optimizer"} <= {name.split("/")[0] for name in one}
    assert one.keys() == other.keys()
    assert [name for name in one if not np.array_equal(one[name], other[name])] == []
    first, second = (load_super_resolver(folder / "model").network for folder in (whole, resumed))
    assert first is not None
    assert second is not None
    assert all(np.array_equal(a, b) for a, b in zip(first.get_weights(), second.get_weights(), strict=True))
    assert read_json(whole / "validation.json")[-1] == read_json(resumed / "validation.json")[-1]


def test_only_settings_that_do_not_change_the_result_may_change(whole: Path, tree: Path) -> None:
    before = read_checkpoint(whole / "checkpoints")
    for change in ({"learning_rate": 0.01}, {"steps": 5}, {"variant": "9-5-5"}, {"seed": 1}, {"low_size": 8}):
        with pytest.raises(UserError, match=rf"was begun with other settings \({next(iter(change))}\)"):
            main(settings(tree, whole, **change))
    with pytest.raises(UserError, match=r"other settings \(batch_size, held_out_divisor\)"):
        main(settings(tree, whole, batch_size=2, held_out_divisor=2))
    # Another tree at the same place, and a run that was begun before there were checksums.
    made = read_json(tree / "manifest.json")
    write_json(tree / "manifest.json", {**made, "framing": "another"})
    with pytest.raises(UserError, match=f"{whole} was begun with other data: {tree} changed since"):
        main(settings(tree, whole))
    begun = read_json(whole / "settings.json")
    write_json(whole / "settings.json", {key: value for key, value in begun.items() if key != "data_sha256"})
    main(settings(tree, whole))
    write_json(tree / "manifest.json", made)
    write_json(whole / "settings.json", begun)
    assert read_json(whole / "run.json")["config"]["learning_rate"] == 0.001
    after = read_checkpoint(whole / "checkpoints")
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_finished_run_is_left_as_it_is(whole: Path, tree: Path) -> None:
    before = load_super_resolver(whole / "model").checksum
    main(settings(tree, whole, log_every=2))
    assert load_super_resolver(whole / "model").checksum == before


def test_a_resumed_run_keeps_its_validation_figures(resumed: Path) -> None:
    assert [item["step"] for item in read_json(resumed / "validation.json")] == [3, 6]


def test_numbers_that_leave_all_bounds_end_the_run(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = [f"--data={tree}", f"--output={tmp_path}/run", "--steps=20", "--batch_size=4", "--learning_rate=1e30"]
    flags += ["--jit_compile=off", "--identity_similarity=off", "--save_every=1", "--rate_schedule=constant"]
    with pytest.raises(SystemExit) as stopped:
        run(main, Config, ["train_srcnn", *flags])
    assert stopped.value.code == 2
    assert "error: 'pixel' became " in capsys.readouterr().err
    # Before the step in which the loss was no number, the weights were far off but numbers.
    assert all(np.isfinite(array).all() for array in read_checkpoint(tmp_path / "run" / "checkpoints").values())
    assert not (tmp_path / "run" / "model").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"average_decay": 1.0}, "`average_decay`=1.0 is out of range"),
        ({"best_metric": "identity_similarity"}, "Identity similarity needs FaceNet's weights"),
        ({"strategy": "multiworker"}, "`strategy`=multiworker needs TF_CONFIG"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(
    change: dict[str, Any], message: str, tree: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        main(settings(tree, tmp_path / "run", **change))
    assert not (tmp_path / "run").exists()
