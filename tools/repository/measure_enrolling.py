"""Measures what enrolling warns of, on faces at hand; docs/enrolling.md holds the figures.

    python tools/repository/measure_enrolling.py

Which small faces are found, blur on the levels and accidents of the camera model, pictures that are copies of each
other, likeness, and turned heads. What becomes of whole photos is in measure_verdicts.py. The persons of CelebA are
those of the calibration half, on whom the limits were chosen; FRMDB is only measured.
"""

import dataclasses
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import lrfr_tf.quiet  # noqa: F401

import numpy as np
from PIL import Image

from lrfr_tf.config import option
from lrfr_tf.data.held_out import CALIBRATION, held_out_half
from lrfr_tf.errors import UserError
from lrfr_tf.faces.choose import only_main_face
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.faces.frame import cut_face
from lrfr_tf.faces.second_look import SecondLookDetector
from lrfr_tf.gallery.picture_hash import SAME, differing_bits, picture_hash
from lrfr_tf.gallery.pose import pose_of
from lrfr_tf.gallery.quality import EXTREME_TURN, own_least
from lrfr_tf.gallery.sharpness import BLURRED, blur_of
from lrfr_tf.images.camera import Camera
from lrfr_tf.images.camera_numpy import photograph
from lrfr_tf.main import run
from lrfr_tf.recognition.recognizer import GALLERY_THRESHOLDS, Recognizer, embed_faces
from lrfr_tf.sources.image_source import open_source
from lrfr_tf.sources.pictures import read_photos

ENROLLED = 5  # sharp photos that make a template
SIZES = (16, 24, 32, 48, 64, 96)
CAMERAS: dict[str, str | Camera] = {
    "clean": "clean",
    "moderate": "moderate",
    "harsh": "harsh",
    "defocus 0.7": Camera(defocus=(0.7, 0.7)),
    "defocus 1.0": Camera(defocus=(1.0, 1.0)),
    "defocus 1.5": Camera(defocus=(1.5, 1.5)),
    "motion 4": Camera(motion=(4.0, 4.0)),
    "noise 12": Camera(noise=(12.0, 12.0)),
    "defocus 2, noise 5": Camera(defocus=(2.0, 2.0), noise=(5.0, 5.0)),
    "defocus 2, noise 12": Camera(defocus=(2.0, 2.0), noise=(12.0, 12.0)),
    "defocus 2, JPEG 40": Camera(defocus=(2.0, 2.0), jpeg=(40, 40)),
}


@dataclasses.dataclass(frozen=True)
class Config:
    photos: str = option("datasets/celeba_30_each.zip", "photos of CelebA at full size")
    identities: str = option("datasets/celeba_30_each_identity.txt", "whom they show, in lines")
    cameras: str = option("datasets/frmdb_dev", "mugshots and camera photos of FRMDB")
    model: str = option("siamese", "the network whose likeness is measured")
    every: int = option(3, "blur and copies are measured on every n-th photo")


@dataclasses.dataclass(frozen=True)
class Found:
    """One photo, uint8 [H, W, 3], whom it shows, and the main face in it."""

    person: str
    name: str
    photo: np.ndarray
    box: np.ndarray
    landmarks: np.ndarray


def main(config: Config) -> None:
    lines = (line.split() for line in Path(config.identities).read_text(encoding="utf-8").splitlines())
    whose = {name: person for name, person in lines if held_out_half(person) == CALIBRATION}
    detector = FaceDetector(GALLERY_THRESHOLDS)
    faces = [face for face in find(Path(config.photos), lambda name: whose.get(Path(name).name), detector) if face]
    if not faces:
        raise UserError(f"{config.photos} holds no face of a calibration person.")
    print(f"{len(faces)} photos of {len({face.person for face in faces})} calibration persons")
    print_found(faces[1 :: config.every])
    print_blur(faces[1 :: config.every])
    print_copies(faces, config.every, detector)
    print_likeness(faces, Recognizer(config.model))
    print_turns("CelebA", [face.landmarks for face in faces], len(faces))
    taken = list(find(Path(config.cameras), lambda name: Path(name).stem, detector))
    for what in sorted(
        {Path(name).stem for name in open_source(Path(config.cameras)).names() if name.endswith(".jpg")}
    ):
        seen = [face for face in taken if face is not None and face.person == what]
        print_turns(f"FRMDB {what}", [face.landmarks for face in seen], len(seen))


