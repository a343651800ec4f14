"""A fifth benchmark is one class and one line: it has a command, and evaluate_all and a training run it."""

import dataclasses
import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from lrfr_tf.benchmarks import registry
from lrfr_tf.benchmarks.benchmark_folders import list_images
from lrfr_tf.benchmarks.embed_crops import embed_all, stretch_to_square
from lrfr_tf.benchmarks.interface import Measured, Note
from lrfr_tf.benchmarks.published import Published
from lrfr_tf.cli import command, evaluate_all, train_siamese
from lrfr_tf.config import option, required
from lrfr_tf.files import read_json
from lrfr_tf.main import run
from lrfr_tf.networks.embedding import Embedder
from lrfr_tf.training import siamese_run
from tests.aligned_by_code import write_aligned_tree
from tests.cli.conftest import Refused
from tests.faces_by_code import person
from tests.tools.small_embedders import embed_by_hand, write_small_embedder
from tests.tools.small_runs import read_events


@dataclasses.dataclass(frozen=True)
class Settings:
    """How alike twins look, as `data` shows them."""

    model: str = required("an embedder")
    data: str = required("a folder of twins")
    output: str = required("the result to write (JSON)")
    backbone: str = option("spherenet20", "network that a file of weights belongs to")
    facenet_weights: str | None = option(None, "FaceNet's weight file")
    flip: bool = option(False, "mean of the embeddings of a face and its mirror image")


class Twins:
    """How alike the first two images of a folder are."""

    name = "twins"
    folder = "Twins"
    settings = Settings
    published: tuple[Published, ...] = (Published("a mother", "by eye", {"alike": 50.0}, "a diary"),)

    def settings_in(self, folder: Path, tables: Path | None, keep: Path, note: Note) -> dict[str, Any]:
        return {"data": str(folder)}

    def read(self, settings: Settings, note: Note) -> list[Path]:
        return list_images(Path(settings.data))[:2]

    def prepare(self, data: list[Path], embedder: Embedder, settings: Settings, note: Note) -> list[Path]:
        note(f"{len(data)} images are compared.")
        return data

    def evaluate(self, faces: list[Path], embedder: Embedder, settings: Settings) -> Measured:
        first, second = embed_all(embedder, faces, stretch_to_square, "embed twins")
        return Measured("two images", {"counts": {"images": len(faces)}, "alike": float(first @ second)})

    def table(self, result: dict[str, Any]) -> list[str]:
        return [f"{result['model']['name']} finds the twins alike: {result['alike']:.3f}"]

    def draw(self, output: Path, name: str, curves: None) -> None:
        output.with_suffix(".txt").write_text(name)

    def main_figures(self, result: Mapping[str, Any]) -> dict[str, float]:
        return {"alike": 100 * result["alike"]}


@pytest.fixture
def commands() -> Iterator[tuple[ModuleType, ...]]:
    """The commands as they are with one line more in the registry: evaluate_all, train_siamese and lrfr."""
    before = [(module, dict(vars(module))) for module in (evaluate_all, train_siamese, command)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            registry, "BENCHMARKS", (*registry.BENCHMARKS, registry.Entry("twins", f"{__name__}:Twins", "twins"))
        )
        yield tuple(importlib.reload(module) for module in (evaluate_all, train_siamese, command))
    for module, names in before:
        vars(module).update(names)


@pytest.fixture
def datasets(portrait: np.ndarray, tmp_path: Path) -> Path:
    root = tmp_path / "Datasets"
    (root / "twins").mkdir(parents=True)
    for photo in (1, 2):
        Image.fromarray(person(portrait, 3, photo)).save(root / "twins" / f"{photo}.png")
    return root


def test_evaluate_all_runs_it(
    commands: tuple[ModuleType, ...],
    refused: Refused,
    datasets: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = write_small_embedder(tmp_path / "small" / "1").parent
    output, module = tmp_path / "results", commands[0]
    flags = [f"--model={model}", f"--data_root={datasets}", f"--output={output}"]
    run(module.main, module.Config, ["evaluate_all", *flags])
    first, second = (embed_by_hand(np.asarray(Image.open(datasets / "twins" / f"{n}.png"))) for n in (1, 2))
    result = read_json(output / "twins.json")
    assert result["alike"] == pytest.approx(float(first @ second), abs=2e-2)
    assert (result["benchmark"], result["protocol"]) == ("twins", "two images")
    assert result["config"]["data"] == str(datasets / "twins")
    assert (output / "twins.txt").read_text() == result["model"]["name"]
    rows = read_json(output / "summary.json")["benchmarks"]
    assert list(rows) == ["lfw", "scface", "survface", "tinyface", "twins"]
    assert rows["twins"] == {"status": "measured", "reason": None, "figures": {"alike": 100 * result["alike"]}}
    printed, text = capsys.readouterr().out, (output / "summary.md").read_text()
    assert "note: 2 images are compared.\n" in printed
    assert f"finds the twins alike: {result['alike']:.3f}\n" in printed
    assert f"| twins | alike | {100 * result['alike']:.2f} |" in text
    assert "| a mother | alike: 50 | by eye | a diary |" in text
    assert "lfw, scface, survface, tinyface, twins" in refused(module, *flags, "--benchmarks=triplets")


def test_lrfr_evaluate_has_it(
    commands: tuple[ModuleType, ...], datasets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands[2].main(["evaluate"])
    assert "twins" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        commands[2].main(["evaluate", "twins", "--help"])
    text = capsys.readouterr().out
    assert text.startswith("How alike twins look, as --data shows them.\n")
    assert "lrfr evaluate twins --model=... --data=... --output=...\n" in text
    model, output = write_small_embedder(tmp_path / "small" / "1").parent, tmp_path / "twins.json"
    commands[2].main(["evaluate", "twins", f"--model={model}", f"--data={datasets / 'twins'}", f"--output={output}"])
    assert "finds the twins alike" in capsys.readouterr().out
    assert read_json(output)["benchmark"] == "twins"


def test_a_training_runs_it(
    commands: tuple[ModuleType, ...],
    portrait: np.ndarray,
    datasets: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def small(name: str) -> keras.Model:
        images = keras.Input((128, 128, 3))
        x = keras.layers.AveragePooling2D(16)(keras.layers.Rescaling(1 / 255)(images))
        return keras.Model(images, keras.layers.Dense(128)(keras.layers.Flatten()(x)))

    monkeypatch.setattr(siamese_run, "backbone", small)
    tree = write_aligned_tree(tmp_path / "tree", portrait, {"1": 4, "2": 4, "3": 4, "6": 4, "10": 4})
    output, module = tmp_path / "run", commands[1]
    flags = (
        f"--data={tree}", f"--output={output}", "--backbone=spherenet4", "--steps=2", "--batch_size=2", "--sizes=128,8",
        "--validation_identities=2", "--log_every=1", "--evaluate_every=1", "--save_every=2", "--jit_compile=off",
        "--learning_rate=0.01", "--eval_benchmarks=twins", f"--data_root={datasets}",
    )  # fmt: skip
    run(module.main, module.Config, ["train_siamese", *flags])
    measured = {entry["step"]: entry["twins/alike"] for entry in read_json(output / "validation.json")}
    assert list(measured) == [1, 2]
    assert all(-100 <= alike <= 100 for alike in measured.values())
    events = read_events(output / "tensorboard")["benchmark/twins/alike"]
    assert {step: float(value) for step, value in events.items()} == pytest.approx(measured)
