"""The embedder's card holds the figures of the results, and nothing of another export."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfr_tf.benchmarks.scface.protocol import pooled_difference
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.networks.saved_model import content_checksum
from tools.repository.write_embedder_card import Config, main

CHECKSUM = content_checksum({})  # of an export without files
BEFORE, START = "b" * 64, "a" * 64


def lfw(checksum: str, accuracies: tuple[float, float]) -> dict[str, Any]:
    rows = {
        name: {
            "accuracy": accuracy, "interval_95": [accuracy - 0.01, accuracy + 0.01],
            "tar_at_far": {"0.01": 0.5, "0.001": 0.25}, "threshold_at_far": {"0.01": 0.375, "0.001": 0.4375},
        }
        for name, accuracy in zip(("8", "moderate 16"), accuracies, strict=True)
    }  # fmt: skip
    model = {"name": "m", "sha256": checksum}
    return {"model": model, "counts": {"pairs": 6000, "persons": 200}, "sizes": rows, "pairs_sha256": "p"}


def frmdb(checksum: str, ranks: tuple[float, float], gain: float | None) -> dict[str, Any]:
    rows = {
        size: {"rank_1": rank, "interval_95": [rank - 0.1, rank + 0.1], "cameras": {"1": rank - 0.25, "2": rank}}
        for size, rank in zip(("native", "mean"), ranks, strict=True)
    }
    names = (*rows, "16 and 12")
    compared = None if gain is None else {n: {"mean": gain, "interval_95": [gain - 0.02, gain + 0.02]} for n in names}
    return {
        "model": {"name": "m", "sha256": checksum}, "counts": {"persons": 34, "probes": 151}, "sizes": rows,
        "difference_to_baseline": compared,
    }  # fmt: skip


def scface(checksum: str, right: tuple[list[int], list[int]]) -> dict[str, Any]:
    """Two persons, five cameras, two distances; how many probes of each person are right at each distance."""
    rows, compared = {}, {}
    for distance, counts in zip(("1", "2"), right, strict=True):
        bits = np.array([camera < count for count in counts for camera in range(5)])
        rank = float(bits.mean())
        rows[distance] = {
            "rank_1": rank, "interval_95": [rank - 0.02, rank + 0.02], "correct": np.packbits(bits).tobytes().hex(),
        }  # fmt: skip
        compared[distance] = {"mean": 0.05, "interval_95": [0.02, 0.08]}
    return {
        "model": {"name": "m", "sha256": checksum}, "counts": {"persons": 2}, "images_sha256": "i", "distances": rows,
        "difference_to_baseline": compared,
    }  # fmt: skip


@pytest.fixture
def results(tmp_path: Path) -> Config:
    for place, steps in enumerate((1600, 400)):
        write_json(
            tmp_path / f"run{place}" / "run.json",
            {
                "command": ["-m", "lrfr_tf.train_distillation", f"--flagfile=configs/{place}.cfg"],
                "training_faces": 10575, "training_identities": 545, "config": {"steps": steps, "batch_size": 64},
            },
        )  # fmt: skip
    record = {
        "schema": 1, "kind": "embedder", "name": "siamese", "version": 2, "signatures": {}, "files": {},
        "sha256": CHECKSUM, "parameters": 3398400, "bytes": 8_934_508, "dimensions": 512, "stored_as": "float16",
        "cost_of_precision": {"smallest_cosine": 0.99998, "mean_cosine": 0.99999}, "input_size": 112,
        "template": "centred", "source": {"model": "run1/model"},
    }  # fmt: skip
    write_json(tmp_path / "saved_models" / "siamese" / "2" / "model.json", record)
    named = {
        "lfw": lfw(CHECKSUM, (0.90, 0.85)), "lfw_before": lfw(BEFORE, (0.80, 0.70)),
        "lfw_start": lfw(START, (0.7, 0.75)), "lfw_facenet": lfw("f" * 64, (0.5, 0.625)),
        "frmdb": frmdb(CHECKSUM, (0.675, 0.5), 0.025), "frmdb_before": frmdb(BEFORE, (0.45, 0.3), None),
        "frmdb_start": frmdb(START, (0.65, 0.475), None), "scface": scface(CHECKSUM, ([4, 2], [5, 5])),
        "scface_before": scface(BEFORE, ([3, 2], [5, 4])),
    }  # fmt: skip
    for name, result in named.items():
        write_json(tmp_path / f"{name}.json", result)
    (tmp_path / "README.md").write_text("before\n<!-- siamese -->\nold\n<!-- end of siamese -->\nafter\n")
    files = {name: str(tmp_path / f"{name}.json") for name in named if not name.startswith("scface")}
    return Config(
        training=(str(tmp_path / "run0"), str(tmp_path / "run1")),
        hours=3.5,
        **files,
        scface=(f"10-30={tmp_path / 'scface.json'}",),
        scface_before=(f"10-30={tmp_path / 'scface_before.json'}",),
        saved_model=str(tmp_path / "saved_models" / "siamese"),
        readme=str(tmp_path / "README.md"),
    )


def test_the_card_holds_what_was_measured(results: Config, tmp_path: Path) -> None:
    main(results)
    card = (tmp_path / "saved_models" / "siamese" / "MODEL_CARD.md").read_text()
    words = " ".join(card.split())
    assert "3,398,400 parameters stored as float16, 8.9 MB (cosine" in words
    assert "10,575 photos of 545 persons" in words
    assert "the student sees 128,000 views" in words
    assert "About 3.5 hours of two CPU cores" in words
    assert "non-commercial research" in words
    assert "python -m lrfr_tf.train_distillation --flagfile=configs/0.cfg\npython -m lrfr_tf.train_distillation" in card
    assert f"--model={tmp_path}/run1/model --name=siamese --version=2 --precision=float16\n```" in card
    # A half of version 1's errors at 8 px.
    row = "| clean 8 px | 80.00 | 70.00 | 90.00 [89.0, 91.0] | 0.50 | 50.0 | 50.0 | 0.375 |"
    assert row in card
    assert "| moderate 16 px | 70.00 | 75.00 | 85.00 [84.0, 86.0] | 0.50 |" in card
    assert "| as they are | 45.0 | 65.0 | 67.5 [57.5, 77.5] | +2.5 [+0.5, +4.5] |" in card
    assert "| mean, camera 1 | 5.0 | 22.5 | 25.0 |" in card
    assert "| 10 px | 50.0 [48.0, 52.0] | 60.0 [58.0, 62.0] | +5.0 [+2.0, +8.0] |" in card
    # Over both distances each of the two persons has one probe of ten more.
    assert "| all |  |  | +10.0 [+10.0, +10.0] |" in card
    assert max(len(line) for line in card.splitlines() if not line.startswith(("|", "python"))) <= 120
    readme = (tmp_path / "README.md").read_text()
    assert readme.splitlines()[2:-2] == [
        "| image 2 | FaceNet, clean | `siamese`, clean | FaceNet, moderate | `siamese`, moderate |",
        "| --: | --: | --: | --: | --: |",
        "| 8 px | 50.0 [49.0, 51.0] | 90.0 [89.0, 91.0] | - | - |",
        "| 16 px | - | - | 62.5 [61.5, 63.5] | 85.0 [84.0, 86.0] |",
    ]


@pytest.mark.parametrize("name", ["lfw", "frmdb", "scface"])
def test_results_of_another_export_are_refused(results: Config, tmp_path: Path, name: str) -> None:
    other = read_json(tmp_path / f"{name}.json")
    other["model"]["sha256"] = "0" * 64
    write_json(tmp_path / f"{name}.json", other)
    with pytest.raises(UserError, match="evaluate that export first"):
        main(results)
    assert not (tmp_path / "saved_models" / "siamese" / "MODEL_CARD.md").exists()


def test_results_must_belong_together(results: Config, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="different numbers"):
        main(dataclasses.replace(results, scface_before=()))
    with pytest.raises(UserError, match="give its result as --lfw_facenet"):
        main(dataclasses.replace(results, lfw_facenet=None))
    with pytest.raises(UserError, match="should be name=file"):
        main(dataclasses.replace(results, scface=("small.json",), scface_before=("old.json",)))
    ours, theirs = (read_json(tmp_path / f"{name}.json") for name in ("scface", "scface_before"))
    with pytest.raises(UserError, match="different images or persons"):
        pooled_difference([ours], [{**theirs, "images_sha256": "j"}])
    for name in ("lfw_facenet", "lfw_start"):
        before = read_json(tmp_path / f"{name}.json")
        write_json(tmp_path / f"{name}.json", {**before, "pairs_sha256": "q"})
        with pytest.raises(UserError, match="different pairs"):
            main(results)
        write_json(tmp_path / f"{name}.json", before)
