"""Is a photo good enough to be kept as a reference? Each gets a verdict, with a code and a sentence for every doubt.

Small faces are what this project is for: none is refused at the level "standard" for being small, unless it is so small
that nobody can be told from it. What each doubt means at each level is the table `VERDICTS`.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.picture_hash import is_same_picture, picture_hash
from lrfr_tf.gallery.pose import pose_of
from lrfr_tf.gallery.sharpness import BLURRED, blur_of
from lrfr_tf.recognition.calibration import DecisionRule, Strangers

LIKE_ANOTHER = "like_another_person"
LEVELS = ("off", "standard", "strict")
ACCEPTED, WARNING, REJECTED = "accepted", "accepted_with_warning", "rejected"

# What a code means at each level, the most serious codes first. A code that is accepted at a level is not mentioned.
VERDICTS: Mapping[str, tuple[str, str, str]] = {
    "unreadable": (REJECTED, REJECTED, REJECTED),
    "no_face": (REJECTED, REJECTED, REJECTED),
    "duplicate": (ACCEPTED, REJECTED, REJECTED),  # is there already, and not stored twice
    "face_too_small": (WARNING, REJECTED, REJECTED),
    "like_another_person": (ACCEPTED, WARNING, REJECTED),
    "unlike_the_person": (ACCEPTED, WARNING, REJECTED),
    "several_faces": (ACCEPTED, WARNING, REJECTED),
    "blurred": (ACCEPTED, WARNING, REJECTED),
    "extreme_pose": (ACCEPTED, WARNING, REJECTED),
    "small": (ACCEPTED, WARNING, REJECTED),
}

TOO_SMALL, SMALL = 8.0, 32.0  # pixels of the photo that the face is high
RIVAL = 0.7  # of the height of the main face, as in lrfr_tf.faces.choose
EXTREME_TURN = 45.0  # degrees away from the camera
# A photo that is less like its person than so many strangers would be is doubted. Small faces are less like their own
# person, so that of 24 pixels it is 3 %, of 16 pixels 16 %; docs/enrolling.md says what that finds.
OWN_RATE, SURE_HEIGHT, HIGHEST_OWN_RATE = 0.01, 32.0, 0.3


@dataclasses.dataclass(frozen=True)
class Measured:
    """What the pixels of one face say.

    Attributes:
        height: of the face, in pixels of the photo.
        detection_score: 0 to 1, or None.
        blur: 0 (sharp) to 1; see `lrfr_tf.gallery.sharpness`.
        pose: degrees that the face is turned away from the camera, 0 (frontal) to 180; None without landmarks.
        picture_hash: 63 bits; see `lrfr_tf.gallery.picture_hash`.
        yaw, pitch: the same turn, in degrees to the viewer's right and up; None without landmarks.
    """

    height: float
    detection_score: float | None
    blur: float
    pose: float | None
    picture_hash: int
    yaw: float | None = None
    pitch: float | None = None


@dataclasses.dataclass(frozen=True)
class Compared:
    """How a photo stands to the others, its own and those of the gallery.

    Attributes:
        rival: height of the largest other face of the photo, as a share of this one's; 0: there is none.
        same_bytes: a reference of this person is the same file.
        hashes: the picture hashes of the person's references.
        own_similarity: cosine with the person's template so far; None: this is the first photo.
        other: the name of the most alike other person; None: there is none.
        other_similarity: cosine with that one's template.
        threshold: score from which on the gallery gives a name; None: nobody knows.
        own_least: the least cosine of a photo that is not `unlike_the_person`, such as `own_least` gives; None:
            `threshold`, which a small face may well miss.
    """

    rival: float = 0.0
    same_bytes: bool = False
    hashes: tuple[int, ...] = ()
    own_similarity: float | None = None
    other: str | None = None
    other_similarity: float | None = None
    threshold: float | None = None
    own_least: float | None = None


@dataclasses.dataclass(frozen=True)
class Finding:
    """One doubt about a photo.

    Attributes:
        code: a key of `VERDICTS`.
        verdict: what it means at the level that was asked for.
        sentence: the same for people.
        figures: what was measured and what it was held against.
    """

    code: str
    verdict: str
    sentence: str
    figures: Mapping[str, float | str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What becomes of a photo: ACCEPTED, WARNING or REJECTED, and why; the most serious finding comes first."""

    verdict: str
    findings: tuple[Finding, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(finding.code for finding in self.findings)

    @property
    def sentence(self) -> str:
        """Of the most serious finding; empty where there is none."""
        return self.findings[0].sentence if self.findings else ""


def measure(
    face: np.ndarray, box: Sequence[float], landmarks: np.ndarray | None = None, detection_score: float | None = None
) -> Measured:
    """Measures a face in its own pixels.

    Args:
        face: uint8 [H, W, 3], the face and what lies around it, neither enlarged nor shrunk.
        box: (x1, y1, x2, y2) of the face, in pixels of `face`; what lies outside of it does not count.
        landmarks: float [5, 2], in pixels of `face`; None: nobody looked for them.
        detection_score: how sure the detector was, 0 to 1.

    Raises:
        ValueError: the face is not uint8 [H, W, 3], or no part of the box lies in it.
    """
    if face.dtype != np.uint8 or face.ndim != 3 or face.shape[2] != 3:
        raise ValueError(f"A face is uint8 [H, W, 3], not {face.dtype} {list(face.shape)}.")
    height, width = face.shape[:2]
    x1, y1, x2, y2 = inside = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], width), min(box[3], height))
    if not (x1 < x2 and y1 < y2):
        raise ValueError(f"The box {tuple(box)} does not lie in a picture of {width} x {height} pixels.")
    pose = None if landmarks is None else pose_of(landmarks)
    return Measured(
        height=float(box[3] - box[1]),
        detection_score=detection_score,
        blur=blur_of(face, inside),
        pose=None if pose is None else pose.turn,
        picture_hash=picture_hash(face, inside),
        yaw=None if pose is None else pose.yaw,
        pitch=None if pose is None else pose.pitch,
    )