def find(path: Path, person_of: Callable[[str], str | None], detector: FaceDetector) -> Iterator[Found | None]:
    """The main face in each photo of somebody; None where none is found."""
    source = open_source(path)
    names = sorted(name for name in source.names() if name.endswith(".jpg") and person_of(name))
    for picture in read_photos(source, names):
        person, photo = person_of(picture.name), picture.pixels
        if photo is None or person is None:
            continue
        main_face, _ = only_main_face(detector.detect([photo])[0], photo)
        yield (
            Found(person, picture.name, photo, main_face.boxes[0], main_face.landmarks[0]) if main_face.found else None
        )


def print_found(faces: list[Found]) -> None:
    """How many faces are found in photos that are shrunk, and in how many pictures without a face there is one."""
    detector = SecondLookDetector(GALLERY_THRESHOLDS)
    for height in (8, 10, 12, 14, 16, 20, 24):
        factors = [height / float(face.box[3] - face.box[1]) for face in faces]
        photos = [scaled(face.photo, factor) for face, factor in zip(faces, factors, strict=True)]
        right = 0
        for face, factor, photo, found in zip(faces, factors, photos, detector.detect(photos), strict=True):
            main_face, _ = only_main_face(found, photo)
            right += main_face.found and bool(np.abs(main_face.boxes[0] - factor * face.box).max() < height / 2)
        print(f"found at {height} px: {right / len(faces):.1%} of {len(faces)}")
    pictures = [*without_faces()]
    wrong = sum(found.found for found in detector.detect(pictures))
    print(f"pictures without a face: a face is found in {wrong} of {len(pictures)}")


def without_faces() -> Iterator[np.ndarray]:
    """Pictures of scikit-image that show no face, and parts of them as large as a head crop."""
    from skimage import data

    random = np.random.default_rng(0)
    for name in ("brick", "cat", "clock", "coffee", "coins", "grass", "gravel", "horse", "moon", "page", "rocket"):
        picture = getattr(data, name)()
        levels = 255 * picture.astype(np.uint8) if picture.dtype == bool else picture
        whole = Image.fromarray(levels).convert("RGB")
        for factor in (1.0, 0.5, 0.25):
            smaller = whole.resize((round(whole.width * factor), round(whole.height * factor)))
            yield np.asarray(smaller)
            for _ in range(10):
                side = min(*smaller.size, int(random.integers(30, 120)))
                left = int(random.integers(0, smaller.width - side + 1))
                top = int(random.integers(0, smaller.height - side + 1))
                yield np.asarray(smaller.crop((left, top, left + side, top + side)))


def print_blur(faces: list[Found]) -> None:
    """The median blur, and the share of photos that are called blurred, of each size and camera."""
    for size in SIZES:
        cells = []
        for name, camera in CAMERAS.items():
            blurs = []
            for seed, face in enumerate(faces):
                crop, width = square(face)
                if len(crop) >= size:
                    left = size * (1 - width) / 2
                    blurs.append(blur_of(photograph(crop, size, camera, seed), (left, 0, size - left, size)))
            cells.append(f"{name} {np.median(blurs):.2f} ({np.mean(np.array(blurs) >= BLURRED):.0%})")
        print(f"blur at {size} px, {len(blurs)} photos: {', '.join(cells)}")


def square(face: Found) -> tuple[np.ndarray, float]:
    """The square as high as the face, mirrored at the edges of the photo, and the face's width as a share of it."""
    x1, y1, x2, y2 = face.box
    side, margin = round(float(y2 - y1)), 40
    left, top = round(float(x1 + x2 - side) / 2) + margin, round(float(y1 + y2 - side) / 2) + margin
    padded = np.pad(face.photo, ((margin, margin), (margin, margin), (0, 0)), "reflect")
    return padded[top : top + side, left : left + side], float((x2 - x1) / (y2 - y1))


