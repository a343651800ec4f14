"""The standardization of FaceNet 128-D for peers that leave it to their callers."""

import numpy as np


def whiten(faces: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W, 3] -> float32 of mean 0 and deviation 1 in each face, as `lrfr_tf.models.facenet.whiten_each`."""
    values = faces.astype(np.float32)
    values -= values.mean(axis=(1, 2, 3), keepdims=True)
    deviations = values.std(axis=(1, 2, 3), keepdims=True)
    return values / np.maximum(deviations, np.float32(values[0].size ** -0.5))