def own_least(strangers: Strangers | None, height: float = SURE_HEIGHT) -> float | None:
    """The least cosine with its person of a photo that is not `unlike_the_person`.

    Args:
        strangers: the calibration; None: there is none, and no answer.
        height: of the smaller one of the faces that are compared, in pixels; from 32 on, one of a hundred strangers is
            as alike.
    """
    if strangers is None:
        return None
    rate = min(HIGHEST_OWN_RATE, OWN_RATE * max(1.0, SURE_HEIGHT / max(height, 1.0)) ** 4)
    return DecisionRule(far=rate).threshold_for(strangers, 1).score


def judge(measured: Measured, compared: Compared, level: str = "standard") -> Judgement:
    """What becomes of a photo at one of `LEVELS`.

    Raises:
        UserError: there is no such level.
    """
    doubts = [
        _duplicate(measured, compared),
        _size(measured),
        _like_another_person(compared),
        _unlike_the_person(compared),
        _several_faces(compared),
        _blurred(measured),
        _extreme_pose(measured),
    ]
    return _at_level([doubt for doubt in doubts if doubt is not None], level)


def judge_missing(code: str, level: str = "standard") -> Judgement:
    """The judgement of a photo without a face to measure: "unreadable" or "no_face".

    Raises:
        UserError: there is no such level.
        ValueError: another code.
    """
    sentences = {"unreadable": "The file cannot be read as a picture.", "no_face": "No face is found in the photo."}
    if code not in sentences:
        raise ValueError(f"A photo without a face is {' or '.join(sentences)}, not {code!r}.")
    return _at_level([Finding(code, ACCEPTED, sentences[code])], level)


