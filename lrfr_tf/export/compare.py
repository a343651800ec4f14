"""What a converted network loses against the network it was made from: pixels, embeddings, accuracy, and its speed."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lrfr_tf.evaluation.image_quality import psnr
from lrfr_tf.evaluation.verification import fold_accuracy
from lrfr_tf.export.faces import PairedFaces
from lrfr_tf.images.probes import shrink_to_probe
from lrfr_tf.images.resize import resize

Network = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class ImageLoss:
    """How far super-resolved images are from those of the network as it was.

    Attributes:
        faces: how many were compared.
        psnr_to_reference: dB over all values of all faces; None where all are equal.
        share_that_differs: share of the values (pixels and colors) that are not equal.
        largest_levels: largest difference in grey levels.
        gain_of_reference, gain: mean PSNR against the originals, less bicubic's on the same faces, in dB.
    """

    faces: int
    psnr_to_reference: float | None
    share_that_differs: float
    largest_levels: int
    gain_of_reference: float
    gain: float


@dataclasses.dataclass(frozen=True)
class EmbeddingLoss:
    """How far embeddings are from those of the network as it was.

    Attributes:
        faces: how many were compared.
        smallest_cosine, mean_cosine: between both embeddings of one face.
        largest_error_of_length: how far a length is from 1.
        pairs: how many were verified; 0 without a list.
        accuracy_of_reference, accuracy: shares of pairs classified correctly, mean over folds; None without a list.
    """

    faces: int
    smallest_cosine: float
    mean_cosine: float
    largest_error_of_length: float
    pairs: int = 0
    accuracy_of_reference: float | None = None
    accuracy: float | None = None


def compare_images(networks: Mapping[str, Network], low: np.ndarray, originals: np.ndarray) -> dict[str, ImageLoss]:
    """The loss of each converted super-resolution network.

    Args:
        networks: name -> uint8 [N, S, S, 3] to uint8 [N, H, H, 3]; the first is the reference.
        low: uint8 [N, S, S, 3].
        originals: uint8 [N, H, H, 3], what the low ones were made of.

    Returns:
        One entry for each network, the reference too.
    """
    of_bicubic = psnr(resize(low, originals.shape[1], originals.shape[1]), originals)
    losses: dict[str, ImageLoss] = {}
    reference: np.ndarray | None = None
    for name, network in networks.items():
        images = network(low)
        gain = float((psnr(images, originals) - of_bicubic).mean())
        if reference is None:
            reference, gain_of_reference = images, gain
        levels = np.abs(images.astype(int) - reference)
        mean_square = float(np.square(levels).mean())
        losses[name] = ImageLoss(
            len(images), 10 * float(np.log10(255**2 / mean_square)) if mean_square else None,
            float((levels > 0).mean()), int(levels.max()), gain_of_reference, gain,
        )  # fmt: skip
    return losses


def compare_embeddings(
    networks: Mapping[str, Network], measured: np.ndarray | PairedFaces, probe_size: int
) -> dict[str, EmbeddingLoss]:
    """The loss of each converted embedder, on faces as they are and at `probe_size` pixels.

    Args:
        networks: name -> uint8 [N, S, S, 3] to float32 [N, D] of unit length; the first is the reference.
        measured: faces, uint8 [N, S, S, 3], or pairs of them: then accuracy is measured, too.
        probe_size: image 2 of a pair is shrunk to this and enlarged again; image 1 stays as it is.

    Returns:
        One entry for each network, the reference too.
    """
    pairs = measured if isinstance(measured, PairedFaces) else None
    faces = measured if isinstance(measured, np.ndarray) else measured.faces
    firsts = np.arange(len(faces)) if pairs is None else np.unique(pairs.first)
    seconds = firsts if pairs is None else np.unique(pairs.second)
    probes = shrink_to_probe(faces[seconds], probe_size)
    losses: dict[str, EmbeddingLoss] = {}
    reference: np.ndarray | None = None
    for name, network in networks.items():
        sharp, small = network(faces[firsts]), network(probes)
        embeddings = np.concatenate([sharp, small]).astype(np.float64)
        accuracy = None
        if pairs is not None:
            one = sharp[np.searchsorted(firsts, pairs.first)]
            other = small[np.searchsorted(seconds, pairs.second)]
            accuracy = fold_accuracy((one * other).sum(axis=1), pairs.same, pairs.folds).mean
        if reference is None:
            reference, accuracy_of_reference = embeddings, accuracy
        lengths = np.linalg.norm(embeddings, axis=1)
        cosines = (embeddings * reference).sum(axis=1) / (lengths * np.linalg.norm(reference, axis=1))
        losses[name] = EmbeddingLoss(
            len(embeddings), float(cosines.min()), float(cosines.mean()), float(np.abs(lengths - 1).max()),
            0 if pairs is None else len(pairs.same), accuracy_of_reference, accuracy,
        )  # fmt: skip
    return losses


def cpu_milliseconds(networks: Mapping[str, Network], face: np.ndarray, rounds: int) -> dict[str, float]:
    """CPU time of all threads for one face, the least of `rounds` turns, in which the networks take turns.

    CPU time is what repeats on a machine that others use too; with one thread it is about the time that passes.

    Args:
        face: uint8 [1, S, S, 3].
    """
    least = dict.fromkeys(networks, float("inf"))
    for _ in range(rounds + 2):  # the first calls of a runtime are slow; the least of all turns is none of them
        for name, network in networks.items():
            started = time.process_time()
            network(face)
            least[name] = min(least[name], 1000 * (time.process_time() - started))
    return least


def loss_table(
    losses: Mapping[str, ImageLoss] | Mapping[str, EmbeddingLoss],
    megabytes: Mapping[str, float],
    milliseconds: Mapping[str, float],
) -> list[str]:
    """The losses as lines of a Markdown table."""
    images = any(isinstance(loss, ImageLoss) for loss in losses.values())
    middle = (
        ["PSNR to the first, dB", "values that differ", "by at most, levels", "gain over bicubic, dB"]
        if images
        else ["smallest cosine to the first", "mean cosine", "accuracy, %"]
    )
    headings = ["form", "MB", *middle, "CPU time, ms"]
    lines = [f"| {' | '.join(headings)} |", f"| :-- |{' --: |' * (len(headings) - 1)}"]
    for name, loss in losses.items():
        cells = [name, f"{megabytes[name]:.2f}", *_cells(loss), f"{milliseconds[name]:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _cells(loss: Any) -> list[str]:
    if isinstance(loss, ImageLoss):
        near = "equal" if loss.psnr_to_reference is None else f"{loss.psnr_to_reference:.1f}"
        return [near, f"{loss.share_that_differs:.2%}", str(loss.largest_levels), f"{loss.gain:+.3f}"]
    accuracy = "" if loss.accuracy is None else f"{100 * loss.accuracy:.2f}"
    return [f"{loss.smallest_cosine:.5f}", f"{loss.mean_cosine:.6f}", accuracy]
