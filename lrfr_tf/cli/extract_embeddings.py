"""Finds, crops and embeds the faces of a prepared tree, one method (HR, bicubic, SRCNN, SRGAN) after another.

    lrfr embed --data=datasets/celeba_face --output=runs/celeba_face/embeddings

Embeddings of two networks cannot be compared, so an embedder that takes aligned faces gets its own folder:

    lrfr embed --data=datasets/celeba_face --output=runs/celeba_face/siamese_embeddings \\
        --methods=hr,bicubic --embedder=saved_models/siamese --crop=aligned
"""

import dataclasses
from pathlib import Path

from lrfr_tf.config import option, required
from lrfr_tf.data.face_cache import read_tree_manifest
from lrfr_tf.data.folders import SPLITS, read_classes
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import TEMPLATES
from lrfr_tf.faces.choose import RULE, ambiguity_notes
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.main import note
from lrfr_tf.networks.embedding import check_embedder, load_embedder, template_for
from lrfr_tf.study.extract import CROP_CHOICES, POLICIES, Extraction, extract_tree


@dataclasses.dataclass(frozen=True)
class Config:
    data: str = required("a prepared tree")
    output: str = required("folder for the embeddings; each method gets a folder in it")
    methods: tuple[str, ...] = option(("hr", "bicubic", "srcnn", "srgan"), "folders of the tree to embed, HR first")
    splits: tuple[str, ...] = option(SPLITS, "splits to embed")
    embedder: str = option("facenet-128", "a FaceNet by name, or the folder of an exported embedder")
    facenet_weights: str | None = option(None, "a local file with its weights; default: fetched and cached")
    crop: str = option(
        "box",
        "cut a face out at the detector's box, or align it by its landmarks to the size that is embedded",
        CROP_CHOICES,
    )
    template: str | None = option(
        None,
        "where the landmarks of an aligned face lie; default: where the model was trained to see them",
        TEMPLATES,
    )
    policy: str = option(
        "miss",
        "when no face is found: miss (no embedding, wrong in the table), whole (embed the whole image), hr_box (use "
        "the box, or the landmarks, found in the HR image)",
        POLICIES,
    )
    thresholds: tuple[float, ...] = option((0.6, 0.7, 0.9), "MTCNN's three thresholds")
    min_face_size: int = option(20, "smallest face to look for, in pixels")


def check_flags(config: Config) -> None:
    """Refuses an embedder that is not known, before anything is loaded."""
    check_embedder(config.embedder)


def main(config: Config) -> None:
    data, output = Path(config.data), Path(config.output)
    read_tree_manifest(data)
    classes = read_classes(data)
    if len(config.thresholds) != 3:
        raise UserError(f"--thresholds takes three numbers, not {len(config.thresholds)}.")
    if config.policy == "hr_box" and config.methods[0] != "hr":
        raise UserError("--policy=hr_box needs hr as the first of --methods.")
    weights = Path(config.facenet_weights) if config.facenet_weights else None
    detector = FaceDetector(config.thresholds, config.min_face_size)
    settings = {
        "name": "mtcnn",
        "thresholds": list(config.thresholds),
        "min_face_size": config.min_face_size,
        "face": RULE,
    }
    embedder = load_embedder(config.embedder, weights)
    template = template_for(embedder, config.template) if config.crop == "aligned" else None
    how = Extraction(detector, embedder, config.policy, settings, template)
    for method in config.methods:
        hr_output = output / "hr" if config.policy == "hr_box" and method != "hr" else None
        with_rival = extract_tree(
            data / method, config.splits, classes, how, output=output / method, hr_output=hr_output, note=note
        )
        for sentence in ambiguity_notes([str(data / method / name) for name in with_rival]):
            note(sentence)
    print(f"{output}: embeddings of {', '.join(config.methods)} by {how.embedder.name}")
