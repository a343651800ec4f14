"""Measures what enrolling says of good photos of the right person, by face height and camera; see docs/enrolling.md.

    python tools/repository/measure_verdicts.py

Whole photos are taken anew as a camera does from further away, so that faces are found, measured and compared as
`lrfr gallery enroll` does it. The persons are those of the calibration half of CelebA; each is a template of five sharp
photos, and all of them together the gallery. Photos that are taken for copies of one another as they are do not count.
"""

import dataclasses
from collections import Counter
from pathlib import Path

import lrfr_tf.quiet  # noqa: F401

import numpy as np

from lrfr_tf.config import option
from lrfr_tf.data.held_out import CALIBRATION, held_out_half
from lrfr_tf.errors import UserError
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.faces.frame import cut_face
from lrfr_tf.gallery.picture_hash import is_same_picture, picture_hash
from lrfr_tf.gallery.quality import (
    REJECTED,
    VERDICTS,
    Compared,
    Judgement,
    Measured,
    judge,
    judge_missing,
    measure,
    own_least,
)
from lrfr_tf.images.camera_numpy import photograph
from lrfr_tf.main import run
from lrfr_tf.recognition.calibration import DecisionRule
from lrfr_tf.recognition.face_crops import main_face_among
from lrfr_tf.recognition.recognizer import GALLERY_THRESHOLDS, Recognizer, embed_faces
from tools.repository.measure_enrolling import ENROLLED, Found, find

AT_ONCE = 64  # photos
LIKENESS = ("like_another_person", "unlike_the_person")


@dataclasses.dataclass(frozen=True)
class Config:
    photos: str = option("datasets/celeba_30_each.zip", "photos of CelebA at full size")
    identities: str = option("datasets/celeba_30_each_identity.txt", "whom they show, in lines")
    people: str = option("datasets/celeba_people.zip", "photos of further persons, <person>/<photo>")
    model: str = option("siamese", "the network whose likeness is measured")
    heights: tuple[int, ...] = option((12, 16, 24, 32, 40), "of the faces, in pixels")
    cameras: tuple[str, ...] = option(("clean", "moderate", "harsh"), "levels of the camera model")
    most: int = option(4, "photos of one person that are asked about, beside those of the template", at_least=1)


@dataclasses.dataclass(frozen=True)
class Persons:
    """The gallery: whose templates they are, float32 [P, D]; the hashes of their photos; and the photos to ask about.

    Each photo to ask about comes with the number of its person.
    """

    templates: np.ndarray
    hashes: list[tuple[int, ...]]
    asked: list[tuple[int, Found]]


def main(config: Config) -> None:
    recognizer = Recognizer(config.model)
    if recognizer.strangers is None:
        raise UserError(f"{recognizer.embedder.name} has no calibration.")
    persons = enrolled(faces_of(config), recognizer, config.most)
    print(f"{len(persons.templates)} persons of {ENROLLED} photos each, {len(persons.asked)} photos asked about")
    for camera in config.cameras:
        for height in config.heights:
            print_verdicts(persons, recognizer, camera, height)


def faces_of(config: Config) -> list[Found]:
    """The main faces of all photos of calibration persons."""
    lines = (line.split() for line in Path(config.identities).read_text(encoding="utf-8").splitlines())
    whose = {name: person for name, person in lines if held_out_half(person) == CALIBRATION}
    detector = FaceDetector(GALLERY_THRESHOLDS)

    def person_of(name: str) -> str | None:
        person = Path(name).parent.name
        return person if held_out_half(person) == CALIBRATION else None

    found = [*find(Path(config.photos), lambda name: whose.get(Path(name).name), detector)]
    found += find(Path(config.people), person_of, detector)
    return [face for face in found if face is not None]


def enrolled(faces: list[Found], recognizer: Recognizer, most: int) -> Persons:
    """A template for each person of whom photos are left to ask about."""
    templates: list[np.ndarray] = []
    hashes, asked = [], []
    for person in sorted({face.person for face in faces}):
        own: dict[int, Found] = {}
        for face in (face for face in faces if face.person == person):
            number = picture_hash(face.photo, face.box.tolist())
            if not is_same_picture(number, tuple(own)):
                own[number] = face
        first = list(own)[:ENROLLED]
        if len(own) <= ENROLLED:
            continue
        cutter = recognizer.cutter
        crops = [cut_face(own[one].photo, own[one].landmarks, cutter.template, cutter.size) for one in first]
        mean = embed_faces(recognizer.embedder, crops).mean(axis=0)
        asked += [(len(templates), face) for face in list(own.values())[ENROLLED : ENROLLED + most]]
        templates.append(mean / np.linalg.norm(mean))
        hashes.append(tuple(first))
    return Persons(np.stack(templates), hashes, asked)


