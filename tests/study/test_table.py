"""The table against counts made by hand."""

import numpy as np
import pytest

from lrfr_tf.data.embeddings import EmbeddingSet
from lrfr_tf.study.table import Recognition, quality_rows, recognition_rows

CLASSES = 12


def faces_of(labels: list[int], detected: list[bool], usable: list[bool] | None = None) -> EmbeddingSet:
    count = len(labels)
    return EmbeddingSet(
        paths=[f"{label}/{i}.png" for i, label in enumerate(labels)],
        labels=np.array(labels),
        embeddings=np.zeros((count, 2), np.float32),
        detected=np.array(detected),
        usable=np.array(detected if usable is None else usable),
        boxes=np.zeros((count, 4), np.float32),
        landmarks=np.zeros((count, 5, 2), np.float32),
        scores=np.zeros(count, np.float32),
        crops=["detected"] * count,
    )


@pytest.fixture
def tests() -> dict[str, EmbeddingSet]:
    labels = [0, 0, 1, 2, 3, 4]
    return {
        "hr": faces_of(labels, [True] * 6),
        "bicubic": faces_of(labels, [True, True, False, True, False, True]),
        "srgan": faces_of(labels, [True, False, True, True, True, True]),
    }


@pytest.fixture
def recognitions() -> list[Recognition]:
    beyond = CLASSES + 1
    return [
        Recognition("hr", "logistic", "hr", np.array([1, 1, 1, 1, 2, 7])),
        Recognition("bicubic", "logistic", "hr", np.array([1, 3, beyond, 6, beyond, 2])),
        Recognition("srgan", "logistic", "hr", np.array([1, beyond, 1, 1, 1, 9])),
        Recognition("srgan", "logistic", "srgan", np.array([1, beyond, 1, 1, 1, 1])),
        Recognition("bicubic", "logistic", "bicubic", np.array([1, 1, beyond, 1, beyond, 1])),
    ]


def test_counts_and_rates_by_hand(recognitions: list[Recognition], tests: dict[str, EmbeddingSet]) -> None:
    rows = recognition_rows(recognitions, tests, np.ones(6, bool), CLASSES)
    by_key = {(row["method"], row["trained_on"]): row for row in rows}
    bicubic, srgan = by_key["bicubic", "hr"], by_key["srgan", "hr"]
    assert (bicubic["all"]["images"], bicubic["all"]["identities"]) == (6, 5)
    assert bicubic["all"]["top_1"]["mean"] == pytest.approx(1 / 6)
    assert bicubic["all"]["top_5"]["mean"] == pytest.approx(3 / 6)
    assert (bicubic["detected"]["images"], bicubic["detected"]["identities"]) == (4, 3)
    assert bicubic["detected"]["top_1"]["mean"] == pytest.approx(1 / 4)
    # Images 0, 3 and 5 were detected by all three methods.
    assert bicubic["intersection"]["images"] == srgan["intersection"]["images"] == 3
    assert srgan["intersection"]["top_1"]["mean"] == pytest.approx(2 / 3)
    assert srgan["all"]["top_1"]["mean"] == pytest.approx(4 / 6)
    low, high = srgan["all"]["top_1"]["interval_95"]
    assert 0 <= low < 4 / 6 < high <= 1
    assert srgan["cmc"][:3] == pytest.approx([4 / 6] * 3)
    assert bicubic["cmc"][:6] == pytest.approx(np.array([1, 2, 3, 3, 3, 4]) / 6)


def test_mcnemar_compares_with_bicubic_fitted_the_same_way(
    recognitions: list[Recognition], tests: dict[str, EmbeddingSet]
) -> None:
    rows = recognition_rows(recognitions, tests, np.ones(6, bool), CLASSES)
    by_key = {(row["method"], row["trained_on"]): row for row in rows}
    # Fitted on HR: SRGAN alone is right on 2, 3 and 4, bicubic alone on none: two-sided binomial of 3 in 3.
    assert by_key["srgan", "hr"]["p_against_bicubic"] == pytest.approx(2 * 0.5**3)
    # Fitted on their own: SRGAN alone on 2 and 4, bicubic alone on 1: 2 in 3 is as far as chance goes.
    assert by_key["srgan", "srgan"]["p_against_bicubic"] == pytest.approx(1.0)
    assert "p_against_bicubic" not in by_key["bicubic", "hr"]


def test_only_chosen_images_count_and_empty_subsets_have_no_rate(
    recognitions: list[Recognition], tests: dict[str, EmbeddingSet]
) -> None:
    only_4 = np.array([False, False, False, False, True, False])
    row = recognition_rows(recognitions, tests, only_4, CLASSES)[1]
    assert row["all"] == {
        "images": 1,
        "identities": 1,
        "top_1": {"mean": 0.0, "interval_95": [0.0, 0.0]},
        "top_5": {"mean": 0.0, "interval_95": [0.0, 0.0]},
    }
    assert row["detected"]["top_1"] == {"mean": None, "interval_95": None}


def test_few_classes_have_no_top_5(recognitions: list[Recognition], tests: dict[str, EmbeddingSet]) -> None:
    rows = recognition_rows(recognitions, tests, np.ones(6, bool), 10)
    assert all("top_5" not in row[subset] for row in rows for subset in ("all", "detected", "intersection"))
    assert len(rows[0]["cmc"]) == 10


def test_quality_against_hand_made_errors(tests: dict[str, EmbeddingSet]) -> None:
    high = np.random.default_rng(0).integers(10, 246, (6, 16, 16, 3), dtype=np.uint8)
    images = {"hr": high, "bicubic": high + np.uint8(5), "srgan": high.copy()}
    rows = quality_rows(images, high, tests, np.array([True, True, True, False, False, False]))
    assert rows["bicubic"]["psnr_rgb"]["mean"] == pytest.approx(10 * np.log10(255**2 / 25))
    assert rows["srgan"]["psnr_rgb"]["mean"] == 100.0  # equal images: infinite, so it is capped
    assert rows["srgan"]["ssim_luma"]["mean"] == pytest.approx(1.0)
    assert rows["bicubic"]["detected"]["mean"] == pytest.approx(2 / 3)
    assert "psnr_rgb" not in rows["hr"]
