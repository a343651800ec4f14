"""The tables of a result made by hand, whose figures are known."""

from typing import Any

import pytest

from lrfr_tf.study.report.formatting import interval, number, p_text, p_value, percent
from lrfr_tf.study.report.sentences import below_bicubic
from lrfr_tf.study.report.tables import recognition_table
from lrfr_tf.study.report.text import markdown, pixels_text, table_markdown, table_text
from tests.result_by_hand import make_pixels, make_siamese_result


def figure(mean: float | None, low: float = 0.0, high: float = 1.0) -> dict[str, Any]:
    return {"mean": mean, "interval_95": None if mean is None else [low, high]}


def subset(mean: float | None, images: int = 40, top_5: bool = True) -> dict[str, Any]:
    row = {"images": images, "identities": images // 2, "top_1": figure(mean, 0.25, 0.375)}
    return {**row, "top_5": figure(mean)} if top_5 else row


def recognition(method: str, head: str, trained_on: str, top_1: float, p: float | None) -> dict[str, Any]:
    row = {
        "method": method,
        "head": head,
        "trained_on": trained_on,
        "all": subset(top_1, 1234),
        "detected": subset(0.512, 38),
        "intersection": subset(0.523, 36),
        "cmc": [top_1, 0.9, 1.0],
    }
    return row if p is None else {**row, "p_against_bicubic": p}


def quality(psnr: float) -> dict[str, Any]:
    return {
        "images": 1234,
        "detected": figure(0.876, 0.85, 0.9),
        "psnr_rgb": figure(psnr, psnr - 0.1, psnr + 0.1),
        "ssim_rgb": figure(0.6789, 0.66, 0.69),
        "psnr_luma": figure(psnr + 1.0, psnr + 0.9, psnr + 1.1),
        "ssim_luma": figure(0.7),
    }


def boxes() -> dict[str, Any]:
    return {
        "images": 1234,
        "found": {"both": 1000, "hr_only": 100, "method_only": 30, "neither": 104},
        "hr_detection_rate": 0.9,
        "method_detection_rate": 0.8,
        "iou": {"n": 1000, "mean": 0.87654, "median": 0.9, "interval_95": [0.871, 0.881]},
        "landmark_error": {"n": 1000, "mean": 0.0456, "median": 0.04, "interval_95": [0.044, 0.047]},
        **{name: {"n": 1000, "mean": 0.1234, "median": 0.1} for name in ("centre_error", "size_error")},
        "coordinate_mse": {"n": 1000, "mean": 12.345, "median": 10.0},
    }


@pytest.fixture
def result() -> dict[str, Any]:
    """SRGAN better than bicubic in everything but PSNR; SRCNN better in everything."""
    block = {
        "images": 1234,
        "identities": 617,
        "quality": {
            "hr": {"images": 1234, "detected": figure(0.999, 0.99, 1.0)},
            "bicubic": quality(24.0),
            "srcnn": quality(25.0),
            "srgan": quality(23.456),
        },
        "recognition": [
            recognition("hr", "logistic", "hr", 0.95, 0.0),
            recognition("bicubic", "logistic", "hr", 0.3, None),
            recognition("srcnn", "logistic", "hr", 0.3333, 0.0421),
            recognition("srgan", "logistic", "hr", 0.4567, 0.00001),
            recognition("bicubic", "cosine", "bicubic", 0.4, None),
            recognition("srcnn", "cosine", "srcnn", 0.41, 0.5),
            recognition("srgan", "cosine", "srgan", 0.42, 0.2),
        ],
        "boxes": {method: boxes() for method in ("bicubic", "srcnn", "srgan")},
    }
    return {
        "title": "A title",
        "note": "A note.",
        "schema": 1,
        "data": {
            "data_set": "made by hand",
            "framing": "face",
            "identities": 617,
            "images": {"train": 5000, "val": 617, "test": 1234},
            "dropped_identities": 3,
            "resize_kernel": "pillow-bicubic-antialias",
        },
        "classes": 617,
        "embedder": "an embedder",
        "detector": {"name": "mtcnn", "thresholds": [0.6, 0.7, 0.9], "min_face_size": 20},
        "policy": "miss",
        "models": {"bicubic": "", "srcnn": "1" * 64, "srgan": "2" * 64},
        "held_out_divisor": 5,
        "blocks": {"held_out": block, "all": block},
        "config": {"data": "datasets/x", "methods": ["hr", "bicubic", "srcnn", "srgan"], "note": ""},
        "versions": {"python": "3.11.7", "keras": "3.15.1"},
        "seconds": 1.25,
    }


def test_figures_are_written_one_way() -> None:
    assert percent(0.34567) == "34.6"
    assert percent(None) == number(None, 2) == p_value(None) == "–"
    assert number(1234.567, 2) == "1,234.57"
    assert interval([0.3124, 0.3781], percent) == "[31.2, 37.8]"
    assert interval(None, percent) == ""
    assert (p_value(0.0009), p_value(0.001), p_value(1.0)) == ("< 0.001", "0.001", "1.000")
    assert (p_text(0.0001), p_text(0.04)) == ("< 0.001", "= 0.040")


def test_terminal_table_has_the_figures_of_each_method(result: dict[str, Any]) -> None:
    lines = table_text(result).splitlines()
    assert "Held-out identities: 1,234 test images of 617 identities; 95 % intervals in brackets" in lines
    assert "SRGAN 87.6 [85.0, 90.0] 23.46 [23.36, 23.56] 0.679 [0.660, 0.690]" in _squeezed(lines)
    assert "SRGAN logistic HR 45.7 [25.0, 37.5] 45.7 51.2 (38) 52.3 (36) 1,234 < 0.001" in _squeezed(lines)
    assert "SRCNN cosine SRCNN 41.0 [25.0, 37.5] 41.0 51.2 (38) 52.3 (36) 1,234 0.500" in _squeezed(lines)
    assert max(len(line) for line in lines) <= 120


def test_terminal_columns_are_aligned(result: dict[str, Any]) -> None:
    lines = [line for line in table_text(result).splitlines() if " logistic " in line or " cosine " in line]
    assert len(lines) == 14
    assert len({len(line) for line in lines}) == 1


def test_terminal_shows_the_siamese_network_and_the_curve_against_pixels() -> None:
    lines = table_text(make_siamese_result()).splitlines()
    assert "Siamese logistic HR 20.0 [15.0, 25.0] 20.0 20.0 (6) 20.0 (6) 6 0.030" in _squeezed(lines)
    assert any(line.startswith("Siamese, no super-resolution: siamese-1-abc embeds") for line in lines)
    pixels = pixels_text(make_pixels()).splitlines()
    assert "pixels Bicubic SRCNN Siamese" in _squeezed(pixels)
    assert "8 10.0 [5.0, 15.0] 20.0 [15.0, 25.0] 30.0 [25.0, 35.0]" in _squeezed(pixels)
    assert "64 50.0 [45.0, 55.0] 40.0 [35.0, 45.0] 60.0 [55.0, 65.0]" in _squeezed(pixels)
    assert max(map(len, [*lines, *pixels])) <= 120


def test_markdown_has_every_figure_with_interval_and_n(result: dict[str, Any]) -> None:
    rows = [line for line in table_markdown(result).splitlines() if line.startswith("|")]
    srgan = next(row for row in rows if row.startswith("| SRGAN | logistic | HR |"))
    cells = [cell.strip() for cell in srgan.strip("|").split("|")]
    assert cells[3:7] == ["**45.7** [25.0, 37.5]", "**45.7** [0.0, 100.0]", "< 0.001", "1,234 / 617"]
    assert cells[7:10] == ["**51.2** [25.0, 37.5]", "**51.2** [0.0, 100.0]", "38 / 19"]
    assert cells[10:] == ["**52.3** [25.0, 37.5]", "**52.3** [0.0, 100.0]", "36 / 18"]
    assert any("0.877** [0.871, 0.881]" in row and "0.046** [0.044, 0.047]" in row for row in rows)
    assert any(row.startswith("| SRCNN |") and "**25.00** [24.90, 25.10]" in row for row in rows)
    # Every table is rectangular, or GitHub would not draw it.
    for table in table_markdown(result).split("\n\n"):
        if table.startswith("|"):
            assert len({row.count("|") for row in table.strip().splitlines()}) == 1


def test_best_is_marked_among_the_methods_of_a_group_without_hr(result: dict[str, Any]) -> None:
    table = recognition_table(result["blocks"]["all"])
    first, second = table.groups
    assert [(row[0].text, row[3].best) for row in first] == [
        ("HR", False),
        ("Bicubic", False),
        ("SRCNN", False),
        ("SRGAN", True),
    ]
    assert [row[3].best for row in second] == [False, False, True]


def test_below_bicubic_is_said_exactly_where_it_is_so(result: dict[str, Any]) -> None:
    block = result["blocks"]["all"]
    (sentence,) = below_bicubic(block)
    assert sentence == (
        "SRGAN is below bicubic: PSNR (RGB) 23.46 dB against 24.00 dB; PSNR (luma) 24.46 dB against 25.00 dB."
    )
    assert table_text(result).count("is below bicubic") == table_markdown(result).count("is below bicubic") == 2

    block["quality"]["srgan"] = quality(24.5)
    assert below_bicubic(block) == []
    assert "below bicubic" not in table_text(result) + table_markdown(result)

    # Better than the bicubic of the other group does not help: the comparison is with the same head, fitted alike.
    block["recognition"][5]["all"]["top_1"]["mean"] = 0.35
    (sentence,) = below_bicubic(block)
    assert sentence == (
        "SRCNN is below bicubic: top-1 with the cosine head fitted on each method’s own images 35.0 % against 40.0 % "
        "(p = 0.500)."
    )


def test_an_equal_figure_is_not_below(result: dict[str, Any]) -> None:
    block = result["blocks"]["all"]
    block["quality"]["srgan"] = quality(24.0)
    block["recognition"][3]["all"]["top_1"]["mean"] = 0.3
    assert below_bicubic(block) == []


def test_empty_subsets_absent_top_5_and_no_baseline_do_not_crash(result: dict[str, Any]) -> None:
    block = result["blocks"]["all"]
    for row in block["recognition"]:
        for name in ("all", "detected", "intersection"):
            row[name] = subset(None, 0, top_5=False)
        row.pop("p_against_bicubic", None)
    block["recognition"] = [row for row in block["recognition"] if row["method"] != "bicubic"]
    del block["quality"]["bicubic"]
    for row in block["quality"].values():
        row["detected"] = figure(None)
    text = table_text(result)
    assert "top-5" not in text
    assert "SRGAN cosine SRGAN – – (0) – (0) 0 –" in _squeezed(text.splitlines())
    assert "Top-5" not in table_markdown(result)
    assert "below bicubic" not in text


def test_hostile_names_stay_text(result: dict[str, Any]) -> None:
    result["title"] = "a\x1b[31m\nb"
    assert table_text(result).splitlines()[0] == "a [31m b"
    assert markdown("<script>|`x`\n*y*") == r"&lt;script&gt;\|\`x\` \*y\*"


def _squeezed(lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines]
