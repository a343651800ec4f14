"""Source images -> the prepared tree that every later step reads.

<output>/{hr,lr}/<split>/<identity>/<image>.png      64 x 64 and 16 x 16, RGB
<output>/classes.json                                one class map for everything
<output>/manifest.json                               written last: a tree without it is not finished
"""

import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from lrfr_tf.config import versions
from lrfr_tf.data.ambiguous_photos import AmbiguousPhotos
from lrfr_tf.data.folders import write_classes
from lrfr_tf.data.splits import Split, SplitFile
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.images.decode import decode_image, write_png
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import KERNEL
from lrfr_tf.resumable import open_folder
from lrfr_tf.sources.image_source import ImageSource

SCHEMA = 1
CHUNK = 32
LARGEST_BAD_SHARE = 0.01

# Names of images and the images, uint8 [H, W, 3] each -> for each its HR face, uint8 [S, S, 3], or None where there is
# no face.
FrameFaces = Callable[[Sequence[str], Sequence[np.ndarray]], list[np.ndarray | None]]


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Side lengths of the two copies, in pixels."""

    high: int = 64
    low: int = 16

    def __post_init__(self) -> None:
        if not 1 <= self.low <= self.high:
            raise UserError(
                f"--low_size={self.low} and --high_size={self.high} do not fit: LR faces have at least 1 pixel and are "
                "not larger than HR faces."
            )


def prepare_tree(
    source: ImageSource | dict[str, ImageSource],
    split: Split,
    frame_faces: FrameFaces,
    output: Path,
    sizes: Sizes,
    settings: dict[str, Any],
    missing: Sequence[str] = (),
    rivaled: AmbiguousPhotos | None = None,
) -> dict[str, Any]:
    """Writes the tree, and returns its manifest.

    An interrupted run goes on where it stopped: finished images are kept. `settings` says how the faces were framed;
    a folder that was begun with other settings or sources is refused.

    Args:
        source: where the images are read; a dict gives one source for each split.
        frame_faces: makes the HR faces.
        missing: images that a list names and the source lacks; they count as bad.
        rivaled: where `frame_faces` adds photos with another face about as large; the manifest names them.

    Raises:
        UserError: other settings, more than 1 % bad images (each is named in `bad_images.json`), or no image of a
            split left.
    """
    settings = {**settings, "sizes": dataclasses.asdict(sizes), "resize_kernel": KERNEL, "files": _fingerprint(split)}
    open_folder(output, settings)
    if (output / "manifest.json").is_file():
        return read_json(output / "manifest.json")
    for part in output.rglob(".part-*"):  # files that a killed run had begun
        part.unlink()
    names = _target_names(split.files)
    pending = [(file, name) for file, name in zip(split.files, names, strict=True) if not _done(output, file, name)]
    bad = [{"image": name, "reason": "it is in the list and not among the images"} for name in missing]
    no_face: list[str] = []
    progress = tqdm(total=len(split.files), initial=len(split.files) - len(pending), desc="prepare", unit="image")
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool, progress:
        for start in range(0, len(pending), CHUNK):
            chunk = pending[start : start + CHUNK]
            images = list(pool.map(lambda item: _read(_source_of(source, item[0]), item[0].source), chunk))
            readable = {i: image for i, image in enumerate(images) if isinstance(image, np.ndarray)}
            faces = frame_faces([chunk[i][0].source for i in readable], list(readable.values()))
            by_index = dict(zip(readable, faces, strict=True))
            for i, (file, _) in enumerate(chunk):
                if i not in by_index:
                    bad.append({"image": file.source, "reason": str(images[i])})
                elif by_index[i] is None:
                    no_face.append(file.source)
            found = [(file, name, by_index.get(i)) for i, (file, name) in enumerate(chunk)]
            list(pool.map(lambda item: _write(output, sizes, *item), found))
            progress.update(len(chunk))
    return _finish(output, split, len(split.files) + len(missing), settings, bad, no_face, rivaled)


def _finish(
    output: Path,
    split: Split,
    total: int,
    settings: dict[str, Any],
    bad: list[dict[str, str]],
    no_face: list[str],
    rivaled: AmbiguousPhotos | None,
) -> dict[str, Any]:
    (output / "bad_images.json").unlink(missing_ok=True)
    if bad:
        write_json(output / "bad_images.json", bad)
    if len(bad) > LARGEST_BAD_SHARE * total:
        raise UserError(
            f"{len(bad)} of {total} images are missing or cannot be read (more than {LARGEST_BAD_SHARE:.0%}), for "
            f"example {bad[0]['image']}: {bad[0]['reason'].rstrip('.')}; all are named in {output / 'bad_images.json'}."
        )
    counts = {}
    for name in sorted({file.split for file in split.files}):
        counts[name] = len(list((output / "hr" / name).glob("*/[!.]*.png")))
        if counts[name] == 0:
            raise UserError(f"No face was found in any of the {split.count(name)} images of the {name} split.")
    write_classes(output, split.classes)
    manifest = {
        "schema": SCHEMA,
        "identities": len(split.classes),
        "images": counts,
        "dropped_identities": split.dropped,
        "bad_images": bad,
        "images_without_face": no_face,
        **({} if rivaled is None else {"images_with_rival": rivaled.names()}),
        **settings,
        "versions": versions(),
    }
    write_json(output / "manifest.json", manifest)
    if rivaled is not None:
        rivaled.forget()
    return manifest


def _source_of(source: ImageSource | dict[str, ImageSource], file: SplitFile) -> ImageSource:
    return source[file.split] if isinstance(source, dict) else source


def _read(source: ImageSource, name: str) -> np.ndarray | UserError:
    """The decoded image, or the error that says what is wrong with it."""
    try:
        return decode_image(source.read(name), source.label(name))
    except UserError as error:
        return error


def _write(output: Path, sizes: Sizes, file: SplitFile, name: str, face: np.ndarray | None) -> None:
    if face is None:
        return
    # LR first: an image counts as done when its HR copy is there.
    write_png(_target(output, "lr", file, name), degrade(face[None], sizes.low)[0])
    write_png(_target(output, "hr", file, name), face)


def _done(output: Path, file: SplitFile, name: str) -> bool:
    return _target(output, "hr", file, name).is_file()


def _target(output: Path, kind: str, file: SplitFile, name: str) -> Path:
    return output / kind / file.split / file.identity / name


def _target_names(files: Sequence[SplitFile]) -> list[str]:
    """`<stem>.png`; where images of one identity share a stem, the whole source name, with "_" for "/"."""
    shared = Counter((file.split, file.identity, Path(file.source).stem) for file in files)
    return [
        f"{Path(file.source).stem}.png"
        if shared[(file.split, file.identity, Path(file.source).stem)] == 1
        else f"{file.source.replace('/', '_')}.png"
        for file in files
    ]


def _fingerprint(split: Split) -> str:
    """A checksum of which source image goes where."""
    digest = hashlib.sha256()
    for file in split.files:
        digest.update(f"{file.split}\t{file.identity}\t{file.source}\n".encode())
    return digest.hexdigest()
