"""The whole script on a few made-up persons: what a run leaves behind, and refusals."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from lrfr_tf.cli.train_siamese import Config, main
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.main import run
from lrfr_tf.networks.embedding import load_embedder
from lrfr_tf.training import siamese_run
from lrfr_tf.training.tensorboard import Monitor
from tests.aligned_by_code import write_aligned_tree
from tests.faces_by_code import person
from tests.tools.small_runs import read_checkpoint, read_events, sentence

COUNTS = {"1": 4, "2": 3, "3": 4, "4": 2, "6": 5}


@pytest.fixture(scope="module")
def tree(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_aligned_tree(tmp_path_factory.mktemp("aligned") / "tree", portrait, {**COUNTS, "10": 4})


def settings(tree: Path, output: Path, **changes: Any) -> Config:
    values: dict[str, Any] = {
        "data": (str(tree),), "output": str(output), "backbone": "spherenet4", "steps": 4, "batch_size": 2,
        "sizes": (128, 8), "validation_identities": 2, "log_every": 1, "evaluate_every": 2, "save_every": 2,
        "jit_compile": "off", "learning_rate": 0.01, "clip_norm": 5.0,
    }  # fmt: skip
    return Config(**{**values, **changes})


@pytest.fixture(scope="module")
def whole(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("whole") / "run"
    keras.utils.clear_session()
    main(settings(tree, output))
    return output


def test_the_defaults_are_the_papers() -> None:
    """Lai and Lam (2021): SGD from 0.1, a tenth at 40, 60 and 80 thousand of 100,000 steps of 128 identities."""
    expected = {
        "backbone": "spherenet20", "initial_weights": "random", "batch_size": 128, "sizes": (128, 8, 12, 16),
        "head": "amsoftmax", "margin": 0.35, "scale": 30.0, "classification_weight": 1.0, "triplet_weight": 1.0,
        "triplet_margin": 1.0, "learning_rate": 0.1, "weight_decay": 5e-4, "steps": 100_000,
        "rate_schedule": "tenths",
    }  # fmt: skip
    # What goes beyond the paper is off.
    expected |= {"camera": "clean", "warm_up_steps": 0, "clip_norm": 0, "average_decay": 0}
    config = Config(data=("tree",), output="run")
    assert {name: getattr(config, name) for name in expected} == expected


def test_what_a_run_leaves_behind(whole: Path, tree: Path) -> None:
    record = read_json(whole / "run.json")
    # Identity 10 is held out, two of the three with four images are validated on.
    assert (record["training_identities"], record["training_faces"]) == (3, 3 + 2 + 4)
    assert (record["validation_identities"], record["validation_faces"]) == (2, 4 + 5)
    assert record["config"]["margin"] == 0.35
    assert record["config"]["rate_schedule"] == "tenths"
    weights = "spherenet4.weights.h5"
    names = sorted(path.name for path in (whole / "model").iterdir())
    assert names == ["embedder.json", weights, f"{weights}.sha256"]
    assert read_json(whole / "model" / "embedder.json") == {"schema": 1, "template": "lai", "input_size": 128}
    assert record["template"] == "lai"
    assert [entry["step"] for entry in read_json(whole / "validation.json")] == [2, 4]
    events = read_events(whole / "tensorboard")
    losses = ("total", "classification", "classification_128", "classification_8", "triplet")
    for name in losses:
        assert list(events[f"loss/{name}"]) == [1, 2, 3, 4]
        assert all(np.isfinite(value) for value in events[f"loss/{name}"].values())
    # Divided by ten at 2/5, 3/5 and 4/5 of four steps, as read after the step.
    rates = [float(value) for value in events["learning_rate"].values()]
    assert rates == pytest.approx([1e-2, 1e-3, 1e-4, 1e-5])
    assert {"similarity_8/matched", "similarity_128/mismatched", "validation/mean_auc"} <= events.keys()


def test_the_model_is_an_embedder(whole: Path, portrait: np.ndarray) -> None:
    embedder = load_embedder(str(whole / "model" / "spherenet4.weights.h5"), backbone="spherenet4")
    faces = np.stack([person(portrait, identity, 0, 128) for identity in (1, 2, 3)])
    rows = embedder.embed(faces)
    assert rows.shape == (3, 512)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    # These are the weights of the last checkpoint.
    stored = read_checkpoint(whole / "checkpoints")
    assert stored["step/.ATTRIBUTES/VARIABLE_VALUE"] == 4
    for number, weight in enumerate(embedder.network.get_weights()):
        np.testing.assert_array_equal(stored[f"network/{number}/.ATTRIBUTES/VARIABLE_VALUE"], weight)


def test_a_finished_run_is_left_as_it_is_and_changes_are_named(
    whole: Path, tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = (whole / "model" / "spherenet4.weights.h5").read_bytes()
    # Where the faces are, the intervals and the benchmarks decide nothing.
    main(settings(tree, whole, faces_in="files", log_every=2))
    told = "9 faces of 3 identities (those whose number is divisible by 5 are left out)\n"
    assert f"{whole}: {told}" in capsys.readouterr().out
    assert (whole / "model" / "spherenet4.weights.h5").read_bytes() == model
    for change in ({"margin": 0.3}, {"sizes": (128, 12)}, {"head": "softmax"}, {"camera": "harsh"}):
        with pytest.raises(UserError, match=rf"was begun with other settings \({next(iter(change))}\)"):
            main(settings(tree, whole, **change))
    with pytest.raises(UserError, match=r"other settings \(seed, steps\)"):
        main(settings(tree, whole, steps=2, seed=1))
    made = read_json(tree / "manifest.json")
    write_json(tree / "manifest.json", {**made, "images": 1})
    with pytest.raises(UserError, match=f"{whole} was begun with other data: {tree} changed since"):
        main(settings(tree, whole))
    write_json(tree / "manifest.json", made)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"average_decay": 1.0}, "`average_decay`=1.0 is out of range"),
        ({"data_root": "/nowhere", "eval_benchmarks": ("lfw",)}, "/nowhere is missing"),
        ({"eval_benchmarks": ("lfw",)}, "--eval_benchmarks and --data_root go together"),
        ({"data_root": "/nowhere"}, "--eval_benchmarks and --data_root go together"),
        ({"batch_size": 4}, "A batch takes 4 identities, more than the 3 there"),
        ({"strategy": "multiworker"}, "`strategy`=multiworker needs TF_CONFIG"),
    ],
)
def test_settings_that_cannot_be_met_leave_no_folder(
    change: dict[str, Any], message: str, tree: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        main(settings(tree, tmp_path / "run", **change))
    assert not (tmp_path / "run").exists()


def test_bad_input_is_one_sentence(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.weights.h5"
    wrong.write_bytes(b"no weights")
    for flags, words in (
        ((f"--data={tmp_path}",), "is not a finished tree of aligned faces"),
        ((f"--data={tree}", "--backbone=resnet"), "--backbone=resnet is not known; it takes spherenet4"),
        (
            (f"--data={tree}", "--backbone=spherenet4", f"--initial_weights={wrong}", "--batch_size=2",
             "--validation_identities=2"),
            "does not hold the weights of spherenet4",
        ),
    ):  # fmt: skip
        with pytest.raises(SystemExit) as stopped:
            run(main, Config, ["train_siamese", *flags, f"--output={tmp_path}/run"])
        assert stopped.value.code == 2
        assert words in sentence(capsys.readouterr().err)
        assert not (tmp_path / "run").exists()


@pytest.fixture
def small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the backbone's place: 128 features of a face, quickly."""

    def build(name: str) -> keras.Model:
        images = keras.Input((128, 128, 3))
        x = keras.layers.AveragePooling2D(16)(keras.layers.Rescaling(1 / 255)(images))
        return keras.Model(images, keras.layers.Dense(128)(keras.layers.Flatten()(x)))

    monkeypatch.setattr(siamese_run, "backbone", build)


