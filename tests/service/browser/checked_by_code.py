"""A gallery with something to find for each part of the check: 33 persons, whose embeddings are made up."""

from pathlib import Path

import numpy as np

from lrfr_tf.gallery import edit
from lrfr_tf.gallery.face_pictures import FacePicture
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.references import Reference
from lrfr_tf.recognition.recognizer import Recognizer
from tests.faces_by_code import person

DIMENSIONS = 192
# How far photos of one person lie around the person, against the length 1; and those of some persons.
NEAR, FAR = 0.3, 1.4
LOOSE = range(20, 25)
NAMES = [f"person {number:02d}" for number in range(30)]
TWINS = ("Ann", "Anne")  # one person, enrolled twice
SINGLE = "Solo"


def write_checked(path: Path, recognizer: Recognizer, portrait: np.ndarray) -> None:
    random = np.random.default_rng(5)
    with Gallery.create(path, recognizer, purpose="to test the check") as gallery:
        faces = {name: _unit(random.standard_normal(DIMENSIONS)) for name in (*NAMES, SINGLE, TWINS[0])}
        faces[TWINS[1]] = faces[TWINS[0]]
        for number, (name, face) in enumerate(faces.items()):
            count = 1 if name == SINGLE else 3
            heights = [20.0] + [70.0] * (count - 1) if number < 4 else [70.0] * count
            ids = edit.add(
                gallery.store,
                name,
                [
                    Reference(
                        _unit(face + (FAR if number in LOOSE else NEAR) * _unit(random.standard_normal(DIMENSIONS))),
                        height,
                        picture=_picture(portrait, number, photo),
                    )
                    for photo, height in enumerate(heights)
                ],
            )
            if number == 9:
                edit.set_aside(gallery.store, ids[0], "the hat hides the face")


def _picture(portrait: np.ndarray, number: int, photo: int) -> bytes:
    return FacePicture(person(portrait, number, photo, 48), (8.0, 8.0, 40.0, 40.0), None).encoded()


def _unit(vector: np.ndarray) -> np.ndarray:
    return (vector / np.linalg.norm(vector)).astype(np.float32)
