"""Photos -> a tree of aligned faces, `<output>/<identity>/<image>.jpg` and `manifest.json`; see `data.aligned`."""

import dataclasses
import hashlib
import logging
import os
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from lrfr_tf.data.aligned import find_face_files
from lrfr_tf.data.aligned_source import FindLandmarks, Selection
from lrfr_tf.data.ambiguous_photos import AmbiguousPhotos
from lrfr_tf.data.bad_images import PUBLISHED, BadImages, Tolerance, check_bad_images, missing_images
from lrfr_tf.data.folders import sorted_names
from lrfr_tf.data.tree_record import RecordedPhoto, finish_tree, open_tree, read_record
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import ALIGNED_SIZE, align_face
from lrfr_tf.files import atomic_file, read_json
from lrfr_tf.images.resize import resize
from lrfr_tf.plural import any_of, counted
from lrfr_tf.printable import name_bytes
from lrfr_tf.resumable import manifest_before
from lrfr_tf.sources.image_source import ImageSource
from lrfr_tf.sources.pictures import Picture, read_photo

SCHEMA = 1
DELIVERED = "as delivered"  # in the place of a template, where faces were aligned by others
JPEG_QUALITY = 95
# Photos that are decoded together; enough for every thread, and still little memory where photos are large.
PHOTOS_PER_THREAD, LEAST_PHOTOS = 8, 64

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Framing:
    """How a photo becomes a face.

    Attributes:
        template, left_margin, margin: see `lrfr_tf.faces.align.align_face`.
        size: of a face in pixels, without margins.
        photo_size: (height, width) to which photos are resized before anything else, or None.
    """

    template: str = "lai"
    left_margin: int = 0
    size: int = ALIGNED_SIZE
    margin: int = 0
    photo_size: tuple[int, int] | None = None


def prepare_aligned_tree(
    source: ImageSource,
    selection: Selection,
    find_landmarks: FindLandmarks | None,
    output: Path,
    *,
    framing: Framing,
    settings: dict[str, Any],
    workers: int | None = None,
    rivaled: AmbiguousPhotos | None = None,
    tolerance: Tolerance = PUBLISHED,
    note: Callable[[str], None] = _logger.info,
) -> dict[str, Any]:
    """Writes the tree, and returns its manifest.

    An interrupted run goes on where it stopped: finished faces are kept. So are those of a finished tree to which
    photos are added. Threads do the work: decoding, warping and encoding happen outside of Python's lock.

    Args:
        find_landmarks: None if the photos are aligned already; they are then only resized, and margins are black.
        settings: where the photos and landmarks come from; a folder that was begun with others is refused.
        workers: number of threads; None takes one for each core.
        rivaled: where `find_landmarks` adds photos with another face about as large; the manifest names them.
        tolerance: how many photos may be bad.
        note: told, in one sentence, what was added to the tree.

    Raises:
        UserError: other settings or photos, too many bad photos (each is named in `bad_images.json`), or no face at
            all.
    """
    settings = {
        **settings,
        "template": framing.template if find_landmarks is not None else DELIVERED,
        "size": framing.size,
        "left_margin": framing.left_margin,
        "margin": framing.margin,
        "photo_size": list(framing.photo_size) if framing.photo_size else None,
        "jpeg_quality": JPEG_QUALITY,
        "files": _fingerprint(selection),
    }
    targets = _targets(selection.images, read_record(output))
    recorded = [RecordedPhoto(name, target, source.stamp(name)) for name, target in targets.items()]
    added = open_tree(output, settings, recorded, lambda target: (output / target).is_file(), note=note)
    if added is None:
        return read_json(output / "manifest.json")
    done = find_face_files(output)
    searched = set(manifest_before(output).get("images_without_landmarks", ())) - added
    pending = [name for name, target in targets.items() if target not in done and name not in searched]
    bad = missing_images(selection.missing)
    no_face = [*selection.without_landmarks, *(name for name in targets if name in searched)]
    workers = workers or os.cpu_count() or 1
    together = max(LEAST_PHOTOS, PHOTOS_PER_THREAD * workers)

    def read(name: str) -> Picture:
        photo = read_photo(source, name)
        if photo.pixels is None or framing.photo_size is None:
            return photo
        return dataclasses.replace(photo, pixels=resize(photo.pixels, *framing.photo_size))

    def write(item: tuple[str, np.ndarray, np.ndarray | None]) -> dict[str, str] | None:
        name, photo, landmarks = item
        try:
            _write_jpeg(output / targets[name], _frame(photo, landmarks, framing))
        except ValueError as error:  # five landmarks on one point, or not numbers
            return {"image": name, "reason": str(error)}
        return None

    progress = tqdm(total=len(targets), initial=len(targets) - len(pending), desc="align", unit="image")
    with ThreadPoolExecutor(max_workers=workers) as pool, progress:
        for start in range(0, len(pending), together):
            names = pending[start : start + together]
            pictures = list(pool.map(read, names))
            bad += [{"image": photo.name, "reason": str(photo.error)} for photo in pictures if photo.pixels is None]
            photos = {photo.name: photo.pixels for photo in pictures if photo.pixels is not None}
            found: list[np.ndarray | None] = [None] * len(photos)
            if find_landmarks is not None:
                found = find_landmarks(list(photos), list(photos.values()))
                no_face += [name for name, points in zip(photos, found, strict=True) if points is None]
            items = [
                (name, photo, points)
                for (name, photo), points in zip(photos.items(), found, strict=True)
                if points is not None or find_landmarks is None
            ]
            bad += filter(None, pool.map(write, items))
            progress.update(len(names))
    bad, total = sorted(bad, key=lambda item: item["image"]), len(targets) + len(selection.missing)
    check_bad_images(output, bad, total, tolerance)
    return _finish(output, selection, total, settings, bad=bad, no_face=no_face, rivaled=rivaled)


