"""The identity loss: does the super-resolved face still look like the same person to a face recognizer?"""

import keras
from keras import KerasTensor, ops


def identity(
    embedder: keras.Model, images: KerasTensor, targets: KerasTensor, boxes: KerasTensor | None = None
) -> KerasTensor:
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
        boxes: what the embedder sees of each image, [N, 4], (x1, y1, x2, y2) in pixels, where it wants the face at a
            certain place; outside of the image its edge pixels are repeated. None: the whole image.

    Returns:
        A float32 scalar between 0 (same direction) and 2.
    """
    embeddings = _embed(embedder, images, boxes)
    target_embeddings = ops.stop_gradient(_embed(embedder, targets, boxes))
    return 1.0 - ops.mean(ops.sum(embeddings * target_embeddings, axis=-1))


def _embed(embedder: keras.Model, images: KerasTensor, boxes: KerasTensor | None) -> KerasTensor:
    size = embedder.input_shape[1]
    smooth = _smooth(ops.cast(images, "float32"))
    # Bilinear is enough where only enlarging happens, and its gradient is cheap.
    if boxes is None:
        resized = ops.image.resize(smooth, (size, size), interpolation="bilinear")
    else:
        resized = _resize_boxes(smooth, ops.cast(boxes, "float32"), size)
    return ops.cast(embedder(resized, training=False), "float32")


def _resize_boxes(images: KerasTensor, boxes: KerasTensor, size: int) -> KerasTensor:
    """One box of each image [N, H, W, 3], bilinear: [N, size, size, 3]."""
    across = _weights(boxes[:, 0:1], boxes[:, 2:3], images.shape[2], size)
    down = _weights(boxes[:, 1:2], boxes[:, 3:4], images.shape[1], size)
    return ops.einsum("nyh,nhxc->nyxc", down, ops.einsum("nxw,nhwc->nhxc", across, images))


def _weights(starts: KerasTensor, stops: KerasTensor, old_size: int, size: int) -> KerasTensor:
    """What each old pixel gives to each new one along one axis, [N, size, old_size], for edges [N, 1]."""
    centers = starts + (stops - starts) * ((ops.arange(size, dtype="float32") + 0.5) / size) - 0.5
    centers = ops.clip(centers, 0.0, old_size - 1.0)
    distances = ops.abs(centers[:, :, None] - ops.arange(old_size, dtype="float32"))
    return ops.maximum(1.0 - distances, 0.0)


def _smooth(images: KerasTensor) -> KerasTensor:
    """(1, 2, 1) / 4 down and across; at the border the outermost pixel is repeated."""
    images = ops.concatenate([images[:, :1], images, images[:, -1:]], axis=1)
    images = 0.25 * images[:, :-2] + 0.5 * images[:, 1:-1] + 0.25 * images[:, 2:]
    images = ops.concatenate([images[:, :, :1], images, images[:, :, -1:]], axis=2)
    return 0.25 * images[:, :, :-2] + 0.5 * images[:, :, 1:-1] + 0.25 * images[:, :, 2:]
