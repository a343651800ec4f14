"""The same faces at several camera levels: what a camera leaves of each, and whom a recognizer takes it for."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lrfr_tf.benchmarks.people_faces import NATIVE, Condition, is_inside, shrink_photo
from lrfr_tf.faces.frame import frame_face
from lrfr_tf.networks.super_resolution import SuperResolutionNetwork
from lrfr_tf.recognition.calibration import KNOWN
from lrfr_tf.recognition.face_crops import SQUARE_SCALE, FaceCutter, FoundFace, main_face_among, square_around
from lrfr_tf.recognition.identifier import Identifier
from lrfr_tf.sources.image_source import ImageSource
from lrfr_tf.sources.pictures import read_photos

NO_FACE, NOBODY = "no face found", "unknown"
RIGHT, WRONG = "right", "wrong name"
OUTCOMES = (RIGHT, WRONG, NOBODY, NO_FACE)
LONGEST_NAME = 32  # in the table
NATIVE_SIDE = 128  # of the picture of a face as it is, in pixels


@dataclasses.dataclass(frozen=True)
class ShownFace:
    """One face in one condition.

    Attributes:
        face: uint8 [S, S, 3], the square around it in the photo's own pixels; a native one is resized.
        enlarged: uint8 [H, H, 3], super-resolved; None of a native face.
        answer: a name, `NOBODY` or `NO_FACE`.
        score: the cosine with the best name; None where no face was found.
    """

    face: np.ndarray
    enlarged: np.ndarray | None
    answer: str
    score: float | None


@dataclasses.dataclass(frozen=True)
class ShownPhoto:
    """One photo: who is in it, and the face in every condition, first as it is."""

    name: str
    person: str
    shown: dict[Condition, ShownFace]

    def outcome(self, condition: Condition) -> str:
        """One of `OUTCOMES`."""
        answer = self.shown[condition].answer
        if answer in (NOBODY, NO_FACE):
            return answer
        return RIGHT if answer == self.person else WRONG


def show_photos(
    photos: Mapping[str, Sequence[str]],
    source: ImageSource,
    conditions: Sequence[Condition],
    finder: FaceCutter,
    *,
    identifier: Identifier,
    resolver: SuperResolutionNetwork,
    note: Callable[[str], None],
) -> list[ShownPhoto]:
    """Shrinks the photos in each condition, and asks the identifier about what is left.

    The identifier looks for the face itself. The squares shown are those around the place where it is.

    Args:
        photos: person -> names of photos in the source.
        conditions: see `people_faces.Condition`; a photo whose face is smaller is not enlarged, and left out.
        finder: finds the faces of the photos as they are; `identifier` those of what is left.
        resolver: enlarges the squares, after a resize to what it takes.
        note: told, in one sentence each, about photos that are left out.
    """
    made = []
    for person, names in photos.items():
        for picture in read_photos(source, names):
            if picture.pixels is None:
                note(str(picture.error))
                continue
            native, _ = main_face_among(finder.find([picture.pixels])[0], picture.pixels)
            if native is None or any(native.height < condition.height for condition in conditions):
                what = "no face" if native is None else "a face that is too small"
                note(f"{source.label(picture.name)} shows {what}, and is left out.")
                continue
            made.append(
                _show(
                    picture.name,
                    person,
                    picture.pixels,
                    native,
                    conditions=conditions,
                    identifier=identifier,
                    resolver=resolver,
                )
            )
    return made


def _show(
    name: str,
    person: str,
    photo: np.ndarray,
    native: FoundFace,
    *,
    conditions: Sequence[Condition],
    identifier: Identifier,
    resolver: SuperResolutionNetwork,
) -> ShownPhoto:
    face = frame_face(photo, native.box, SQUARE_SCALE, NATIVE_SIDE)
    shown = {NATIVE: ShownFace(face, None, *_answer(identifier, photo, native.box))}
    for condition in conditions:
        small, box = shrink_photo(photo, native, condition, name)
        side = square_around(box)[2]
        low = frame_face(small, box, SQUARE_SCALE, resolver.low_size)
        enlarged = resolver.super_resolve(low[None])[0]
        answer = _answer(identifier, small, box)
        shown[condition] = ShownFace(frame_face(small, box, SQUARE_SCALE, side), enlarged, *answer)
    return ShownPhoto(name, person, shown)


def _answer(identifier: Identifier, photo: np.ndarray, box: Sequence[float]) -> tuple[str, float | None]:
    """The name of the face at a place, and the score of its best one."""
    matches = [one.match for one in identifier.identify([photo])[0] if is_inside(one.face.box, box)]
    if not matches:
        return NO_FACE, None
    match = matches[0]
    return (str(match.name) if match.decision == KNOWN else NOBODY), match.score


def table_lines(photos: Sequence[ShownPhoto]) -> list[str]:
    """The names by condition: a line for each photo, then how many of each outcome there are."""
    conditions = list(photos[0].shown)
    headings = ["photo", *(how.name if how == NATIVE else f"{how.camera} {how.height} px" for how in conditions)]
    rows = []
    for photo in photos:
        cells = [photo.name if len(photo.name) <= LONGEST_NAME else f"{photo.name[: LONGEST_NAME - 1]}…"]
        for condition, shown in photo.shown.items():
            score = "" if shown.score is None else f" {shown.score:.2f}"
            mark = " ✗" if photo.outcome(condition) == WRONG else ""
            cells.append(f"{shown.answer}{score}{mark}")
        rows.append(cells)
    counts = [
        [f"{outcome}, of {len(photos)}"]
        + [str(sum(photo.outcome(condition) == outcome for photo in photos)) for condition in conditions]
        for outcome in OUTCOMES
    ]
    widths = [max(map(len, column)) for column in zip(headings, *rows, *counts, strict=True)]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()

    return [line(headings), *map(line, rows), "", *map(line, counts)]
