"""Each doubt about a photo means what the table says, at each level."""

import dataclasses

import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.stranger_tail import fit_stranger_tail
from lrfr_tf.faces.choose import AMBIGUOUS_HEIGHT
from lrfr_tf.gallery.quality import (
    ACCEPTED,
    LEVELS,
    REJECTED,
    RIVAL,
    VERDICTS,
    WARNING,
    Compared,
    Measured,
    judge,
    judge_missing,
    measure,
    own_least,
    summary,
)
from lrfr_tf.gallery.sharpness import BLURRED
from tests.faces_by_code import FACE_BOX
from tests.faces_of_dots import landmarks_at

GOOD = Measured(height=80.0, detection_score=0.99, blur=0.4, pose=5.0, picture_hash=0b1010)
ALONE = Compared()
# One photo for each code that a face can have.
DOUBTS = {
    "face_too_small": (dataclasses.replace(GOOD, height=7.9), ALONE),
    "small": (dataclasses.replace(GOOD, height=31.9), ALONE),
    "blurred": (dataclasses.replace(GOOD, blur=BLURRED), ALONE),
    "extreme_pose": (dataclasses.replace(GOOD, pose=45.0), ALONE),
    "several_faces": (GOOD, Compared(rival=0.7)),
    "duplicate": (GOOD, Compared(same_bytes=True)),
    "unlike_the_person": (GOOD, Compared(own_similarity=0.2, threshold=0.5)),
    "like_another_person": (GOOD, Compared(other="Anna", other_similarity=0.5, threshold=0.5)),
}
# The table, typed by hand.
EXPECTED = {
    "unreadable": "RRR", "no_face": "RRR", "face_too_small": "WRR", "several_faces": "AWR", "small": "AWR",
    "blurred": "AWR", "extreme_pose": "AWR", "duplicate": "ARR", "unlike_the_person": "AWR",
    "like_another_person": "AWR",
}  # fmt: skip
LETTERS = {"A": ACCEPTED, "W": WARNING, "R": REJECTED}


def test_the_table_is_whole() -> None:
    assert set(VERDICTS) == set(EXPECTED) == {*DOUBTS, "unreadable", "no_face"}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("code", EXPECTED)
def test_a_code_means_what_the_table_says(code: str, level: str) -> None:
    if code in DOUBTS:
        judgement = judge(*DOUBTS[code], level)
    else:
        judgement = judge_missing(code, level)
    expected = LETTERS[EXPECTED[code][LEVELS.index(level)]]
    assert judgement.verdict == expected
    assert judgement.codes == (() if expected == ACCEPTED else (code,))
    if expected != ACCEPTED:
        assert judgement.findings[0].verdict == expected
        assert judgement.sentence.endswith(".")


@pytest.mark.parametrize("level", LEVELS)
def test_a_good_photo_is_accepted_without_a_word(level: str) -> None:
    compared = Compared(
        rival=0.69, hashes=(2**63 - 1,), own_similarity=0.5, other="Anna", other_similarity=0.49, threshold=0.5
    )
    judgement = judge(GOOD, compared, level)
    assert (judgement.verdict, judgement.codes, judgement.sentence) == (ACCEPTED, (), "")


@pytest.mark.parametrize("height", [8.0, 16.0, 31.0])
def test_small_faces_are_not_refused(height: float) -> None:
    assert judge(dataclasses.replace(GOOD, height=height), ALONE).verdict == WARNING
    assert judge(dataclasses.replace(GOOD, height=32.0), ALONE).verdict == ACCEPTED


@pytest.mark.parametrize(("height", "said"), [(31.7, "31 pixels high; below 32"), (7.9, "7 pixels high; below 8")])
def test_no_face_is_said_to_be_as_high_as_it_should_be(height: float, said: str) -> None:
    assert said in judge(dataclasses.replace(GOOD, height=height), ALONE).sentence


def test_the_worst_finding_decides_and_comes_first() -> None:
    measured = dataclasses.replace(GOOD, height=20.0, blur=0.9)
    judgement = judge(measured, Compared(same_bytes=True, rival=1.2))
    assert judgement.verdict == REJECTED
    assert judgement.codes == ("duplicate", "several_faces", "blurred", "small")
    assert judgement.sentence == judgement.findings[0].sentence


def test_the_same_picture_is_a_duplicate_and_says_that_it_is_there() -> None:
    judgement = judge(GOOD, Compared(hashes=(0, GOOD.picture_hash ^ 0b1)))
    assert judgement.codes == ("duplicate",)
    assert "already" in judgement.sentence


