"""Random changes of aligned faces before they are shrunk: of their place and light, and mixtures of two faces.

A frozen teacher that sees the changed face, too, makes endless faces out of few photos (Beyer et al., "Knowledge
distillation: A good teacher is patient and consistent", CVPR 2022).
"""

import numpy as np
import tensorflow as tf

# How far a face is changed at most: turned (degrees), enlarged or shrunk (as a logarithm), moved (share of its side).
ROTATION, LOG_SCALE, SHIFT = 6.0, 0.12, 0.05
# Contrast (as a logarithm), brightness (grey levels) and saturation (0 is grey, 1 leaves the colours).
LOG_CONTRAST, BRIGHTNESS, SATURATION = 0.4, 30.0, (0.2, 1.2)
DRAWS = 8


def vary(faces: tf.Tensor, share: float, seed: tf.Tensor) -> tf.Tensor:
    """Turns, scales, moves and recolours a share of the faces, each by its own random amounts.

    What comes in at the edges repeats the edge.

    Args:
        faces: uint8 [N, S, S, 3].
        share: probability that a face is changed, 0 to 1.
        seed: int64 [2].

    Returns:
        uint8 [N, S, S, 3].
    """
    count, side = faces.shape[0], faces.shape[1]
    draws = tf.random.stateless_uniform((DRAWS, count), seed)
    angle, scale, right, down, contrast, brightness = tf.unstack(2 * draws[:6] - 1)
    moved = _transform(
        tf.cast(faces, tf.float32),
        angle * np.radians(ROTATION),
        tf.exp(scale * LOG_SCALE),
        tf.stack([right, down], 1) * (SHIFT * side),
    )
    grey = tf.reduce_mean(moved, axis=3, keepdims=True)
    low, high = SATURATION
    saturation = low + (high - low) * draws[6]
    coloured = grey + _per_face(saturation) * (moved - grey)
    mean = tf.reduce_mean(coloured, axis=(1, 2, 3), keepdims=True)
    lit = mean + _per_face(tf.exp(contrast * LOG_CONTRAST)) * (coloured - mean) + _per_face(brightness * BRIGHTNESS)
    return tf.where(_per_face(draws[7] < share), _as_pixels(lit), faces)


def mix(faces: tf.Tensor, share: float, seed: tf.Tensor) -> tf.Tensor:
    """Makes a share of the faces the weighted mean of itself and of the face before it; its own weight is 0 to 1.

    Args:
        faces: uint8 [N, S, S, 3]; the first one's partner is the last.
        share: probability that a face is mixed, 0 to 1.
        seed: int64 [2].

    Returns:
        uint8 [N, S, S, 3].
    """
    draws = tf.random.stateless_uniform((2, faces.shape[0]), seed)
    own, partners = tf.cast(faces, tf.float32), tf.cast(tf.roll(faces, 1, axis=0), tf.float32)
    mixed = partners + _per_face(draws[0]) * (own - partners)
    return tf.where(_per_face(draws[1] < share), _as_pixels(mixed), faces)


def _transform(faces: tf.Tensor, angle: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """Turns and scales float images [N, S, S, 3] about their middle, then moves them; bilinear."""
    middle = (faces.shape[1] - 1) / 2
    # Where a pixel of the result comes from: the inverse change.
    across, along = tf.cos(angle) / scale, tf.sin(angle) / scale
    x, y = tf.unstack(middle + shift, axis=1)
    zero = tf.zeros_like(x)
    rows = [
        across, along, middle - across * x - along * y,
        -along, across, middle + along * x - across * y,
        zero, zero,
    ]  # fmt: skip
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=faces,
        transforms=tf.stack(rows, 1),
        output_shape=faces.shape[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def _per_face(values: tf.Tensor) -> tf.Tensor:
    return values[:, None, None, None]


def _as_pixels(faces: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.clip_by_value(tf.round(faces), 0, 255), tf.uint8)
