"""Verifies pairs of low-resolution faces: HR, bicubic and networks, by FaceNet, on the same pairs.

    lrfr evaluate verification --data=datasets/celeba_people --pairs=datasets/celeba_people/pairs.txt \\
        --models=srcnn=runs/srcnn/model,srgan=runs/srgan/model --output=runs/verification/result.json

Both images of a pair are the tree's LR face, super-resolved; the whole frame is embedded. With --camera, LR is what the
camera model of docs/camera.md makes of HR, and with --sharp_first image 1 is the HR face.
`python -m lrfr_tf.cli.make_pairs` makes the list of pairs.
"""

import dataclasses
import time
from pathlib import Path

from lrfr_tf.benchmarks.verify_pairs import (
    embed_images,
    find_paired_faces,
    similarities,
    table_lines,
    verification_rows,
)
from lrfr_tf.config import option, required, versions
from lrfr_tf.data.face_cache import load_faces
from lrfr_tf.data.pairs import read_pairs
from lrfr_tf.errors import UserError
from lrfr_tf.files import check_result_file, sha256, write_json
from lrfr_tf.images.camera import CLEAN_LEVEL, LEVELS
from lrfr_tf.images.camera_numpy import photograph_all
from lrfr_tf.networks.embedding import EMBEDDERS, load_embedder
from lrfr_tf.networks.named_models import BASELINE, describe_models, load_named_models, super_resolve_all

PROTOCOL = (
    "Both images of a pair: the LR face of the tree, super-resolved (hr: the HR face), the whole frame resized to the "
    "embedder's size, cosine of the embeddings. By a camera: LR is the camera model's photo of HR (docs/camera.md; not "
    "misplaced; the seed is the image's place among those of the pairs). Sharp first: image 1 is the HR face. Each "
    "fold's threshold is the best of the other folds. Differences: same pairs; interval_95 is a bootstrap over pairs, "
    "interval_95_over_persons one over persons."
)


@dataclasses.dataclass(frozen=True)
class Config:
    data: str = required("the prepared tree that holds the images of the pairs")
    pairs: str = required("list of pairs, as python -m lrfr_tf.cli.make_pairs writes it, or LFW's pairs.txt")
    output: str = required("the result to write (JSON)")
    models: tuple[str, ...] = option((), "networks to compare with bicubic, each as name=folder")
    embedder: str = option("facenet-128", "face recognizer that judges", choices=EMBEDDERS)
    facenet_weights: str | None = option(None, "its weight file; without it, the cache or a download")
    camera: str = option(CLEAN_LEVEL, "how LR is made of HR, see docs/camera.md", tuple(LEVELS))
    sharp_first: bool = option(False, "image 1 of a pair is its HR face, whatever is made of image 2")
    compare_with: tuple[str, ...] = option((BASELINE,), "methods that all others are compared with, pair by pair")


def check_flags(config: Config) -> None:
    """Refuses a result that cannot be written, before anything is loaded."""
    check_result_file(config.output)


def main(config: Config) -> None:
    started = time.monotonic()
    check_flags(config)
    data, pairs = Path(config.data), Path(config.pairs)
    folds = read_pairs(pairs)
    if len(folds) < 2:
        raise UserError(f"{pairs} has one fold; the threshold of a fold comes from the others, so two are needed.")
    paired = find_paired_faces(data, folds)
    high = load_faces(data / "hr", paired.images, "read HR")
    low = load_faces(data / "lr", paired.images, "read LR")
    if config.camera != CLEAN_LEVEL:
        low = photograph_all(high, low.shape[1], config.camera, range(len(high)), misplaced=False)
    resolvers = load_named_models(config.models, low.shape[1], high.shape[1])
    unknown = [name for name in config.compare_with if name not in resolvers]
    if unknown:
        raise UserError(f"--compare_with={unknown[0]} is no method; there are {', '.join(resolvers)}.")
    embedder = load_embedder(config.embedder, Path(config.facenet_weights) if config.facenet_weights else None)
    images = {"hr": high, **super_resolve_all(resolvers, low)}
    embeddings = {name: embed_images(embedder, faces, f"embed {name}") for name, faces in images.items()}
    scores = {
        name: similarities(embeddings["hr"] if config.sharp_first else own, own, paired)
        for name, own in embeddings.items()
    }
    tables = {baseline: verification_rows(scores, paired, baseline) for baseline in config.compare_with}
    rows = {name: {key: value for table in tables.values() for key, value in table[name].items()} for name in scores}
    result = {
        "schema": 1,
        "protocol": PROTOCOL,
        "counts": paired.counts(),
        "sizes": {"low": low.shape[1], "high": high.shape[1]},
        "embedder": embedder.name,
        "models": describe_models(config.models, resolvers),
        "methods": rows,
        "data_sha256": sha256(data / "manifest.json"),
        "pairs_sha256": sha256(pairs),
        "config": dataclasses.asdict(config),
        "versions": versions(),
        "seconds": round(time.monotonic() - started, 1),
    }
    write_json(config.output, result)
    for baseline in config.compare_with:
        print("\n".join(table_lines(rows, baseline)))
    print(f"result: {config.output}")
