"""The embedder's card and the ladder hold the figures of the results, and nothing of another export."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.recognition.saved_model import content_checksum
from tools.write_embedder_card import Config, commands_of, main
from tools.write_ladder import Config as LadderConfig
from tools.write_ladder import main as write_ladder

CHECKSUM = content_checksum({})  # of an export without files
SIZES = ("8", "128")


def lfw(checksum: str, accuracies: tuple[float, float], gain: float | None) -> dict[str, Any]:
    rows = {
        size: {
            "accuracy": accuracy, "interval_95": [accuracy - 0.01, accuracy + 0.01],
            "tar_at_far": {"0.01": 0.5, "0.001": 0.25}, "threshold_at_far": {"0.01": 0.375, "0.001": 0.4375},
        }
        for size, accuracy in zip(SIZES, accuracies, strict=True)
    }  # fmt: skip
    difference = None if gain is None else {s: {"mean": gain, "interval_95": [gain - 0.01, gain + 0.01]} for s in SIZES}
    return {
        "model": {"name": "m", "sha256": checksum}, "counts": {"pairs": 6000, "persons": 200}, "sizes": rows,
        "difference_to_baseline": difference, "pairs_sha256": "p",
    }  # fmt: skip


def scface(checksum: str, ranks: tuple[float, float], gain: float | None) -> dict[str, Any]:
    places = ("1", "2")
    rows = {d: {"rank_1": r, "interval_95": [r - 0.02, r + 0.02]} for d, r in zip(places, ranks, strict=True)}
    difference = (
        None if gain is None else {d: {"mean": gain, "interval_95": [gain - 0.03, gain + 0.03]} for d in places}
    )
    return {"model": {"name": "m", "sha256": checksum}, "distances": rows, "difference_to_baseline": difference}


@pytest.fixture
def results(tmp_path: Path) -> Config:
    history = [{"network": "siamese", "step": 400, **{f"auc_{size}": 0.9 for size in (8, 12, 16, 20, 128)}}]
    write_json(tmp_path / "run" / "validation.json", history)
    run = {
        "command": ["-m", "lrfr_tf.train_siamese", "--flagfile=configs/ship_siamese.cfg"], "training_faces": 29176,
        "training_identities": 6990, "validation_identities": 25,
        "config": {"output": "runs/first", "steps": 1600, "batch_size": 10, "sizes": ["128", "8"]},
    }  # fmt: skip
    write_json(tmp_path / "run" / "run.json", run)
    record = {
        "schema": 1, "kind": "embedder", "name": "siamese", "version": 1, "signatures": {}, "files": {},
        "sha256": CHECKSUM, "parameters": 22779312, "bytes": 46_100_000, "dimensions": 128, "stored_as": "float16",
        "cost_of_precision": {"smallest_cosine": 0.99999, "mean_cosine": 0.999999},
        "source": {"model": "run/model"},
    }  # fmt: skip
    write_json(tmp_path / "saved_models" / "siamese" / "1" / "model.json", record)
    write_json(tmp_path / "lfw.json", lfw(CHECKSUM, (0.85, 0.965), 0.3))
    write_json(tmp_path / "small.json", lfw(CHECKSUM, (0.8475, 0.965), None))
    write_json(tmp_path / "facenet.json", lfw("f" * 64, (0.55, 0.9675), None))
    write_json(tmp_path / "scface.json", scface(CHECKSUM, (0.875, 0.9375), 0.05))
    write_json(tmp_path / "scface_facenet.json", scface("f" * 64, (0.825, 0.9375), None))
    (tmp_path / "README.md").write_text("before\n<!-- siamese -->\nold\n<!-- end of siamese -->\nafter\n")
    return Config(
        training=(str(tmp_path / "run"),),
        lfw=str(tmp_path / "lfw.json"),
        lfw_facenet=str(tmp_path / "facenet.json"),
        other_ways=(f"S x S as it is={tmp_path / 'small.json'}",),
        scface=(f"10-30={tmp_path / 'scface.json'}",),
        scface_facenet=(f"10-30={tmp_path / 'scface_facenet.json'}",),
        saved_model=str(tmp_path / "saved_models" / "siamese"),
        curves=str(tmp_path / "docs" / "curves"),
        readme=str(tmp_path / "README.md"),
    )


def test_the_card_holds_what_was_measured(results: Config, tmp_path: Path) -> None:
    main(results)
    card = (tmp_path / "saved_models" / "siamese" / "MODEL_CARD.md").read_text()
    assert "22,779,312 parameters stored as float16, 46.1 MB (cosine" in " ".join(card.split())
    assert "29,176 images of 6,990 persons" in " ".join(card.split())
    assert "python -m lrfr_tf.train_siamese --flagfile=configs/ship_siamese.cfg" in card
    assert "- `first`: 1,600 steps of 10 persons with 2 views each\n" in card
    assert "network for" not in card
    export = f"--model={tmp_path}/run/model \\\n    --name=siamese --version=1 --precision=float16\n```"
    assert f"python tools/export_saved_model.py \\\n    {export}" in card
    row = "| 8 px | 55.00 [54.0, 56.0] | 85.00 [84.0, 86.0] | +30.0 [+29.0, +31.0] | 50.0% | 25.0% | 0.375 | 0.438 |"
    assert row in card
    assert "| S x S as it is | 84.75 | 96.50 |" in card
    assert "| 10 px | 82.5 [80.5, 84.5] | 87.5 [85.5, 89.5] | +5.0 [+2.0, +8.0] |" in card
    assert max(len(line) for line in card.splitlines() if not line.startswith(("|", "!"))) <= 120
    assert (tmp_path / "docs" / "curves" / "siamese.png").stat().st_size > 1000
    readme = (tmp_path / "README.md").read_text()
    assert row in readme
    assert "\nold\n" not in readme


def test_the_card_of_two_networks_names_both(results: Config, tmp_path: Path) -> None:
    file = tmp_path / "saved_models" / "siamese" / "1" / "model.json"
    write_json(file, read_json(file) | {"source_of_larger": {"model": "large/mixed"}, "detail_of_small_faces": 0.135})
    with pytest.raises(UserError, match="--training_of_larger goes with an export of two networks"):
        main(results)
    run = read_json(tmp_path / "run" / "run.json")
    larger = {"command": ["-m", "larger"], "config": {**run["config"], "output": "runs/large", "steps": 600}}
    write_json(tmp_path / "large" / "run.json", run | larger)

    def written() -> str:
        main(dataclasses.replace(results, training_of_larger=str(tmp_path / "large")))
        return " ".join((tmp_path / "saved_models" / "siamese" / "MODEL_CARD.md").read_text().split())

    card = written()
    assert "Two such networks share one space" in card
    assert "Below 0.135, which is a sharp face shrunk to about 38 px" in card
    assert "- `large`: 600 steps of 10 persons with 2 views each: the network for the larger faces" in card
    large = f"{tmp_path}/large/mixed"
    export = f"python tools/export_saved_model.py \\ --model={tmp_path}/run/model \\ --larger_model={large} \\ --name"
    assert f"ship_siamese.cfg python -m larger {export}" in card
    write_json(tmp_path / "large" / "mixed" / "mix.json", {"model": "runs/large/model", "share": 0.25})
    card = written()
    assert "larger faces, which has 0.25 of these weights and 0.75 of those it began with" in card
    mixing = f"python -m larger python tools/mix_weights.py --model=runs/large/model --share=0.25 --output={large} "
    assert mixing + export in card


def test_a_run_that_began_with_mixed_weights_names_the_mixing(tmp_path: Path) -> None:
    run = {"command": ["-m", "x"], "config": {"initial_weights": str(tmp_path / "facenet.weights.h5")}}
    assert commands_of(run) == ["python -m x"]
    write_json(tmp_path / "mix.json", {"model": "runs/first/model", "share": 0.75})
    mixing = f"python tools/mix_weights.py --model=runs/first/model --share=0.75 --output={tmp_path}"
    assert commands_of(run) == [mixing, "python -m x"]
    mix = {"model": "runs/second/model", "share": 0.5, "other_model": "runs/first/model"}
    write_json(tmp_path / "mix.json", mix)
    mixing = "python tools/mix_weights.py --model=runs/second/model --other_model=runs/first/model --share=0.5"
    assert commands_of(run) == [f"{mixing} --output={tmp_path}", "python -m x"]


def test_results_of_another_export_are_refused(results: Config, tmp_path: Path) -> None:
    other = read_json(tmp_path / "small.json")
    other["model"]["sha256"] = "0" * 64
    write_json(tmp_path / "small.json", other)
    with pytest.raises(UserError, match="evaluate that export first"):
        main(results)
    assert not (tmp_path / "saved_models" / "siamese" / "MODEL_CARD.md").exists()


def test_results_must_come_in_pairs(results: Config) -> None:
    with pytest.raises(UserError, match="different numbers"):
        main(dataclasses.replace(results, scface_facenet=()))
    with pytest.raises(UserError, match="should be name=file"):
        main(dataclasses.replace(results, other_ways=("small.json",)))


def test_the_ladder_counts_from_its_first_row(results: Config, tmp_path: Path) -> None:
    document = tmp_path / "ladder.md"
    document.write_text("# Ladder\n<!-- ladder -->\n<!-- end of ladder -->\n")
    first = f"FaceNet={tmp_path / 'facenet.json'}:{tmp_path / 'scface_facenet.json'}"
    second = f"Shipped={tmp_path / 'lfw.json'}:{tmp_path / 'scface.json'}"
    write_ladder(LadderConfig((first, second, f"S x S={tmp_path / 'small.json'}"), str(document)))
    lines = document.read_text().splitlines()
    assert "| FaceNet | 55.00 | 96.75 | 82.50 | 93.75 |" in lines
    assert "| Shipped | 85.00 (+30.0) | 96.50 (-0.3) | 87.50 (+5.0) | 93.75 (+0.0) |" in lines
    assert "| S x S | 84.75 (+29.8) | 96.50 (-0.3) |  |  |" in lines
    document.write_text(document.read_text() + "<!-- flags -->\n<!-- end of flags -->\n")
    write_ladder(LadderConfig((second,), str(document), "flags"))
    assert document.read_text().splitlines()[: len(lines)] == lines
    assert "| Shipped | 85.00 | 96.50 | 87.50 | 93.75 |" in document.read_text().splitlines()[len(lines) :]
    write_json(tmp_path / "lfw.json", {**read_json(tmp_path / "lfw.json"), "pairs_sha256": "q"})
    with pytest.raises(UserError, match="different pairs"):
        write_ladder(LadderConfig((first, second), str(document)))
