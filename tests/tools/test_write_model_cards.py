"""Model cards hold the figures of the results, and are refused for results of another export."""

from pathlib import Path
from typing import Any

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.networks.saved_model import content_checksum
from tools.repository.write_model_cards import Config, main


def mean(value: float) -> dict[str, Any]:
    return {"mean": value, "interval_95": [value - 0.01, value + 0.01]}


def restoration_row(psnr: float, gain: float | None) -> dict[str, Any]:
    return {
        "psnr_rgb": mean(psnr), "ssim_rgb": mean(0.8125), "psnr_gain": None if gain is None else mean(gain),
        "colour_shift": {"largest": 0.375}, "grid": {"period_4": {"peak_db": 1.5}},
    }  # fmt: skip


def verification_row(accuracy: float, difference: float | None) -> dict[str, Any]:
    row: dict[str, Any] = {"accuracy": {"mean": accuracy, "standard_error": 0.006}, "tar_at_far": {"0.01": 0.25}}
    row["difference_to_bicubic"] = None  # as the row of bicubic itself has it
    if difference is not None:
        row["difference_to_bicubic"] = {**mean(difference), "interval_95_over_persons": [0.01, 0.09]}
    return row


@pytest.fixture
def results(tmp_path: Path) -> Config:
    for run, steps in (("first", (500, 1000)), ("second", (500,))):
        history = [
            {"network": "srresnet_camera", "step": step, "psnr_gain": step / 400, "psnr_gain_harsh": 1.25, "ssim": 0.8}
            for step in steps
        ]
        write_json(tmp_path / run / "validation.json", history)
        write_json(
            tmp_path / run / "run.json",
            {"training_faces": 9067, "validation_faces": 256, "config": {"batch_size": 32}},
        )
    record = {
        "schema": 1, "kind": "super_resolution", "name": "srresnet_camera", "version": 1, "signatures": {}, "files": {},
        "sha256": content_checksum({}), "parameters": 1563875, "bytes": 6_580_000, "low_size": 16, "high_size": 64,
    }  # fmt: skip
    write_json(tmp_path / "saved_models" / "srresnet_camera" / "1" / "model.json", record)
    tree = {"counts": {"images": 1598}, "methods": {}}
    tree["methods"] = {
        "bicubic": restoration_row(23.43, None),
        "srresnet": restoration_row(24.43, 1.0),
        "srresnet_camera": restoration_row(26.82, 3.39),
    }
    models = {"srresnet_camera": {"folder": "saved_models/srresnet", "sha256": record["sha256"]}}
    write_json(tmp_path / "restoration.json", {"trees": {"datasets/celeba_face": tree}, "models": models})
    methods = {
        "hr": verification_row(0.9593, 0.206),
        "bicubic": verification_row(0.7533, None),
        "srresnet_camera": verification_row(0.8283, 0.075),
    }
    for camera in ("clean", "moderate"):
        config = {"camera": camera, "sharp_first": camera == "moderate"}
        result = {"counts": {"pairs": 6000, "persons": 200}, "methods": methods, "config": config}
        write_json(tmp_path / f"verification-{camera}.json", result)
    kinds = {
        "stripes": {name: {"faces_found": 3, "contrast": 1.25} for name in ("bicubic", "srresnet", "srresnet_camera")}
    }
    write_json(tmp_path / "noise.json", {"pictures_of_each_kind": 100, "kinds": kinds})
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "models.md").write_text("before\n<!-- models -->\nold\n<!-- end of models -->\nafter\n")
    return Config(
        trainings=(f"srresnet_camera={tmp_path / 'first'}:{tmp_path / 'second'}",),
        restoration=str(tmp_path / "restoration.json"),
        verification=tuple(str(tmp_path / f"verification-{camera}.json") for camera in ("clean", "moderate")),
        noise=str(tmp_path / "noise.json"),
        saved_models=str(tmp_path / "saved_models"),
        curves=str(tmp_path / "docs" / "curves"),
        readme=str(tmp_path / "docs" / "models.md"),
    )


