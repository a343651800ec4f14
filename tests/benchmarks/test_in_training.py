"""Benchmarks of a network in training: the figures are those that tools/evaluate_all.py reports for it."""

import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from lrfr_tf.benchmarks import benchmark_result
from lrfr_tf.benchmarks.in_training import Benchmarks, find_chosen_benchmarks
from lrfr_tf.benchmarks.registry import registered
from lrfr_tf.benchmarks.scface import benchmark as scface
from lrfr_tf.cli import evaluate_all
from lrfr_tf.data.landmarks import write_landmarks
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json
from lrfr_tf.models.facenet import UnitLength
from lrfr_tf.networks.embedders import KerasEmbedder
from tests.cli.test_evaluate_all import LANDMARKS, write_lfw, write_scface
from tests.survface_by_code import made_up, write_survface_identification, write_survface_verification, write_tinyface

pytestmark = pytest.mark.slow

NAMES = tuple(registered())


@pytest.fixture(scope="module")
def root(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("all") / "Datasets"
    write_lfw(root / "LFW", portrait)
    write_scface(root / "SCface", root / "SCface", portrait)
    write_survface_verification(root / "QMUL-SurvFace", made_up(portrait))
    write_survface_identification(root / "QMUL-SurvFace", made_up(portrait))
    write_tinyface(root / "TinyFace", made_up(portrait))
    probes = (root / "TinyFace" / "Testing_Set" / "Probe").iterdir()
    write_landmarks(root / "TinyFace" / "TinyFace.csv", {f"Probe/{probe.name}": LANDMARKS / 5 for probe in probes})
    return root


@pytest.fixture
def network() -> keras.Model:
    """Colors of a 4 x 4 grid, as features of no particular length."""
    keras.utils.set_random_seed(0)
    images = keras.Input((128, 128, 3))
    x = keras.layers.Rescaling(1 / 255, offset=-0.5)(keras.layers.AveragePooling2D(32)(images))
    return keras.Model(images, keras.layers.Dense(20)(keras.layers.Flatten()(x)))


def test_the_figures_are_the_tools_and_follow_the_network(
    root: Path,
    network: keras.Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measure = Benchmarks(find_chosen_benchmarks(root, NAMES), network, tmp_path / "landmarks")
    assert not (tmp_path / "landmarks").exists()  # the tree has tables
    embedder = KerasEmbedder(keras.Model(network.inputs[0], UnitLength()(network.outputs[0])), "the same")

    def by_tools(output: Path) -> dict[str, float]:
        monkeypatch.setattr(benchmark_result, "load_embedder", lambda *_: embedder)
        evaluate_all.main(evaluate_all.Config(model="facenet", data_root=str(root), output=str(output)))
        results = {name: registered()[name].main_figures(read_json(output / f"{name}.json")) for name in NAMES}
        return {f"{name}/{key}": value for name, figures in results.items() for key, value in figures.items()}

    first = measure()
    assert first == pytest.approx(by_tools(tmp_path / "first"))
    assert {"lfw/8 px", "scface/distance 1, rank-1", "survface/AUC", "tinyface/rank-20"} <= first.keys()
    network.set_weights([np.zeros_like(weight) + 0.1 for weight in network.get_weights()])
    assert measure() != first  # without being made anew


def test_landmarks_that_had_to_be_found_are_kept(
    root: Path, network: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(root, tmp_path / "Datasets"))
    (copy / "LFW" / "LFW.csv").unlink()
    for table in (copy / "SCface").glob("scface_*.csv"):
        table.unlink()
    names, kept = ("lfw", "scface"), tmp_path / "run" / "landmarks"
    first = Benchmarks(find_chosen_benchmarks(copy, names), network, kept)()
    tables = {"LFW.csv", "scface_mugshot.csv", *(f"scface_distance{distance}.csv" for distance in (1, 2, 3))}
    assert {path.name for path in kept.iterdir()} == tables

    def detector(*_: Any) -> None:
        raise AssertionError("the landmarks are there")

    monkeypatch.setattr("lrfr_tf.benchmarks.photo_landmarks.FaceDetector", detector)
    monkeypatch.setattr(scface, "detect_scface_landmarks", detector)
    assert Benchmarks(find_chosen_benchmarks(copy, names), network, kept)() == pytest.approx(first)


def test_what_is_missing_is_said_before_anything_is_trained(root: Path, network: keras.Model, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(root / "TinyFace", tmp_path / "Datasets" / "TinyFace")).parent
    with pytest.raises(UserError, match=r"`eval_benchmarks`=tinyface,lfw: .*/LFW is missing\.$"):
        find_chosen_benchmarks(copy, ("tinyface", "lfw"))
    folders = find_chosen_benchmarks(copy, ("tinyface",))
    next(copy.rglob("probe_img_ID_pairs.mat")).unlink()
    with pytest.raises(UserError, match=r"probe_img_ID_pairs\.mat is missing"):
        Benchmarks(folders, network, tmp_path / "landmarks")
