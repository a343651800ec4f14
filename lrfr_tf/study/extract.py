"""Faces of a tree -> embeddings on disk: detect, crop, embed, one shard after another.

Memory does not grow with the data set: one shard (1,024 faces) is held at a time, and a finished shard is never
computed again.
"""

import dataclasses
import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from lrfr_tf.data.embeddings import (
    SCHEMA,
    SHARD_SIZE,
    EmbeddingSet,
    read_manifest,
    read_shard,
    shard_path,
    write_shard,
)
from lrfr_tf.data.face_cache import load_faces
from lrfr_tf.data.folders import FaceFile, list_faces, read_classes, write_classes
from lrfr_tf.data.tree_record import people_in_words
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import ALIGNED_SIZE
from lrfr_tf.faces.choose import only_main_face
from lrfr_tf.faces.detect import Detection, FaceDetector
from lrfr_tf.faces.frame import cut_face
from lrfr_tf.files import read_json, sha256
from lrfr_tf.networks.embedding import Embedder
from lrfr_tf.printable import name_bytes
from lrfr_tf.resumable import GROWN_FROM
from lrfr_tf.study.grown_embeddings import EarlierRows, merged, open_embeddings, take_the_place

# What is embedded when the detector finds nothing: nothing, the whole image, or the face where it is in the HR image.
POLICIES = ("miss", "whole", "hr_box")
# How a face is cut out: the detector's box, or the square in which the landmarks lie on a template.
CROP_CHOICES = ("box", "aligned")

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Extraction:
    """How faces are found, cropped and embedded: aligned where there is a `template`, else cut out at their box.

    Aligned faces are squares of `embedder.aligned_size` pixels.
    """

    detector: FaceDetector
    embedder: Embedder
    policy: str
    detector_settings: dict
    template: str | None = None


