"""How well an embedder does on TinyFace: closed-set identification among very many distractors."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.benchmarks.benchmark_folders import find_entry
from lrfr_tf.benchmarks.curves import draw_curves
from lrfr_tf.benchmarks.embed_crops import embed_all, embed_files, pad_to_square, stretch_to_square
from lrfr_tf.benchmarks.figures import format_interval
from lrfr_tf.benchmarks.interface import Measured, Note
from lrfr_tf.benchmarks.published import Published, published_lines
from lrfr_tf.benchmarks.tinyface.files import Key, TinyFace, find_tinyface, tinyface_landmarks
from lrfr_tf.config import option, required
from lrfr_tf.evaluation.identification import cmc, top_k
from lrfr_tf.evaluation.significance import bootstrap_interval
from lrfr_tf.evaluation.streamed_ranks import StreamedRanks
from lrfr_tf.networks.embedding import BACKBONES, Embedder, template_for
from lrfr_tf.plural import counted

LANDMARKS = "TinyFace.csv"

ALIGNMENTS = {"none": stretch_to_square, "pad": pad_to_square}
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
# AdaFace's evaluation, which its successors use: squares padded, aligned by MTCNN, flipped, fused by length.
ADAFACE_HARNESS = "closed set with distractors; aligned by MTCNN, with flip and fusion by length"


def _row(
    method: str, rank_1: float, rank_5: float | None, source: str, *, protocol: str = "closed set with distractors",
    same: bool = True,
) -> Published:  # fmt: skip
    figures = {"rank-1": rank_1} | ({} if rank_5 is None else {"rank-5": rank_5})
    return Published(method, protocol, figures, source, same)


PUBLISHED = (
    _row("DCR, CASIA at 16 px", 29.0, None, "RPCL"),
    _row("MagFace, CASIA at 16 px", 33.0, None, "RPCL"),
    _row("RPCL-ArcFace, CASIA at 16 px", 35.0, None, "RPCL"),
    _row("AdaFace IR18, CASIA", 56.20, 61.43, "CVLFace", protocol=ADAFACE_HARNESS, same=False),
    _row("AdaFace IR50, CASIA", 59.44, 64.14, "CVLFace", protocol=ADAFACE_HARNESS, same=False),
    _row("AdaFace IR18, VGGFace2", 64.62, 69.15, "CVLFace", protocol=ADAFACE_HARNESS, same=False),
    _row("ArcFace + ARoFace R100, MS1MV2", 67.32, 72.45, "ARoFace", protocol=ADAFACE_HARNESS, same=False),
    _row("AdaFace R100, MS1MV2", 68.21, 71.54, "AdaFace's issue 39", protocol=ADAFACE_HARNESS, same=False),
    _row("AdaFace IR101, WebFace4M", 72.02, 74.5, "ARoFace", protocol=ADAFACE_HARNESS, same=False),
    _row("AdaFace IR101, WebFace12M", 72.29, 74.8, "CVLFace", protocol=ADAFACE_HARNESS, same=False),
    _row("AdaFace + ARoFace R100, WebFace4M", 73.98, 76.47, "ARoFace", protocol=ADAFACE_HARNESS, same=False),
    _row("ViT-B AdaFace, WebFace4M", 74.79, 77.58, "CVLFace", protocol=ADAFACE_HARNESS, same=False),
    _row("ViT-B KP-RPE AdaFace, WebFace4M", 75.75, 78.49, "CVLFace", protocol=ADAFACE_HARNESS, same=False),
    _row("ViT-B KP-RPE AdaFace, WebFace12M", 76.10, 78.92, "CVLFace", protocol=ADAFACE_HARNESS, same=False),
    _row("Swin-B, WebFace4M", 71.32, 76.42, "PETALface", protocol="fine-tuned on TinyFace", same=False),
    _row("Swin-B LoRA, WebFace4M", 75.64, 78.99, "PETALface", protocol="fine-tuned on TinyFace", same=False),
    _row("PETALface, WebFace4M", 75.72, 78.86, "PETALface", protocol="fine-tuned on TinyFace", same=False),
    _row("PETALface, WebFace12M", 76.66, 79.64, "PETALface", protocol="fine-tuned on TinyFace", same=False),
    _row(
        "FaceMoE, WebFace4M",
        76.18,
        79.69,
        "a digest of the paper",
        protocol="whether fine-tuned is not said",
        same=False,
    ),
    _row("MobileFaceNet", 55.82, 61.93, "Fraunhofer thesis 2026"),
    _row("MobileFaceNet, distilled from ViT-B KP-RPE", 66.14, 70.94, "Fraunhofer thesis 2026"),
)


@dataclasses.dataclass(frozen=True)
class Settings:
    """Identifies TinyFace's probes among matches and distractors: native low-resolution faces, rank-1 to rank-20.

    `alignment` says how an image becomes a square: none stretches it, pad sets it in a black square. With `landmarks`
    faces are aligned instead, as for many published rows, each in its own way; lrfr detect makes the table
    of Testing_Set, its photos enlarged 4 times. Beside the result lies a picture, result.cmc.png.
    """

    model: str = required("facenet, the folder of an exported embedder, or a file *.weights.h5 (with `backbone`)")
    data: str = required("the folder tinyface, or its Testing_Set")
    output: str = required("the result to write (JSON)")
    alignment: str = option("none", "none: resized to a square; pad: padded to a square first", tuple(ALIGNMENTS))
    landmarks: str | None = option(
        None, "table of landmarks (CSV) to align faces by; what has none there becomes a square as `alignment` says"
    )
    no_distractors: bool = option(False, "leave the distractors out, which is quick and is not the protocol")
    backbone: str = option("spherenet20", "network that a file of weights belongs to", BACKBONES)
    facenet_weights: str | None = option(None, "FaceNet's weight file; without it, the cache or a download")
    flip: bool = option(False, "mean of the embeddings of a face and its mirror image")


@dataclasses.dataclass(frozen=True)
class TinyFaceData:
    """The test set and, where there is a table, the landmarks by (folder, name without suffix)."""

    faces: TinyFace
    landmarks: Mapping[Key, np.ndarray] | None
    counts: dict[str, int]


class TinyFaceBenchmark:
    """Closed-set identification among very many distractors; see `interface.RegisteredBenchmark`."""

    name = "tinyface"
    folder = "TinyFace"
    settings = Settings
    published: tuple[Published, ...] = PUBLISHED

    def settings_in(self, folder: Path, tables: Path | None, keep: Path, note: Note) -> dict[str, Any]:
        table = find_entry(tables or folder, LANDMARKS)
        return {"data": str(folder), "landmarks": str(table) if table else None}

    def read(self, settings: Settings, note: Note) -> TinyFaceData:
        faces = find_tinyface(Path(settings.data), distractors=not settings.no_distractors)
        if not settings.landmarks:
            return TinyFaceData(faces, None, faces.counts())
        landmarks, without = tinyface_landmarks(Path(settings.landmarks), faces)
        note(f"{counted(without, 'image has', 'images have')} no landmarks.")
        return TinyFaceData(faces, landmarks, {**faces.counts(), "images_without_landmarks": without})

    def prepare(self, data: TinyFaceData, embedder: Embedder, settings: Settings, note: Note) -> TinyFaceData:
        return data

    def evaluate(self, faces: TinyFaceData, embedder: Embedder, settings: Settings) -> Measured:
        template = None if faces.landmarks is None else template_for(embedder)
        metrics, shares = identify(embedder, faces.faces, settings.alignment, faces.landmarks)
        rules = protocol(
            settings.alignment, embedder.aligned_size, not settings.no_distractors, settings.flip, template=template
        )
        return Measured(rules, {"counts": faces.counts, "identification": metrics}, shares)

    def table(self, result: dict[str, Any]) -> list[str]:
        metrics, counts = result["identification"], result["counts"]
        columns = [f"rank-{k}" for k in RANKS]
        return [
            f"{result['model']['name']} on TinyFace, in per cent: {counted(counts['probes'], 'probe')}; in the gallery "
            f"{counted(counts['gallery'], 'match', 'matches')} and {counted(counts['distractors'], 'distractor')}",
            *([] if counts["distractors"] else [f"note: {NOT_THE_PROTOCOL}"]),
            " ".join(f"{column:>10}" for column in columns),
            " ".join(f"{100 * metrics[f'rank_{k}']:10.2f}" for k in RANKS)
            + f"  (rank-1: 95 % {format_interval(metrics['rank_1_interval_95'], '.2f')})",
            "published, on TinyFace; crops and alignment differ from paper to paper:",
            *published_lines(PUBLISHED, columns),
        ]

    def draw(self, output: Path, name: str, curves: np.ndarray) -> None:
        curve = (np.arange(1, len(curves) + 1), 100 * curves)
        draw_curves(output.with_suffix(".cmc.png"), "TinyFace", "rank", "identified, in per cent", curves={name: curve})

    def main_figures(self, result: Mapping[str, Any]) -> dict[str, float]:
        without = "" if result["counts"]["distractors"] else " without distractors"
        return {f"rank-{k}{without}": 100 * result["identification"][f"rank_{k}"] for k in RANKS}


def protocol(alignment: str, side: int, distractors: bool, flip: bool, *, template: str | None = None) -> str:
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


def identify(
    embedder: Embedder, faces: TinyFace, alignment: str, landmarks: Mapping[Key, np.ndarray] | None = None
) -> tuple[dict[str, Any], np.ndarray]:
    """Closed-set identification: metrics (shares in [0, 1]), and the CMC, float64 [20].

    Distractors are streamed: of each chunk only counts remain.

    Args:
        alignment: a key of `ALIGNMENTS`; with landmarks, what happens to images that have none.
        landmarks: as `tinyface_landmarks` reads them.

    Raises:
        UserError: an image cannot be read.
    """
    crop = ALIGNMENTS[alignment]
    probes = embed_all(embedder, faces.probes, crop, "embed probes", landmarks=landmarks)
    gallery = embed_all(embedder, faces.gallery, crop, "embed gallery", landmarks=landmarks)
    streamed = StreamedRanks(probes, faces.probe_labels, gallery, faces.gallery_labels)
    without = streamed.ranks()
    if faces.distractors:
        for chunk in embed_files(embedder, faces.distractors, crop, "embed distractors", landmarks=landmarks):
            streamed.add_distractors(chunk)
    ranks = streamed.ranks()
    metrics: dict[str, Any] = {f"rank_{k}": top_k(ranks, k) for k in RANKS}
    metrics["rank_1_interval_95"] = list(bootstrap_interval(ranks == 1))
    metrics["rank_1_without_distractors"] = top_k(without, 1)
    return metrics, cmc(ranks, max(RANKS))