def test_who_else_it_may_be_is_named_with_the_score() -> None:
    finding = judge(GOOD, Compared(other="Anna", other_similarity=0.612, threshold=0.5)).findings[0]
    assert finding.figures == {"name": "Anna", "score": 0.612, "threshold": 0.5}
    assert "Anna" in finding.sentence
    assert "0.612" in finding.sentence


def test_photos_of_a_person_need_less_than_a_name_where_that_is_known() -> None:
    compared = Compared(own_similarity=0.4, threshold=0.5, own_least=0.3)
    assert judge(GOOD, compared).verdict == ACCEPTED
    assert judge(GOOD, dataclasses.replace(compared, own_similarity=0.29)).codes == ("unlike_the_person",)


def test_one_of_a_hundred_strangers_is_as_alike_as_a_photo_must_be() -> None:
    scores = np.random.default_rng(0).normal(0, 0.1, (80, 80))
    tail = fit_stranger_tail(scores, np.arange(80), np.arange(80), resamples=20)
    least = own_least({"one": tail})
    assert least == pytest.approx(np.quantile(scores[~np.eye(80, dtype=bool)], 0.99), abs=0.02)
    assert own_least({"one": tail}, 200.0) == least
    assert own_least(None) is None


def test_small_faces_may_be_less_like_their_person() -> None:
    scores = np.random.default_rng(0).normal(0, 0.1, (80, 80))
    strangers = {"one": fit_stranger_tail(scores, np.arange(80), np.arange(80), resamples=20)}
    limits = [own_least(strangers, height) for height in (0.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0, 32.0)]
    assert limits == sorted(limits)  # type: ignore[type-var]
    others = scores[~np.eye(80, dtype=bool)]
    for height, share in ((8.0, 0.3), (16.0, 0.16), (24.0, 0.0316)):
        assert own_least(strangers, height) == pytest.approx(np.quantile(others, 1 - share), abs=0.02)


def test_nothing_is_held_against_a_photo_that_nobody_can_know() -> None:
    assert judge(dataclasses.replace(GOOD, pose=None), Compared(own_similarity=-1.0), "strict").verdict == ACCEPTED
    assert judge(GOOD, Compared(other="Anna", other_similarity=1.0), "strict").verdict == ACCEPTED


def test_another_large_face_is_what_it_is_everywhere_else() -> None:
    assert RIVAL == AMBIGUOUS_HEIGHT


def test_other_levels_and_codes_are_refused() -> None:
    with pytest.raises(UserError, match="'lax'"):
        judge(GOOD, ALONE, "lax")
    with pytest.raises(ValueError, match="unreadable or no_face"):
        judge_missing("small")


def test_a_face_is_measured_in_its_own_pixels(portrait: np.ndarray) -> None:
    left, top, right, bottom = FACE_BOX
    points = landmarks_at(((left + right) / 2, (top + bottom) / 2))
    measured = measure(portrait, FACE_BOX, points, 0.9)
    assert measured.height == bottom - top
    assert measured.detection_score == 0.9
    assert 0 < measured.blur < BLURRED
    assert measured.pose is not None
    assert measured.pose < 15
    assert judge(measured, ALONE, "strict").verdict == ACCEPTED
    assert measure(portrait, FACE_BOX).pose is None


def test_a_box_that_reaches_over_the_edge_is_measured_as_far_as_the_picture_goes(portrait: np.ndarray) -> None:
    left, top, right, bottom = FACE_BOX
    face = portrait[top:bottom, left:right]
    inside = measure(face, (0, 0, right - left, bottom - top))
    over = measure(face, (-0.01, -0.01, right - left + 0.01, bottom - top + 0.01))
    assert over.blur == inside.blur
    assert over.picture_hash == inside.picture_hash


def test_what_is_no_face_is_not_measured(portrait: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        measure(portrait.astype(np.float32), FACE_BOX)
    with pytest.raises(ValueError, match="does not lie"):
        measure(portrait[:10], FACE_BOX)


def test_the_summary_counts_by_verdict_and_code() -> None:
    judged = [judge(*DOUBTS["small"]), judge(*DOUBTS["small"]), judge(GOOD, ALONE), judge(*DOUBTS["duplicate"])]
    assert summary((one.verdict, one.codes) for one in judged) == [
        "accepted: 1",
        "accepted_with_warning: 2 (small 2)",
        "rejected: 1 (duplicate 1)",
    ]
