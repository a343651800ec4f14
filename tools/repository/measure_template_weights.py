"""Measures how much a person's references should count by the height of their faces, on the calibration persons.

    python tools/repository/measure_template_weights.py

Each person is a template of some sharp and some small references; small probes of other photos are compared with all
templates. For each rule the share of probes that reach, with their own person, the score that one of a thousand
comparisons with another person reaches.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import lrfr_tf.quiet  # noqa: F401

import numpy as np
from tqdm import tqdm

from lrfr_tf.config import option
from lrfr_tf.data.held_out import CALIBRATION, held_out_half
from lrfr_tf.images.camera_numpy import photograph
from lrfr_tf.main import run
from lrfr_tf.recognition.recognizer import Recognizer, embed_faces
from lrfr_tf.sources.image_source import images_by_identity, open_source
from lrfr_tf.sources.pictures import read_photos

ENROLLED, ASKED = 5, 2  # photos of a person that are references, and that are asked about
SHARP = 96.0  # the height that a face as it is stands for
SIZES = (12, 16, 24)
FAR = 0.001
RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "all the same": lambda heights: np.ones_like(heights),
    "height, up to 24": lambda heights: np.minimum(heights, 24),
    "height, up to 32": lambda heights: np.minimum(heights, 32),
    "height, up to 64": lambda heights: np.minimum(heights, 64),
    "height": lambda heights: heights,
    "height squared, up to 32": lambda heights: np.minimum(heights, 32) ** 2,
    "sharp ones only": lambda heights: (heights >= 32) + 1e-6,
}


@dataclasses.dataclass(frozen=True)
class Config:
    people: str = option("datasets/celeba_people.zip", "photos, <person>/<photo>")
    model: str = option("siamese", "the network")
    camera: str = option("moderate", "how small faces become small: a level of lrfr_tf.images.camera")


def main(config: Config) -> None:
    faces = aligned_faces(config)
    by_size = {SHARP: [face for person in faces for face in person]}
    for small_size in map(float, SIZES):
        by_size[small_size] = [
            photograph(face, int(small_size), config.camera, seed) for seed, face in enumerate(by_size[SHARP])
        ]
    recognizer = Recognizer(config.model)
    shape = (len(faces), ENROLLED + ASKED, -1)
    embeddings = {}
    for size, some in by_size.items():
        embeddings[size] = embed_faces(recognizer.embedder, some).reshape(shape)
    print(f"{len(faces)} persons, {config.camera}; share of probes recognized at a FAR of {FAR:.1%}")
    for small in (0, 1, 2, 4):
        for size in map(float, SIZES if small else SIZES[:1]):
            heights = np.array([SHARP] * (ENROLLED - small) + [size] * small)
            references = np.stack(
                [embeddings[height][:, place] for place, height in enumerate(heights)], axis=1
            )  # [persons, ENROLLED, D]
            for rule, weigh in RULES.items():
                print(f"{ENROLLED - small} sharp, {small} of {size:.0f} px: {rule:<26}" + recognized(
                    references, weigh(heights), embeddings))  # fmt: skip


def recognized(references: np.ndarray, weights: np.ndarray, embeddings: dict[float, np.ndarray]) -> str:
    """The share of probes of each size that are recognized, as a piece of a line."""
    templates = (references * weights[:, None]).sum(axis=1)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    persons = len(templates)
    shares = []
    for size, all_of_size in embeddings.items():
        probes = all_of_size[:, ENROLLED:].reshape(persons * ASKED, -1)
        scores = probes @ templates.T
        own = scores[np.arange(len(probes)), np.repeat(np.arange(persons), ASKED)]
        others = scores[np.repeat(np.arange(persons), ASKED)[:, None] != np.arange(persons)]
        shares.append(f"{size:>4.0f} px {100 * (own >= np.quantile(others, 1 - FAR)).mean():>5.1f}")
    return "  ".join(shares)


def aligned_faces(config: Config) -> list[list[np.ndarray]]:
    """Of each calibration person with enough photos the aligned faces, uint8 [S, S, 3]."""
    source = open_source(Path(config.people))
    recognizer = Recognizer(config.model)
    found = []
    photos = {
        person: names for person, names in images_by_identity(source).items() if held_out_half(person) == CALIBRATION
    }
    for names in tqdm(photos.values(), unit="person"):
        some = [picture.pixels for picture in read_photos(source, names[: ENROLLED + ASKED + 2])]
        faces = recognizer.enroller.find([pixels for pixels in some if pixels is not None])
        single = [one[0].pixels for one in faces if len(one) == 1]
        if len(single) >= ENROLLED + ASKED:
            found.append(single[: ENROLLED + ASKED])
    return found


if __name__ == "__main__":
    run(main, Config)
