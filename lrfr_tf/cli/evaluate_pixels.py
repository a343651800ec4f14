"""Measures top-1 against the pixels of a face: bicubic and super-resolution with FaceNet, and the Siamese network.

    lrfr evaluate pixels --data=datasets/celeba_face --embeddings=runs/celeba_face/embeddings \\
        --models=srcnn=saved_models/srcnn,srgan=saved_models/srgan --siamese=saved_models/siamese \\
        --siamese_embeddings=runs/celeba_face/siamese_embeddings --held_out_divisor=5 \\
        --output=runs/celeba_face/pixels/result.json

The gallery and the places of the faces come from the HR embeddings that lrfr embed stored. Beside the
result lies a picture of each block, result.held_out.png and result.all.png. With --camera=clean,moderate,harsh
probes are also shrunk as the camera model of docs/camera.md does it.
"""

import dataclasses
import time
from pathlib import Path

from lrfr_tf.config import option, required, versions
from lrfr_tf.data.face_cache import load_faces, read_tree_manifest
from lrfr_tf.errors import UserError
from lrfr_tf.files import check_result_file, sha256, write_json
from lrfr_tf.images.camera import CLEAN_LEVEL, LEVELS
from lrfr_tf.networks.embedding import load_embedder
from lrfr_tf.networks.named_models import describe_models, load_named_models
from lrfr_tf.study.evaluate_pixels import SIZES, PixelCurve, check_embedder, pixel_blocks, protocol
from lrfr_tf.study.report.pixels import BENCHMARK, SCHEMA, draw_pixels
from lrfr_tf.study.report.text import pixels_text
from lrfr_tf.study.stored_embeddings import blocks_of_images, check_same_images, read_stored_embeddings


@dataclasses.dataclass(frozen=True)
class Config:
    data: str = required("a prepared tree")
    embeddings: str = required("folder written by lrfr embed, with hr in it")
    output: str = required("the result to write (JSON)")
    models: tuple[str, ...] = option((), "super-resolution networks to compare with bicubic, each as name=folder")
    embedder: str = option("facenet-128", "the embedder that --embeddings was made with")
    facenet_weights: str | None = option(None, "a local file with its weights; default: fetched and cached")
    siamese: str | None = option(None, "folder of the exported Siamese network; without it, left out")
    siamese_embeddings: str | None = option(None, "folder of its embeddings (--crop=aligned), with hr in it")
    sizes: tuple[int, ...] = option(SIZES, "sides of the probes in pixels")
    camera: tuple[str, ...] = option((CLEAN_LEVEL,), "how probes are shrunk, see docs/camera.md", tuple(LEVELS))
    held_out_divisor: int = option(
        0, "identities whose number is divisible by this were held out of every network's training", at_least=0
    )
    title: str = option("Low-resolution face recognition", "title of the pictures")


def check_flags(config: Config) -> None:
    """Refuses a result that cannot be written, before anything is loaded."""
    check_result_file(config.output)


def main(config: Config) -> None:
    started = time.monotonic()
    check_flags(config)
    if (config.siamese is None) != (config.siamese_embeddings is None):
        raise UserError("--siamese and --siamese_embeddings belong together: give both, or neither.")
    data = Path(config.data)
    tree = read_tree_manifest(data)
    facenet = read_stored_embeddings(Path(config.embeddings), data, ("hr",))
    siamese = None
    if config.siamese_embeddings is not None:
        siamese = read_stored_embeddings(Path(config.siamese_embeddings), data, ("hr",))
        check_same_images(facenet, siamese)
    high = load_faces(data / "hr" / "test", facenet.faces)
    low_size, high_size = load_faces(data / "lr" / "test", facenet.faces[:1]).shape[1], high.shape[1]
    if any(not 1 <= size <= high_size for size in config.sizes):
        raise UserError(f"--sizes={','.join(map(str, config.sizes))} must lie in 1 to {high_size}, the side of HR.")
    resolvers = load_named_models(config.models, low_size, high_size)
    curve = PixelCurve(facenet, siamese, high)
    probed = [face.identity for face, chosen in zip(facenet.faces, curve.chosen, strict=True) if chosen]
    blocks = blocks_of_images(probed, config.held_out_divisor)
    weights = Path(config.facenet_weights) if config.facenet_weights else None
    facenet_embedder = load_embedder(config.embedder, weights)
    check_embedder(facenet_embedder, facenet)
    siamese_embedder = None
    if siamese is not None and config.siamese is not None:
        siamese_embedder = load_embedder(config.siamese)
        check_embedder(siamese_embedder, siamese)
    sizes = sorted(set(config.sizes))
    cameras = list(dict.fromkeys(config.camera))
    right = {
        camera: curve.correct_answers(sizes, resolvers, facenet_embedder, siamese_embedder, camera=camera)
        for camera in cameras
    }
    result = {
        "schema": SCHEMA,
        "benchmark": BENCHMARK,
        "title": config.title,
        "protocol": protocol(low_size, high_size, cameras),
        "data": {"framing": tree["framing"], "manifest_sha256": sha256(data / "manifest.json")},
        "embedder": facenet_embedder.name,
        "siamese": siamese_embedder.name if siamese_embedder is not None else None,
        "models": describe_models(config.models, resolvers),
        "low_size": low_size,
        "sizes": sizes,
        "counts": curve.counts,
        "held_out_divisor": config.held_out_divisor,
        "blocks": pixel_blocks(right, probed, blocks),
        "config": dataclasses.asdict(config),
        "versions": versions(),
        "seconds": round(time.monotonic() - started, 1),
    }
    draw_pixels(Path(config.output), result)
    write_json(config.output, result)
    print(pixels_text(result))
    print(f"result: {config.output}")
