"""Source images -> the prepared tree that every later step reads.

<output>/{hr,lr}/<split>/<identity>/<image>.png      64 x 64 and 16 x 16, RGB
<output>/classes.json                                one class map for everything
<output>/photos.jsonl                                which photo became which face, see `data.tree_record`
<output>/manifest.json                               written last: a tree without it is not finished
"""

import dataclasses
import hashlib
import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from lrfr_tf.data.ambiguous_photos import AmbiguousPhotos
from lrfr_tf.data.bad_images import PUBLISHED, BadImages, Tolerance, check_bad_images, missing_images
from lrfr_tf.data.folders import write_classes
from lrfr_tf.data.splits import Split, SplitFile
from lrfr_tf.data.tree_record import RecordedPhoto, finish_tree, open_tree, read_record
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json
from lrfr_tf.images.decode import write_png
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import KERNEL
from lrfr_tf.plural import any_of
from lrfr_tf.printable import name_bytes
from lrfr_tf.resumable import manifest_before
from lrfr_tf.sources.image_source import ImageSource
from lrfr_tf.sources.pictures import read_photo

SCHEMA = 1
CHUNK = 32

# Names of images and the images, uint8 [H, W, 3] each -> for each its HR face, uint8 [S, S, 3], or None where there is
# no face.
FrameFaces = Callable[[Sequence[str], Sequence[np.ndarray]], list[np.ndarray | None]]

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Side lengths of the two copies, in pixels."""

    high: int = 64
    low: int = 16

    def __post_init__(self) -> None:
        if not 1 <= self.low <= self.high:
            raise UserError(
                f"`low_size`={self.low} and `high_size`={self.high} do not fit: LR faces have at least 1 pixel and are "
                "not larger than HR faces."
            )


def prepare_tree(
    source: ImageSource | dict[str, ImageSource],
    split: Split,
    frame_faces: FrameFaces,
    output: Path,
    *,
    sizes: Sizes,
    settings: dict[str, Any],
    missing: Sequence[str] = (),
    rivaled: AmbiguousPhotos | None = None,
    tolerance: Tolerance = PUBLISHED,
    note: Callable[[str], None] = _logger.info,
) -> dict[str, Any]:
    """Writes the tree, and returns its manifest.

    An interrupted run goes on where it stopped: finished images are kept. So are those of a finished tree to which
    photos are added. `settings` says how the faces were framed; a folder that was begun with other settings or of
    photos that are not there anymore is refused.

    Args:
        source: where the images are read; a dict gives one source for each split.
        split: of a tree that is there already as `earlier_files` keeps it.
        frame_faces: makes the HR faces.
        missing: images that a list names and the source lacks; they count as bad.
        rivaled: where `frame_faces` adds photos with another face about as large; the manifest names them.
        tolerance: how many images may be bad.
        note: told, in one sentence, what was added to the tree.

    Raises:
        UserError: other settings or photos, too many bad images (each is named in `bad_images.json`), or no image of
            a split left.
    """
    settings = {**settings, "sizes": dataclasses.asdict(sizes), "resize_kernel": KERNEL, "files": _fingerprint(split)}
    names = _target_names(split.files, read_record(output), isinstance(source, dict))
    photos = [
        RecordedPhoto(
            _recorded_name(file, isinstance(source, dict)),
            f"{file.split}/{file.identity}/{name}",
            _source_of(source, file).stamp(file.source),
        )
        for file, name in zip(split.files, names, strict=True)
    ]
    added = open_tree(output, settings, photos, lambda target: (output / "hr" / target).is_file(), note=note)
    if added is None:
        return read_json(output / "manifest.json")
    # Of two sources, one name may be of two photos: both are looked at again.
    no_face = [] if isinstance(source, dict) else list(manifest_before(output).get("images_without_face", ()))
    no_face = [name for name in no_face if name not in added]
    searched = set(no_face)
    pending = [
        (file, name)
        for file, name in zip(split.files, names, strict=True)
        if file.source not in searched and not _done(output, file, name)
    ]
    bad = missing_images(missing)
    progress = tqdm(total=len(split.files), initial=len(split.files) - len(pending), desc="prepare", unit="image")
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool, progress:
        for start in range(0, len(pending), CHUNK):
            chunk = pending[start : start + CHUNK]
            images = list(pool.map(lambda item: read_photo(_source_of(source, item[0]), item[0].source), chunk))
            readable = {i: image.pixels for i, image in enumerate(images) if image.pixels is not None}
            faces = frame_faces([chunk[i][0].source for i in readable], list(readable.values()))
            by_index = dict(zip(readable, faces, strict=True))
            for i, (file, _) in enumerate(chunk):
                if i not in by_index:
                    bad.append({"image": file.source, "reason": str(images[i].error)})
                elif by_index[i] is None:
                    no_face.append(file.source)
            found = [(file, name, by_index.get(i)) for i, (file, name) in enumerate(chunk)]
            list(pool.map(lambda item: _write(output, sizes, item[0], item[1], face=item[2]), found))
            progress.update(len(chunk))
    check_bad_images(output, bad, len(split.files) + len(missing), tolerance)
    return _finish(output, split, settings, bad, no_face=no_face, rivaled=rivaled)


def _finish(
    output: Path,
    split: Split,
    settings: dict[str, Any],
    bad: BadImages,
    *,
    no_face: list[str],
    rivaled: AmbiguousPhotos | None,
) -> dict[str, Any]:
    counts = {}
    for name in sorted({file.split for file in split.files}):
        counts[name] = len(list((output / "hr" / name).glob("*/[!.]*.png")))
        if counts[name] == 0:
            raise UserError(f"No face was found in {any_of(split.count(name), 'image')} of the {name} split.")
    write_classes(output, split.classes)
    manifest = {
        "schema": SCHEMA,
        "identities": len(split.classes),
        "images": counts,
        "dropped_identities": split.dropped,
        "bad_images": bad,
        "images_without_face": no_face,
        **settings,
    }
    return finish_tree(output, manifest, rivaled)


def _source_of(source: ImageSource | dict[str, ImageSource], file: SplitFile) -> ImageSource:
    return source[file.split] if isinstance(source, dict) else source


def _write(output: Path, sizes: Sizes, file: SplitFile, name: str, *, face: np.ndarray | None) -> None:
    if face is None:
        return
    # LR first: an image counts as done when its HR copy is there.
    write_png(_target(output, "lr", file, name), degrade(face[None], sizes.low)[0])
    write_png(_target(output, "hr", file, name), face)


def _done(output: Path, file: SplitFile, name: str) -> bool:
    return _target(output, "hr", file, name).is_file()


def _target(output: Path, kind: str, file: SplitFile, name: str) -> Path:
    return output / kind / file.split / file.identity / name


def earlier_files(output: Path, two_sources: bool = False) -> list[SplitFile]:
    """The photos that a tree was begun with, and where each went; none if there is no such tree."""
    files = []
    for photo in read_record(output).values():
        split, identity, _ = photo.target.split("/")
        files.append(SplitFile(photo.name.partition("/")[2] if two_sources else photo.name, split, identity))
    return files


def _recorded_name(file: SplitFile, two_sources: bool) -> str:
    """Of two sources, one name may be of two photos."""
    if not two_sources:
        return file.source
    return f"{'test' if file.split == 'test' else 'others'}/{file.source}"


def _target_names(files: Sequence[SplitFile], before: Mapping[str, RecordedPhoto], two_sources: bool) -> list[str]:
    """`<stem>.png`; where images of one identity share a stem, the whole source name, with "_" for "/".

    An image that the tree holds keeps its name.
    """
    keep = {file: before.get(_recorded_name(file, two_sources)) for file in files}
    kept = {photo.target for photo in keep.values() if photo is not None}
    shared = Counter((file.split, file.identity, Path(file.source).stem) for file in files)
    names = []
    for file in files:
        photo, stem = keep[file], Path(file.source).stem
        alone = shared[file.split, file.identity, stem] == 1
        if photo is not None and photo.target.rpartition("/")[0] == f"{file.split}/{file.identity}":
            names.append(photo.target.rpartition("/")[2])
        elif alone and f"{file.split}/{file.identity}/{stem}.png" not in kept:
            names.append(f"{stem}.png")
        else:
            names.append(f"{file.source.replace('/', '_')}.png")
    return names


def _fingerprint(split: Split) -> str:
    """A checksum of which source image goes where."""
    digest = hashlib.sha256()
    for file in split.files:
        digest.update(name_bytes(f"{file.split}\t{file.identity}\t{file.source}\n"))
    return digest.hexdigest()
