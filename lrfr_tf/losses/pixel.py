"""Pixel losses, on images scaled to 0..1."""

from keras import KerasTensor, ops

# Losses are on 0..1: the mean squared error of one image is then 10 ** (-PSNR / 10). Papers that work on -1..1
# (Ledig et al.) report four times this squared error and twice this absolute error.
_WHITE = 255.0

_CHARBONNIER_EPSILON = 1e-3


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


def charbonnier(images: KerasTensor, targets: KerasTensor) -> KerasTensor:
    """The Charbonnier loss: mean of sqrt(d^2 + epsilon^2), an absolute error that is smooth at 0.

    d is the difference divided by 255 and epsilon is 1e-3 (Lai et al., "Deep Laplacian Pyramid Networks", CVPR 2017,
    equation 5 and section 3.3).

    Args:
        images: [N, H, W, 3] in 0..255, any dtype.
        targets: the same shape, in 0..255.

    Returns:
        A float32 scalar, the mean over everything.
    """
    return ops.mean(ops.sqrt(ops.square(_difference(images, targets)) + _CHARBONNIER_EPSILON**2))


def total_variation(images: KerasTensor) -> KerasTensor:
    """The mean absolute difference of neighboring pixels, across and down, on 0..1 (anisotropic total variation).

    Rudin, Osher and Fatemi, Physica D 60 (1992), in the form that is common for images: the sum of both means.

    Args:
        images: [N, H, W, 3] in 0..255, any dtype; H and W at least 2.

    Returns:
        A float32 scalar.
    """
    images = ops.cast(images, "float32") / _WHITE
    across = ops.mean(ops.abs(images[:, :, 1:] - images[:, :, :-1]))
    down = ops.mean(ops.abs(images[:, 1:] - images[:, :-1]))
    return across + down


def _difference(images: KerasTensor, targets: KerasTensor) -> KerasTensor:
    return (ops.cast(images, "float32") - ops.cast(targets, "float32")) / _WHITE