def test_benchmarks_run_at_every_evaluation(
    tree: Path, tmp_path: Path, small_network: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lrfr_tf.cli import train_siamese

    asked: list[Any] = []

    class Benchmarks:
        def __init__(self, *arguments: Any) -> None:
            asked.append(arguments)

        def __call__(self) -> dict[str, float]:
            return {"lfw/8 px": 10.0 * len(asked)}

    monkeypatch.setattr(train_siamese, "Benchmarks", Benchmarks)
    (tmp_path / "data" / "LFW").mkdir(parents=True)
    config = settings(tree, tmp_path / "run", data_root=str(tmp_path / "data"), eval_benchmarks=("lfw",))
    main(config)
    ((found, network, landmarks, template),) = asked
    assert found == {"lfw": tmp_path / "data" / "LFW"}
    assert (landmarks, template) == (tmp_path / "run" / "landmarks", "lai")
    assert network.output_shape == (None, 128)
    history = read_json(tmp_path / "run" / "validation.json")
    assert [(entry["step"], entry["lfw/8 px"]) for entry in history] == [(2, 10.0), (4, 10.0)]
    assert float(read_events(tmp_path / "run" / "tensorboard")["benchmark/lfw/8 px"][4]) == 10.0
    monkeypatch.setattr(Monitor, "evaluate", lambda *_: None)
    with pytest.raises(UserError, match=r"`eval_benchmarks`=lfw,tinyface: .*TinyFace is missing"):
        main(settings(tree, tmp_path / "run", data_root=str(tmp_path / "data"), eval_benchmarks=("lfw", "tinyface")))


def test_streamed_faces_train_the_same_network(tree: Path, tmp_path: Path, small_network: None) -> None:
    for name in ("memory", "files"):
        keras.utils.clear_session()
        main(
            settings(tree, tmp_path / name, faces_in=name, camera="moderate", average_decay=0.9, best_metric="mean_auc")
        )
    first, second = (read_checkpoint(tmp_path / name / "checkpoints") for name in ("memory", "files"))
    assert all(np.array_equal(first[name], second[name]) for name in first)