def print_copies(faces: list[Found], every: int, detector: FaceDetector) -> None:
    """How many copies are known again, and how many photos of one person and of two are taken for copies."""
    copies: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "JPEG 50": lambda photo: as_jpeg(photo, 50),
        "half the size": lambda photo: scaled(photo, 0.5),
        "a third, JPEG 70": lambda photo: as_jpeg(scaled(photo, 0.33), 70),
        "brighter": lambda photo: np.clip(photo * 1.2 + 10, 0, 255).astype(np.uint8),
        "cropped by 10 px": lambda photo: photo[10:, 6:],
    }
    hashes = [picture_hash(face.photo, face.box.tolist()) for face in faces]
    for name, copy in copies.items():
        known = []
        for face, original in list(zip(faces, hashes, strict=True))[::every]:
            photo = np.ascontiguousarray(copy(face.photo))
            main_face, _ = only_main_face(detector.detect([photo])[0], photo)
            if main_face.found:
                known.append(differing_bits(original, picture_hash(photo, main_face.boxes[0].tolist())) <= SAME)
        print(f"copies, {name}: {np.mean(known):.1%} of {len(known)} known again")
    counts = {True: [0, 0], False: [0, 0]}
    for at, face in enumerate(faces):
        for other, other_hash in zip(faces[:at], hashes, strict=False):
            count = counts[face.person == other.person]
            count[0] += 1
            count[1] += differing_bits(hashes[at], other_hash) <= SAME
    print(f"photos of one person: {counts[True][1]} of {counts[True][0]} pairs, of two: {counts[False][1]} of "
          f"{counts[False][0]}")  # fmt: skip


def print_likeness(faces: list[Found], recognizer: Recognizer) -> None:
    """How many photos of a person, and how many of others, are called unlike that person by five sharp photos."""
    if recognizer.strangers is None:
        raise UserError(f"{recognizer.embedder.name} has no calibration.")
    crops = [cut_face(face.photo, face.landmarks, recognizer.cutter.template, recognizer.cutter.size) for face in faces]
    persons = np.array([face.person for face in faces])
    people = sorted(set(persons))
    first = np.concatenate([np.flatnonzero(persons == person)[:ENROLLED] for person in people])
    sharp = embed_faces(recognizer.embedder, [crops[row] for row in first])
    means = np.stack([sharp[persons[first] == person].mean(axis=0) for person in people])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    rest = np.setdiff1d(np.arange(len(faces)), first)
    right = persons[rest][:, None] == np.array(people)[None, :]
    for level in ("clean", "moderate"):
        for size in (12, 16, 24, 32, 64):
            small = [photograph(crops[row], size, level, seed) for seed, row in enumerate(rest)]
            least = own_least(recognizer.strangers, size)
            unlike = embed_faces(recognizer.embedder, small) @ means.T < least
            print(f"unlike the person, {size} px, {level}: {unlike[right].mean():.1%} of {right.sum()} photos of the "
                  f"person, {unlike[~right].mean():.1%} of {(~right).sum()} of others, below {least:.3f}")  # fmt: skip


def print_turns(name: str, landmarks: list[np.ndarray], count: int) -> None:
    """How far the heads are turned."""
    turns = np.array([pose_of(points).turn for points in landmarks])
    quartiles = ", ".join(f"{value:.0f}" for value in np.percentile(turns, [5, 50, 95]))
    extreme = np.mean(turns >= EXTREME_TURN)
    print(f"turn, {name}: {count} faces, 5 / 50 / 95 %: {quartiles} degrees; {extreme:.1%} extreme")


def as_jpeg(photo: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


def scaled(photo: np.ndarray, factor: float) -> np.ndarray:
    height, width = (round(side * factor) for side in photo.shape[:2])
    return np.array(Image.fromarray(photo).resize((width, height), Image.Resampling.BICUBIC))


if __name__ == "__main__":
    run(main, Config)