def test_a_card_holds_what_was_measured(results: Config, tmp_path: Path) -> None:
    main(results)
    card = (tmp_path / "saved_models" / "srresnet_camera" / "MODEL_CARD.md").read_text()
    assert "1,563,875 parameters, 6.6 MB" in " ".join(card.split())
    assert "9,067 training images" in card
    assert "After 1,500 steps of 32 faces" in card  # both runs
    assert "over bicubic: +1.25 dB at clean, +1.25 dB at harsh; SSIM at clean 0.800" in " ".join(card.split())
    assert "| aligned, `face` | 1,598 | srresnet | 24.43 dB | +1.00 [+0.99, +1.01] |" in card  # the one of clean faces
    assert (
        "| aligned, `face` | 1,598 | srresnet_camera | 26.82 dB | +3.39 [+3.38, +3.40] | 0.812 | 0.38 | 1.5 dB |"
        in card
    )
    assert card.count("| srresnet_camera | 82.8% ± 0.6 | +7.5 | [+6.5, +8.5] | [+1.0, +9.0] | 25.0% |") == 2
    assert "both images of a pair from 16 px, clean: 6,000 pairs of 200 persons" in " ".join(card.split())
    assert "image 1 of a pair sharp, image 2 from 16 px, moderate:" in " ".join(card.split())
    assert "| stripes | srresnet | 3 of 100 | 1.25 |\n| stripes | srresnet_camera | 3 of 100 | 1.25 |" in card
    assert (tmp_path / "docs" / "curves" / "srresnet_camera.png").stat().st_size > 1000
    assert "](../../docs/curves/srresnet_camera.png)" in card
    page = (tmp_path / "docs" / "models.md").read_text()
    assert page.startswith("before\n<!-- models -->\n| |")
    assert page.endswith("<!-- end of models -->\nafter\n")
    assert "old" not in page
    assert "+3.39 dB, 0.812 | +7.5 points [+6.5, +8.5] |" in page


def test_results_of_another_export_are_refused(results: Config, tmp_path: Path) -> None:
    restoration = read_json(tmp_path / "restoration.json")
    restoration["models"]["srresnet_camera"]["sha256"] = "0" * 64
    write_json(tmp_path / "restoration.json", restoration)
    with pytest.raises(UserError, match="evaluate that export first"):
        main(results)
    assert not (tmp_path / "saved_models" / "srresnet_camera" / "MODEL_CARD.md").exists()


def test_camera_levels_are_rows_of_their_own(results: Config, tmp_path: Path) -> None:
    main(results)
    clean = (tmp_path / "docs" / "models.md").read_text()
    restoration = read_json(tmp_path / "restoration.json")
    trees = restoration["trees"]
    methods = {"bicubic": restoration_row(19.5, None), "srresnet_camera": restoration_row(20.25, 0.75)}
    tree = {"counts": {"images": 1598}, "camera": "harsh", "methods": methods}
    trees["datasets/celeba_face"]["camera"] = "clean"
    write_json(tmp_path / "restoration.json", {**restoration, "trees": {**trees, "datasets/celeba_face, harsh": tree}})
    main(results)
    card = (tmp_path / "saved_models" / "srresnet_camera" / "MODEL_CARD.md").read_text()
    assert "| aligned, `face` | 1,598 | srresnet_camera | 26.82 dB | +3.39" in card
    assert "| aligned, `face`, harsh | 1,598 | srresnet_camera | 20.25 dB | +0.75 [+0.74, +0.76] |" in card
    link = "[`srresnet_camera`](../saved_models/srresnet_camera/MODEL_CARD.md)"
    assert (tmp_path / "docs" / "models.md").read_text().splitlines()[2:-2] == [
        "| | camera | aligned, `face`: PSNR gain, SSIM | pairs at 16 px, against bicubic |",
        "| :-- | :-- | --: | --: |",
        "| bicubic | clean | (23.43 dB), 0.812 | (75.3%) |",
        "|  | harsh | (19.50 dB), 0.812 |  |",
        f"| {link} | clean | +3.39 dB, 0.812 | +7.5 points [+6.5, +8.5] |",
        "|  | harsh | +0.75 dB, 0.812 |  |",
    ]
    assert clean.splitlines()[2:-2] == [
        "| | aligned, `face`: PSNR gain, SSIM | pairs at 16 px, against bicubic |",
        "| :-- | --: | --: |",
        "| bicubic | (23.43 dB), 0.812 | (75.3%) |",
        f"| {link} | +3.39 dB, 0.812 | +7.5 points [+6.5, +8.5] |",
    ]
