"""Pixel losses, on images scaled to 0..1."""

from keras import KerasTensor, ops

# Losses are on 0..1: the mean squared error of one image is then 10 ** (-PSNR / 10). Papers that work on -1..1
# (Ledig et al.) report four times this squared error and twice this absolute error.
_WHITE = 255.0


def mean_squared_error(images: KerasTensor, targets: KerasTensor) -> KerasTensor:
    """The mean squared error of `images` against `targets`, both divided by 255.

    Args:
        images: [N, H, W, 3] in 0..255, any dtype.
        targets: the same shape, in 0..255.

    Returns:
        A float32 scalar, the mean over everything.
    """
    return ops.mean(ops.square(_difference(images, targets)))


def mean_absolute_error(images: KerasTensor, targets: KerasTensor) -> KerasTensor:
    """The mean absolute error of `images` against `targets`, both divided by 255.

    Args:
        images: [N, H, W, 3] in 0..255, any dtype.
        targets: the same shape, in 0..255.

    Returns:
        A float32 scalar, the mean over everything.
    """
    return ops.mean(ops.abs(_difference(images, targets)))


def _difference(images: KerasTensor, targets: KerasTensor) -> KerasTensor:
    return (ops.cast(images, "float32") - ops.cast(targets, "float32")) / _WHITE
