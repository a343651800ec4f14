"""MTCNN's cascade as the package mtcnn 1.0.0 computes it: the reference for `lrfr_tf.faces.cascade`.

Nets, weights and box arithmetic are the package's; the image pyramid is ours.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from mtcnn.stages import StageONet, StagePNet, StageRNet
from mtcnn.utils.bboxes import generate_bounding_box, resize_to_square, smart_nms_from_bboxes, upscale_bboxes

from lrfr_tf.faces import cascade
from lrfr_tf.faces.pyramid import scaled
from lrfr_tf.weights.mtcnn import checked_path, without_lz4_warnings


class PackageCascade:
    """Finds faces in images of one size.

    Raises:
        UserError: weight files that are not those of mtcnn 1.0.0.
    """

    def __init__(self) -> None:
        with tf.device("CPU:0"), without_lz4_warnings():
            self._proposal_net = StagePNet(weights=checked_path("pnet.lz4")).model
            self._refine = StageRNet(weights=checked_path("rnet.lz4"))
            self._finish = StageONet(weights=checked_path("onet.lz4"))

    def search(self, images: np.ndarray, scales: Sequence[float], thresholds: Sequence[float]) -> np.ndarray:
        """As `lrfr_tf.faces.cascade.CompiledCascade.search`."""
        # Empty boxes divide by an area of zero; the functions that get the result drop them.
        with tf.device("CPU:0"), np.errstate(divide="ignore", invalid="ignore"):
            pixels = (images.astype(np.float32) - 127.5) / 128
            rows = self._propose(pixels, scales, thresholds[0])
            if len(rows) > 0:
                rows = self._refine(images_normalized=pixels, bboxes_batch=rows, threshold_rnet=thresholds[1])
            if len(rows) > 0:
                rows = self._finish(images_normalized=pixels, bboxes_batch=rows, threshold_onet=thresholds[2])
        return rows if len(rows) > 0 else np.empty((0, 16))

    def _propose(self, images: np.ndarray, scales: Sequence[float], threshold: float) -> np.ndarray:
        """float32 [N, H, W, 3] in -1 to 1 -> squares that may be faces, [n, 6]: image, x1, y1, x2, y2, score."""
        height, width = images.shape[1:3]
        found = [np.empty((0, 6))]
        for scale in scales:
            size = (scaled(height, scale), scaled(width, scale))
            level = tf.image.resize(images, size, tf.image.ResizeMethod.AREA)
            offsets, probabilities = self._proposal_net(level)
            rows = _strongest(generate_bounding_box(offsets, probabilities, threshold))
            rows = upscale_bboxes(rows, np.full(len(images), scale))
            found.append(smart_nms_from_bboxes(rows, cascade.OVERLAP_IN_LEVEL, method="union", initial_sort=False))
        return resize_to_square(smart_nms_from_bboxes(np.concatenate(found), cascade.OVERLAP_IN_IMAGE, method="union"))


def _strongest(rows: np.ndarray) -> np.ndarray:
    """The PROPOSALS_PER_LEVEL first rows of each image; `rows` comes sorted by score, best first."""
    return np.concatenate(
        [rows[:0]] + [rows[rows[:, 0] == image][: cascade.PROPOSALS_PER_LEVEL] for image in np.unique(rows[:, 0])]
    )