def summary(judgements: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """How many photos got each verdict, and how many of those each code, in lines; the most serious codes first.

    Args:
        judgements: the verdict and the codes of each photo.
    """
    verdicts: Counter[str] = Counter()
    codes: dict[str, Counter[str]] = {verdict: Counter() for verdict in (ACCEPTED, WARNING, REJECTED)}
    for verdict, found in judgements:
        verdicts[verdict] += 1
        codes[verdict].update(set(found))
    lines = []
    for verdict in (ACCEPTED, WARNING, REJECTED):
        listed = ", ".join(f"{code} {codes[verdict][code]:,}" for code in VERDICTS if codes[verdict][code])
        lines.append(f"{verdict}: {verdicts[verdict]:,}" + (f" ({listed})" if listed else ""))
    return lines


def _at_level(doubts: Iterable[Finding], level: str) -> Judgement:
    if level not in LEVELS:
        raise UserError(f"There is no level {level!r} of quality, only {', '.join(LEVELS)}.")
    column, codes = LEVELS.index(level), list(VERDICTS)
    found = [dataclasses.replace(doubt, verdict=VERDICTS[doubt.code][column]) for doubt in doubts]
    seriousness = (REJECTED, WARNING)
    kept = sorted(
        (finding for finding in found if finding.verdict in seriousness),
        key=lambda finding: (seriousness.index(finding.verdict), codes.index(finding.code)),
    )
    return Judgement(kept[0].verdict if kept else ACCEPTED, tuple(kept))


def _duplicate(measured: Measured, compared: Compared) -> Finding | None:
    if compared.same_bytes:
        return Finding("duplicate", ACCEPTED, "The same file is a reference of this person already.")
    if is_same_picture(measured.picture_hash, compared.hashes):
        return Finding("duplicate", ACCEPTED, "The same picture, if not the same file, is a reference already.")
    return None


def _size(measured: Measured) -> Finding | None:
    height = measured.height
    if height < TOO_SMALL:
        sentence = f"The face is {int(height)} pixels high; below {TOO_SMALL:.0f} nobody can be told from it."
        return Finding("face_too_small", ACCEPTED, sentence, {"height": height, "least": TOO_SMALL})
    if height < SMALL:
        sentence = (
            f"The face is {int(height)} pixels high; below {SMALL:.0f} a reference recognizes its person less often."
        )
        return Finding("small", ACCEPTED, sentence, {"height": height, "least": SMALL})
    return None


def _like_another_person(compared: Compared) -> Finding | None:
    name, score, least = compared.other, compared.other_similarity, compared.threshold
    if name is None or score is None or least is None or score < least:
        return None
    sentence = sentence_about(name, score, least)
    return Finding(LIKE_ANOTHER, ACCEPTED, sentence, {"name": name, "score": score, "threshold": least})


def sentence_about(name: str, score: float, least: float) -> str:
    """What is said of a face that would get another's name, the one sentence that holds a name."""
    return f"The face would be taken for {name}: their similarity is {score:z.3f}, and a name needs {least:.3f}."


def _unlike_the_person(compared: Compared) -> Finding | None:
    least = compared.own_least if compared.own_least is not None else compared.threshold
    score = compared.own_similarity
    if score is None or least is None or score >= least:
        return None
    sentence = f"The face is not like the person's other photos: their similarity is {score:z.3f}, below {least:.3f}."
    return Finding("unlike_the_person", ACCEPTED, sentence, {"score": score, "least": least})


def _several_faces(compared: Compared) -> Finding | None:
    if compared.rival < RIVAL:
        return None
    sentence = f"The photo shows another face, {compared.rival:.1f} times as high as the one that is taken."
    return Finding("several_faces", ACCEPTED, sentence, {"rival": compared.rival, "least": RIVAL})


def _blurred(measured: Measured) -> Finding | None:
    if measured.blur < BLURRED:
        return None
    sentence = f"The face is blurred: {measured.blur:.2f} on a scale from 0 to 1, where {BLURRED:.2f} is too much."
    return Finding("blurred", ACCEPTED, sentence, {"blur": measured.blur, "most": BLURRED})


def _extreme_pose(measured: Measured) -> Finding | None:
    if measured.pose is None or measured.pose < EXTREME_TURN:
        return None
    sentence = f"The face is turned {measured.pose:.0f} degrees away from the camera; {EXTREME_TURN:.0f} is too much."
    return Finding("extreme_pose", ACCEPTED, sentence, {"turn": measured.pose, "most": EXTREME_TURN})