def extract_tree(
    images: Path,
    splits: Sequence[str],
    classes: list[str],
    how: Extraction,
    *,
    output: Path,
    hr_output: Path | None,
    note: Callable[[str], None] = _logger.info,
) -> list[str]:
    """Embeds every image of `<images>/<split>/<identity>/` into `<output>` (see `lrfr_tf.data.embeddings`).

    Where `output` holds embeddings of the same tree before photos were added to it, only those are embedded.

    Args:
        images: the tree of one method, such as `<data>/hr`.
        classes: the shared class map.
        hr_output: the finished embeddings of the HR images of the same tree; needed by the policy "hr_box".
        note: told, in one sentence, what was added.

    Returns:
        The images, `<split>/<identity>/<image>`, that show another face about as large as the one embedded; those of
        shards that were finished before are not looked at again.

    Raises:
        UserError: a split is missing, an identity is not in the class map, or `output` was begun with other settings.
    """
    faces = {split: list_faces(images, split) for split in splits}
    source, grown_from = _source(images)
    manifest: dict[str, Any] = {
        "schema": SCHEMA,
        "images": str(images.resolve()),
        "source": source,
        "embedder": how.embedder.name,
        "dimensions": how.embedder.dimensions,
        "detector": how.detector_settings,
        "policy": how.policy,
        "splits": {
            split: {
                "images": len(files),
                "shards": -(-len(files) // SHARD_SIZE),
                "paths_sha256": hashlib.sha256(name_bytes("\n".join(file.path for file in files))).hexdigest(),
            }
            for split, files in faces.items()
        },
    }
    if how.template is not None:
        manifest["aligned"] = {"template": how.template, "size": how.embedder.aligned_size}
    shards_in = open_embeddings(output, manifest, grown_from)
    if shards_in != output:
        before = read_manifest(output)["splits"]
        photos = sum(split["images"] for split in manifest["splits"].values()) - sum(
            split["images"] for split in before.values()
        )
        note(f"{images}: {people_in_words(len(set(classes) - set(read_classes(output))), photos)}.")
    write_classes(shards_in, classes)
    label_of = {name: index for index, name in enumerate(classes)}
    with_rival = []
    for split, files in faces.items():
        unknown = {file.identity for file in files} - label_of.keys()
        if unknown:
            raise UserError(f"{images / split} holds {sorted(unknown)[0]!r}, which is not in the class map.")
        earlier = EarlierRows(output, split) if shards_in != output else None
        with tqdm(total=len(files), desc=f"embed {images.name} {split}", unit="face") as progress:
            for index in range(manifest["splits"][split]["shards"]):
                part = files[index * SHARD_SIZE : (index + 1) * SHARD_SIZE]
                if not shard_path(shards_in, split, index).is_file():
                    hr_rows = read_shard(shard_path(hr_output, split, index)) if hr_output is not None else None
                    rows, rivaled = _embed_new(
                        images / split, part, label_of, how, hr_rows=hr_rows, progress=progress, earlier=earlier
                    )
                    write_shard(shard_path(shards_in, split, index), rows)
                    with_rival += [f"{split}/{path}" for path in rivaled]
                else:
                    progress.update(len(part))
    if shards_in != output:
        take_the_place(output, splits)
    return with_rival


def _embed_new(
    folder: Path,
    files: list[FaceFile],
    label_of: dict[str, int],
    how: Extraction,
    *,
    hr_rows: EmbeddingSet | None,
    progress: tqdm,
    earlier: EarlierRows | None,
) -> tuple[EmbeddingSet, list[str]]:
    """`_embed_part`, but what was embedded before is taken from there."""
    new = [row for row, file in enumerate(files) if earlier is None or file.path not in earlier]
    if earlier is None or len(new) == len(files):
        return _embed_part(folder, files, label_of, how, hr_rows=hr_rows, progress=progress)
    parts = earlier.rows([file.path for file in files if file.path in earlier])
    progress.update(len(parts))
    rivaled: list[str] = []
    if new:
        hr_part = None if hr_rows is None else hr_rows.rows(np.array(new))
        rows, rivaled = _embed_part(
            folder, [files[row] for row in new], label_of, how, hr_rows=hr_part, progress=progress
        )
        parts.append(rows)
    return merged([file.path for file in files], [label_of[file.identity] for file in files], parts), rivaled


def choose_crops(
    images: np.ndarray,
    detections: Sequence[Detection],
    policy: str,
    hr_places: np.ndarray | None,
    *,
    template: str | None = None,
    size: int = ALIGNED_SIZE,
) -> tuple[list[np.ndarray | None], list[str]]:
    """The crop to embed of each image, and how it was chosen.

    Args:
        images: uint8 [N, S, S, 3].
        detections: of each image the one face that is meant, or none.
        hr_places: what was found in the HR images, for the policy "hr_box", NaN where nothing was: boxes float32
            [N, 4], or with a template landmarks float32 [N, 5, 2].
        template: lay the landmarks of a face on this template of `lrfr_tf.faces.align`; None cuts out its box.
        size: side of an aligned face in pixels.

    Returns:
        (uint8 crops of any size, None for a miss; "detected", "whole", "hr_box" or "miss").
    """
    crops: list[np.ndarray | None] = []
    chosen: list[str] = []
    for index, (image, detection) in enumerate(zip(images, detections, strict=True)):
        if detection.found:
            place = detection.boxes[0] if template is None else detection.landmarks[0]
            crops.append(cut_face(image, place, template, size))
            chosen.append("detected")
        elif policy == "whole":
            crops.append(image)
            chosen.append("whole")
        elif policy == "hr_box" and hr_places is not None and not np.isnan(hr_places[index]).any():
            crops.append(cut_face(image, hr_places[index], template, size))
            chosen.append("hr_box")
        else:
            crops.append(None)
            chosen.append("miss")
    return crops, chosen


def _embed_part(
    folder: Path,
    files: list[FaceFile],
    label_of: dict[str, int],
    how: Extraction,
    *,
    hr_rows: EmbeddingSet | None,
    progress: tqdm,
) -> tuple[EmbeddingSet, list[str]]:
    """The embeddings, and the images that show another face about as large."""
    images = load_faces(folder, files)
    meant = [only_main_face(*found) for found in zip(how.detector.detect(list(images)), images, strict=True)]
    detections = [detection for detection, _ in meant]
    hr_places = None
    if hr_rows is not None:
        hr_places = hr_rows.boxes if how.template is None else hr_rows.landmarks
    crops, chosen = choose_crops(
        images, detections, how.policy, hr_places, template=how.template, size=how.embedder.aligned_size
    )
    faces = {row: face for row, face in enumerate(crops) if face is not None}
    progress.update(len(files) - len(faces))
    kept = list(faces)
    embeddings = np.zeros((len(files), how.embedder.dimensions), np.float32)
    for start in range(0, len(kept), how.embedder.batch_size):
        rows = kept[start : start + how.embedder.batch_size]
        embeddings[rows] = how.embedder.embed([faces[row] for row in rows])
        progress.update(len(rows))
    boxes = np.full((len(files), 4), np.nan, np.float32)
    landmarks = np.full((len(files), 5, 2), np.nan, np.float32)
    scores = np.zeros(len(files), np.float32)
    for row, detection in enumerate(detections):
        if detection.found:
            boxes[row] = detection.boxes[0]
            landmarks[row] = detection.landmarks[0]
            scores[row] = detection.scores[0]
    embedded = EmbeddingSet(
        paths=[file.path for file in files],
        labels=np.array([label_of[file.identity] for file in files], np.int64),
        embeddings=embeddings,
        detected=np.array([detection.found for detection in detections]),
        usable=np.array([face is not None for face in crops]),
        boxes=boxes,
        landmarks=landmarks,
        scores=scores,
        crops=chosen,
    )
    return embedded, [file.path for file, (_, rivaled) in zip(files, meant, strict=True) if rivaled]


def _source(images: Path) -> tuple[str, list[str]]:
    """The checksum of the manifest that the images came with (another model, or other framing, changes it), and those
    of its manifests before images were added.

    Raises:
        UserError: the folder was begun by tools/super_resolve.py and is not finished.
    """
    if (images / "settings.json").is_file() and not (images / "manifest.json").is_file():
        raise UserError(f"{images} is not finished; run the same lrfr super-resolve command again.")
    for folder in (images, images.parent):
        if (folder / "manifest.json").is_file():
            return sha256(folder / "manifest.json"), read_json(folder / "manifest.json").get(GROWN_FROM, [])
    return "", []
