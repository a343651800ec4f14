"""Verifies faces at low resolution: image 1 of a pair as it is, image 2 at 8, 12, 16 and 20 pixels and as it is.

    python tools/evaluate_lfw.py --model=saved_models/siamese --data=Datasets/lfw --pairs=Datasets/lfw/pairs.txt \\
        --landmarks=Datasets/lfw/LFW.csv --output=runs/lfw/siamese.json

--data is LFW, or any folder or zip of <person>/<photo> with a list of tools/make_pairs.py. Beside the result lie two
pictures, result.accuracy.png and result.roc.png.
"""

import dataclasses
import time
from pathlib import Path
from typing import Any

from lrfr_tf.benchmarks.benchmark_result import benchmark_result, embedder_of, template_to_measure
from lrfr_tf.benchmarks.lfw import draw_lfw, lfw_lines, protocol, verify_at_sizes
from lrfr_tf.benchmarks.lfw_protocol import differences
from lrfr_tf.benchmarks.photo_landmarks import photo_landmarks
from lrfr_tf.config import option, required
from lrfr_tf.data.paired_photos import align_photos, find_paired_photos
from lrfr_tf.data.pairs import read_pairs
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import TEMPLATES
from lrfr_tf.files import check_result_file, read_json, sha256, write_json
from lrfr_tf.images.camera import CLEAN_LEVEL, LEVELS
from lrfr_tf.images.probes import PROBE_FORMS
from lrfr_tf.networks.embedding import BACKBONES
from lrfr_tf.sources.image_source import open_source

MARGIN_SHARE = 7  # a seventh of an aligned face's side lies around it, which a camera may see: 16 pixels around 112
PROBE_SIZES = (8, 12, 16, 20)


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required("facenet, the folder of an exported embedder, or a file *.weights.h5 (with --backbone)")
    data: str = required("folder or zip of <person>/<photo>, such as LFW")
    pairs: str = required("list of pairs: LFW's pairs.txt, or one by tools/make_pairs.py")
    output: str = required("the result to write (JSON)")
    landmarks: str | None = option(None, "table of landmarks (CSV, 11 columns); without it MTCNN finds them")
    save_landmarks: str | None = option(None, "where to write the landmarks that MTCNN found (CSV)")
    backbone: str = option("spherenet20", "network that a file of weights belongs to", BACKBONES)
    facenet_weights: str | None = option(None, "FaceNet's weight file; without it, the cache or a download")
    template: str | None = option(
        None,
        "where the landmarks of an aligned face lie; default: where the model was trained to see them",
        TEMPLATES,
    )
    probe_sizes: tuple[int, ...] = option(
        (), f"sizes of image 2 in pixels; default: {', '.join(map(str, PROBE_SIZES))}, and as the model takes faces"
    )
    camera: tuple[str, ...] = option((CLEAN_LEVEL,), "how image 2 is shrunk, see docs/camera.md", tuple(LEVELS))
    probe_form: str = option("enlarged", "the model gets image 2 enlarged again, or small, as it is", PROBE_FORMS)
    flip: bool = option(False, "mean of the embeddings of a face and its mirror image")
    matched_gallery: bool = option(False, "image 1 is brought to the size of image 2, too")
    baseline: str | None = option(None, "another result on the same pairs, for the paired difference")


def main(config: Config) -> None:
    started = time.monotonic()
    check_result_file(config.output)
    folds = read_pairs(Path(config.pairs))
    if len(folds) < 2:
        raise UserError(
            f"{config.pairs} has one fold; the threshold of a fold comes from the others, so two are needed."
        )
    baseline = read_json(config.baseline) if config.baseline else None
    source = open_source(Path(config.data))
    photos = find_paired_photos(source, folds)
    embedder = embedder_of(config)
    side = embedder.aligned_size
    if any(not 1 <= size <= side for size in config.probe_sizes):
        raise UserError(f"--probe_sizes={','.join(map(str, config.probe_sizes))} must lie in 1 to {side}.")
    sizes = sorted(set(config.probe_sizes or (*PROBE_SIZES, side)))
    template = template_to_measure(embedder, config.template)
    points = photo_landmarks(source, photos.images, config.landmarks, config.save_landmarks)
    margin = 0 if set(config.camera) == {CLEAN_LEVEL} else side // MARGIN_SHARE
    faces = align_photos(source, photos.images, points, template, side, margin)
    verified = verify_at_sizes(
        embedder, faces, photos, sizes, config.probe_form, config.matched_gallery, config.camera, margin
    )
    pairs_sha256 = sha256(config.pairs)
    compared: dict[str, Any] | None = None
    if baseline is not None:
        compared = differences(verified.accuracies, baseline, pairs_sha256, photos.persons, str(config.baseline))
    measured = {
        "counts": {**photos.counts(), "images_without_landmarks": sum(face is None for face in points)},
        "sizes": verified.rows,
        "difference_to_baseline": compared,
        "pairs_sha256": pairs_sha256,
        "landmarks_sha256": sha256(config.landmarks) if config.landmarks else None,
    }
    rules = protocol(template, side, config.probe_form, config.matched_gallery, config.flip, config.camera)
    result = benchmark_result("lfw", rules, embedder, measured, config, started)
    draw_lfw(Path(config.output), embedder.name, verified)
    write_json(config.output, result)
    print("\n".join(lfw_lines(result)))
    print(f"result: {config.output}")