def print_verdicts(persons: Persons, recognizer: Recognizer, camera: str, height: int) -> None:
    """How many photos of one height and camera are refused and doubted, and for what."""
    whose, taken = [], []
    for seed, (person, face) in enumerate(persons.asked):
        if face.box[3] - face.box[1] >= height:
            whose.append(person)
            taken.append(from_further_away(face, height, camera, seed))
    judged, own, others, copies = [], [], [], 0
    hashes = [list(some) for some in persons.hashes]
    for start in range(0, len(taken), AT_ONCE):
        for person, measured, embedding in looked_at(taken, whose, start, recognizer):
            if measured is None or embedding is None:
                judged.append(judge_missing("no_face"))
                continue
            scores = persons.templates @ embedding
            judged.append(verdict(measured, scores, person, recognizer))
            own.append(scores[person])
            others.append(np.delete(scores, person))
            copies += is_same_picture(measured.picture_hash, hashes[person])
            hashes[person].append(measured.picture_hash)
    codes = Counter(code for one in judged for code in one.codes)
    said = ", ".join(f"{code} {codes[code] / len(judged):.1%}" for code in VERDICTS if codes[code])
    refused = np.mean([one.verdict == REJECTED for one in judged])
    doubted = np.mean([bool(set(one.codes) & set(LIKENESS)) for one in judged])
    lowest = ", ".join(f"{share:.0%} {np.quantile(own, share):.3f}" for share in (0.01, 0.02, 0.05, 0.1))
    highest = ", ".join(f"{share:.0%} {np.quantile(others, 1 - share):.3f}" for share in (0.01, 0.03, 0.1, 0.2, 0.3))
    print(
        f"{camera}, {height} px: {len(judged)} photos, refused {refused:.1%}, whose likeness is doubted {doubted:.1%}; "
        f"{said}; taken for a copy {copies / len(judged):.1%}\n"
        f"    least scores with the own person: {lowest}; highest with others: {highest}",
        flush=True,
    )


def from_further_away(face: Found, height: int, camera: str, seed: int) -> np.ndarray:
    """The largest square of a photo that holds its face about in the middle, until the face is so high."""
    rows, columns = face.photo.shape[:2]
    side = min(rows, columns)
    left = int(np.clip(round(float(face.box[0] + face.box[2] - side) / 2), 0, columns - side))
    top = int(np.clip(round(float(face.box[1] + face.box[3] - side) / 2), 0, rows - side))
    small = max(height, round(side * height / float(face.box[3] - face.box[1])))
    return photograph(face.photo[top : top + side, left : left + side], small, camera, seed, misplaced=False)


def looked_at(
    taken: list[np.ndarray], whose: list[int], start: int, recognizer: Recognizer
) -> list[tuple[int, Measured | None, np.ndarray | None]]:
    """Some photos as enrolling sees them: the person, and of the face what is measured and its embedding."""
    photos = taken[start : start + AT_ONCE]
    meant = [
        main_face_among(faces, photo)[0] for faces, photo in zip(recognizer.enroller.find(photos), photos, strict=True)
    ]
    embeddings = iter(recognizer.embed([face for face in meant if face is not None]))
    return [
        (person, None, None)
        if face is None
        else (person, measure(photo, face.box, face.landmarks, face.detection_score), next(embeddings))
        for person, face, photo in zip(whose[start : start + AT_ONCE], meant, photos, strict=True)
    ]


def verdict(measured: Measured, scores: np.ndarray, person: int, recognizer: Recognizer) -> Judgement:
    """What becomes of a photo of a person at the level "standard", the copies of pictures aside."""
    others = np.where(np.arange(len(scores)) == person, -1.0, scores)
    compared = Compared(
        own_similarity=float(scores[person]),
        other=str(others.argmax()),
        other_similarity=float(others.max()),
        threshold=DecisionRule().threshold_for(recognizer.strangers, len(scores)).score,
        own_least=own_least(recognizer.strangers, measured.height),
    )
    return judge(measured, compared)


if __name__ == "__main__":
    run(main, Config)
