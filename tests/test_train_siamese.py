"""The whole script on a few made-up persons: what a run leaves behind, and refusals."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.main import run
from lrfr_tf.recognition.embedding import load_embedder
from lrfr_tf.train_siamese import Config, main
from lrfr_tf.training import siamese_run, teacher
from lrfr_tf.training.siamese_monitor import SiameseMonitor
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
        "sizes": ("128", "8"), "validation_identities": 2, "log_every": 1, "evaluate_every": 2, "save_every": 2,
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
        "backbone": "spherenet20", "initial_weights": "random", "batch_size": 128, "sizes": ("128", "8", "12", "16"),
        "identity_order": "epochs", "head": "amsoftmax", "margin": 0.35, "scale": 30.0, "focal_gamma": 0.0,
        "classification_weight": 1.0, "triplet_weight": 1.0, "triplet_margin": 1.0, "optimizer": "sgd",
        "learning_rate": 0.1, "weight_decay": 5e-4, "steps": 100_000, "rate_schedule": "tenths",
    }  # fmt: skip
    # What goes beyond the paper is off.
    beyond = ("distillation_weight", "similarity_weight", "share_of_same", "varied", "mixed")
    expected |= dict.fromkeys((*beyond, "warm_up_steps", "clip_norm", "average_decay"), 0) | {"cameras": ()}
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
    for change in ({"margin": 0.3}, {"sizes": ("128", "12")}, {"head": "adaface"}, {"weight_decay": 0.0}):
        with pytest.raises(UserError, match=rf"was begun with other settings \({next(iter(change))}\)"):
            main(settings(tree, whole, **change))
    with pytest.raises(UserError, match=r"other settings \(seed, steps\)"):
        main(settings(tree, whole, steps=6, seed=1))
    made = read_json(tree / "manifest.json")
    write_json(tree / "manifest.json", {**made, "images": 1})
    with pytest.raises(UserError, match=f"{whole} was begun with other data: {tree} changed since"):
        main(settings(tree, whole))
    write_json(tree / "manifest.json", made)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"average_decay": 1.0}, "--average_decay=1.0 is out of range"),
        ({"data_root": "/nowhere", "eval_benchmarks": ("lfw",)}, "/nowhere is missing"),
        ({"batch_size": 4}, "A batch takes 4 identities and there are only 3"),
        ({"strategy": "multiworker"}, "--strategy=multiworker needs TF_CONFIG"),
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


def small_backbone(name: str) -> keras.Model:
    """In FaceNet's place: 128 features of a face, quickly."""
    images = keras.Input((128, 128, 3))
    x = keras.layers.AveragePooling2D(16)(keras.layers.Rescaling(1 / 255)(images))
    return keras.Model(images, keras.layers.Dense(128)(keras.layers.Flatten()(x)))


