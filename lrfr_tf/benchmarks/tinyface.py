"""How well an embedder does on TinyFace: closed-set ranks among matches and very many distractors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.curves import draw_curves
from lrfr_tf.benchmarks.published import published_lines
from lrfr_tf.benchmarks.stream import embed_all, embed_files, padded, stretched
from lrfr_tf.benchmarks.tinyface_files import TinyFace
from lrfr_tf.data.landmarks import by_image, read_landmarks
from lrfr_tf.data.paired_photos import landmarks_for
from lrfr_tf.data.pairs import image_key
from lrfr_tf.evaluation.identification import cmc, top_k
from lrfr_tf.evaluation.ranks import StreamedRanks
from lrfr_tf.evaluation.significance import bootstrap_interval
from lrfr_tf.networks.embedding import Embedder

Key = tuple[str, str]

CROPS = {"none": stretched, "pad": padded}
RANKS = (1, 5, 10, 20)

COMPARISON = (
    "TinyFace closed-set identification: every gallery image stands for itself (no templates); the rank of a probe is "
    "1 + the number of gallery images of others, distractors included, that are at least as alike as the most alike "
    "image of its own person (cosine; ties count against the probe)."
)
HOW = {
    "none": "the image resized to {side} x {side} (bicubic, aspect ignored)",
    "pad": "the image in the middle of a black square of its longer side, resized to {side} x {side} (bicubic)",
}
NOT_THE_PROTOCOL = (
    "The distractors were left out: this is not TinyFace's protocol, and the figures are not comparable with others."
)


def protocol(alignment: str, side: int, distractors: bool, flip: bool, template: str | None = None) -> str:
    """The protocol in words, for the result.

    Args:
        side: of the faces that the embedder is given, in pixels.
        template: that of images with landmarks, None where there are none.
    """
    flipped = "; embeddings averaged over a face and its mirror image" if flip else ""
    note = "" if distractors else f" {NOT_THE_PROTOCOL}"
    square = HOW[alignment].format(side=side)
    how = f"Alignment {alignment!r}: {square}"
    if template is not None:
        how = f"Aligned by five landmarks on the template {template!r}, {side} x {side}; images without landmarks: "
        how += square
    return f"{COMPARISON} {how}{flipped}.{note}"


def tinyface_landmarks(table: Path, faces: TinyFace) -> tuple[Mapping[Key, np.ndarray], int]:
    """Reads a table of tools/make_landmarks.py: the landmarks by (folder, name without suffix), and how many lack them.

    Raises:
        UserError: the table cannot be read, or is of other images.
    """
    landmarks = by_image(read_landmarks(table))
    keys = [image_key(path.parent.name, path.name) for path in (*faces.probes, *faces.gallery, *faces.distractors)]
    return landmarks, sum(points is None for points in landmarks_for(keys, landmarks, str(table)))


def identify(
    embedder: Embedder, faces: TinyFace, alignment: str, landmarks: Mapping[Key, np.ndarray] | None = None
) -> tuple[dict[str, Any], np.ndarray]:
    """Closed-set identification: metrics (shares in [0, 1]), and the CMC, float64 [20].

    Distractors are streamed: of each chunk only counts remain.

    Args:
        alignment: a key of `CROPS`; with landmarks, what happens to images that have none.
        landmarks: as `tinyface_landmarks` reads them.

    Raises:
        UserError: an image cannot be read.
    """
    crop = CROPS[alignment]
    probes = embed_all(embedder, faces.probes, crop, "embed probes", landmarks)
    gallery = embed_all(embedder, faces.gallery, crop, "embed gallery", landmarks)
    streamed = StreamedRanks(probes, faces.probe_labels, gallery, faces.gallery_labels)
    without = streamed.ranks()
    if faces.distractors:
        for chunk in embed_files(embedder, faces.distractors, crop, "embed distractors", landmarks):
            streamed.add_distractors(chunk)
    ranks = streamed.ranks()
    metrics: dict[str, Any] = {f"rank_{k}": top_k(ranks, k) for k in RANKS}
    metrics["rank_1_interval_95"] = list(bootstrap_interval(ranks == 1))
    metrics["rank_1_without_distractors"] = top_k(without, 1)
    return metrics, cmc(ranks, max(RANKS))


def tinyface_lines(result: dict[str, Any]) -> list[str]:
    """The result as lines of text with the published rows below; all in per cent."""
    metrics, counts = result["identification"], result["counts"]
    columns = [f"rank-{k}" for k in RANKS]
    low, high = metrics["rank_1_interval_95"]
    return [
        f"{result['model']['name']} on TinyFace, in per cent: {counts['probes']:,} probes; in the gallery "
        f"{counts['gallery']:,} matches and {counts['distractors']:,} distractors",
        *([] if counts["distractors"] else [f"note: {NOT_THE_PROTOCOL}"]),
        " ".join(f"{column:>10}" for column in columns),
        " ".join(f"{100 * metrics[f'rank_{k}']:10.2f}" for k in RANKS)
        + f"  (rank-1: 95 % [{100 * low:.2f}, {100 * high:.2f}])",
        "published, on TinyFace; crops and alignment differ from paper to paper:",
        *published_lines("tinyface", columns),
    ]


def draw_tinyface(output: Path, name: str, shares: np.ndarray) -> None:
    """Draws the CMC beside the result, `.cmc.png`."""
    curve = (np.arange(1, len(shares) + 1), 100 * shares)
    draw_curves(output.with_suffix(".cmc.png"), "TinyFace", "rank", "identified, in per cent", {name: curve})