def describe(output: str, manifest: dict[str, Any]) -> str:
    """What a run made and what it left out, in two lines."""
    return (
        f"{output}: {counted(manifest['images'], 'face')} of "
        f"{counted(manifest['identities'], 'identity', 'identities')}\n"
        f"left out {counted(len(manifest['excluded_identities']), 'identity', 'identities')} and "
        f"{counted(len(manifest['images_without_landmarks']), 'photo')} without landmarks; "
        f"{counted(len(manifest['bad_images']), 'bad image')}"
    )


def source_fingerprint(path: Path) -> str:
    """A checksum of a zip's table of contents (names, sizes, CRC-32), which takes a second for 40 GB; or "folder"."""
    if path.is_dir():
        return "folder"
    digest = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            digest.update(name_bytes(f"{entry.filename}\t{entry.file_size}\t{entry.CRC}\n"))
    return digest.hexdigest()


def _frame(photo: np.ndarray, landmarks: np.ndarray | None, framing: Framing) -> np.ndarray:
    if landmarks is not None:
        return align_face(
            photo,
            landmarks,
            template=framing.template,
            size=framing.size,
            left_margin=framing.left_margin,
            margin=framing.margin,
        )
    own = (framing.margin, framing.margin)
    sides = (own, (framing.left_margin + framing.margin, framing.margin), (0, 0))
    return np.pad(resize(photo, framing.size, framing.size), sides)


def _write_jpeg(path: Path, image: np.ndarray) -> None:
    try:
        with atomic_file(path) as temporary:
            Image.fromarray(image).save(temporary, format="JPEG", quality=JPEG_QUALITY)
    except OSError as error:
        # Not the photo's fault: no further face could be written either.
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from None


def _finish(
    output: Path,
    selection: Selection,
    total: int,
    settings: dict[str, Any],
    *,
    bad: BadImages,
    no_face: list[str],
    rivaled: AmbiguousPhotos | None,
) -> dict[str, Any]:
    faces = Counter(target.split("/")[0] for target in find_face_files(output))
    if not faces:
        raise UserError(f"No face was found in {any_of(total, 'image')}.")
    manifest = {
        "schema": SCHEMA,
        "images": faces.total(),
        "identities": len(faces),
        "images_per_identity": {name: faces[name] for name in sorted_names(faces)},
        "excluded_identities": list(selection.excluded),
        "images_without_landmarks": sorted(no_face),
        "bad_images": bad,
        **settings,
    }
    return finish_tree(output, manifest, rivaled)


def _targets(images: dict[str, list[str]], before: Mapping[str, RecordedPhoto] | None = None) -> dict[str, str]:
    """Photo -> `<identity>/<stem>.jpg`; where photos of one identity share a stem, the whole name, "_" for "/".

    A photo whose face is in the tree already keeps its name.
    """
    before = before or {}
    kept = {photo.target for photo in before.values()}
    targets = {}
    for identity in sorted_names(images):
        stems = Counter(Path(name).stem for name in images[identity])
        for name in sorted(images[identity]):
            stem = Path(name).stem
            if name in before and before[name].identity == identity:
                targets[name] = before[name].target
            elif stems[stem] == 1 and f"{identity}/{stem}.jpg" not in kept:
                targets[name] = f"{identity}/{stem}.jpg"
            else:
                targets[name] = f"{identity}/{name.replace('/', '_')}.jpg"
    return targets


def _fingerprint(selection: Selection) -> str:
    """A checksum of which photo goes where."""
    digest = hashlib.sha256()
    for name, target in _targets(selection.images).items():
        digest.update(name_bytes(f"{name}\t{target}\n"))
    return digest.hexdigest()