@pytest.fixture
def small_facenet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Teacher and backbone are small; what stands for the published weights is a file."""
    from lrfr_tf.models.facenet import UnitLength

    def load(weights: Path) -> keras.Model:
        images = keras.Input((64, 64, 3))
        x = keras.layers.Flatten()(keras.layers.AveragePooling2D(8)(keras.layers.Rescaling(1 / 255)(images)))
        return keras.Model(images, UnitLength()(keras.layers.Dense(128)(x)))

    monkeypatch.setattr(siamese_run, "backbone", small_backbone)
    monkeypatch.setattr(teacher, "load_facenet_128", load)
    (tmp_path / "weights").write_bytes(b"published")
    return str(tmp_path / "weights")


def distilled(tree: Path, output: Path, weights: str, **changes: Any) -> Config:
    return settings(
        tree, output, backbone="facenet", facenet_weights=weights, distillation_weight=1.0, save_every=1,
        best_metric="mean_auc", average_decay=0.9, **changes,
    )  # fmt: skip


@pytest.mark.parametrize("head_start", ["random", "teacher"])
def test_a_run_that_finds_its_teacher_stored_begins_the_same(
    head_start: str, tree: Path, tmp_path: Path, small_facenet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keras.utils.clear_session()
    main(distilled(tree, tmp_path / "one", small_facenet, head_start=head_start))
    # Killed after the teacher was asked, before the first checkpoint.
    config = distilled(tree, tmp_path / "two", small_facenet, head_start=head_start, faces_in="files")
    with monkeypatch.context() as patch:
        patch.setattr(siamese_run.SiameseRun, "monitor", lambda *_: 1 / 0)
        keras.utils.clear_session()
        with pytest.raises(ZeroDivisionError):
            main(config)
    assert (tmp_path / "two" / "teacher_embeddings.h5").is_file()
    with monkeypatch.context() as patch:
        patch.setattr(teacher, "load_facenet_128", lambda _: 1 / 0)
        keras.utils.clear_session()
        main(config)
    first, second = (read_checkpoint(tmp_path / name / "checkpoints") for name in ("one", "two"))
    assert first.keys() == second.keys()
    assert {"step", "network", "head", "optimizer", "average", "best"} == {name.split("/")[0] for name in first}
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_the_head_begins_at_the_teachers_means(
    tree: Path, tmp_path: Path, small_facenet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads: list[Any] = []
    build = siamese_run.SiameseRun.build_head
    monkeypatch.setattr(
        siamese_run.SiameseRun, "build_head", lambda self, size: heads.append(build(self, size)) or heads[-1]
    )
    monkeypatch.setattr(siamese_run.SiameseRun, "monitor", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(distilled(tree, tmp_path / "run", small_facenet, head_start="teacher"))
    import h5py

    with h5py.File(tmp_path / "run" / "teacher_embeddings.h5") as file:
        embeddings = file["embeddings"][()]
    # Of 1, 3 and 6, who have four photos, the first and the last are validated on.
    faces, start = {name: COUNTS[name] for name in ("2", "3", "4")}, 0
    assert len(embeddings) == sum(faces.values())
    for row, count in zip(np.asarray(heads[0].rows), faces.values(), strict=True):
        mean = embeddings[start : start + count].sum(axis=0)
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), rtol=1e-5, atol=1e-7)
        start += count


def test_benchmarks_run_at_every_evaluation(
    tree: Path, tmp_path: Path, small_facenet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lrfr_tf import train_siamese

    asked: list[Any] = []

    class Benchmarks:
        def __init__(self, *arguments: Any) -> None:
            asked.append(arguments)

        def __call__(self) -> dict[str, float]:
            return {"lfw/8 px": 10.0 * len(asked)}

    monkeypatch.setattr(train_siamese, "Benchmarks", Benchmarks)
    (tmp_path / "data" / "LFW").mkdir(parents=True)
    config = distilled(
        tree, tmp_path / "run", small_facenet, data_root=str(tmp_path / "data"), eval_benchmarks=("lfw",)
    )
    main(config)
    ((found, names, network, landmarks, template),) = asked
    assert (found.folders, names) == ({"lfw": tmp_path / "data" / "LFW"}, ("lfw",))
    assert (landmarks, template) == (tmp_path / "run" / "landmarks", "lai")
    assert network.output_shape == (None, 128)
    history = read_json(tmp_path / "run" / "validation.json")
    assert [(entry["step"], entry["lfw/8 px"]) for entry in history] == [(2, 10.0), (4, 10.0)]
    assert float(read_events(tmp_path / "run" / "tensorboard")["benchmark/lfw/8 px"][4]) == 10.0
    monkeypatch.setattr(SiameseMonitor, "evaluate", lambda *_: None)
    with pytest.raises(UserError, match=r"--eval_benchmarks=lfw,tinyface: .*TinyFace is missing"):
        main(distilled(tree, tmp_path / "run", small_facenet, data_root=str(tmp_path / "data"),
                       eval_benchmarks=("lfw", "tinyface")))  # fmt: skip


def test_streamed_faces_train_the_same_network(tree: Path, tmp_path: Path, small_facenet: str) -> None:
    for name in ("memory", "files"):
        keras.utils.clear_session()
        main(distilled(tree, tmp_path / name, small_facenet, faces_in=name, sizes=("128", "8", "random")))
    first, second = (read_checkpoint(tmp_path / name / "checkpoints") for name in ("memory", "files"))
    assert all(np.array_equal(first[name], second[name]) for name in first)
