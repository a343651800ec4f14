"""How much detail a face holds, which tells whether it was small once, whatever it was enlarged to since."""

import numpy as np
from keras import KerasTensor, ops

# What 40 pixels show and 20 do not, and what only more than 40 show, are compared.
FINE, COARSE = 40, 20
# Half of the sharp training faces that were shrunk to 38 pixels and enlarged again have more than this: 64 pixels
# leave 0.27 to 0.32, 24 pixels 0.07 (medians; 98 % of the faces of 24 pixels or less have less than 0.13).
DETAIL_OF_SMALL_FACES = 0.135
# Of each side. Where a photo ends within the aligned square there is a sharp edge to black, which is no detail of the
# face: with the whole square 96 % of the 16 px faces of a tree of tight squares passed for large ones.
MIDDLE = 0.5
_BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)


def detail(images: KerasTensor) -> KerasTensor:
    """The power of what is finer than 40 pixels can show, divided by that of what 40 pixels show and 20 do not.

    Both are those of the middle of the image, half as wide and high; pixels are counted along a whole side. An octave
    of a photo has about the power of the octave below it; a photo that was enlarged lacks the octaves that its pixels
    could not show.

    Args:
        images: float [N, S, S, 3] in 0..255, RGB.

    Returns:
        float32 [N], at least 0; a grey level's power is added to the divisor, so that an image of one colour has 0.
    """
    side = int(images.shape[1])
    bright = ops.matmul(ops.cast(images, "float32"), ops.convert_to_tensor(_BRIGHTNESS[:, None]))[..., 0]
    fine, coarse = (_as_if_of(bright, _shrink_and_enlarge(side, pixels)) for pixels in (FINE, COARSE))
    return _power_of_middle(bright - fine) / (_power_of_middle(fine - coarse) + 1.0)


def shows_little(images: KerasTensor) -> KerasTensor:
    """Whether a face, float [N, S, S, 3] in 0..255, has the detail of a small one, however large it is: bool [N]."""
    return detail(images) < DETAIL_OF_SMALL_FACES


def _as_if_of(images: KerasTensor, matrix: np.ndarray) -> KerasTensor:
    """Images [N, S, S] with each column and each row multiplied by a matrix [S, S]."""
    weights = ops.convert_to_tensor(matrix)
    return ops.matmul(ops.matmul(weights, images), ops.transpose(weights))


def _shrink_and_enlarge(side: int, pixels: int) -> np.ndarray:
    """What shrinking to so many pixels and enlarging again does to a column: float32 [S, S]."""
    return (_resize(side, pixels) @ _resize(pixels, side)).astype(np.float32)


def _resize(to: int, of: int) -> np.ndarray:
    """Antialiased bicubic, as Pillow's, without rounding: weights [to, of] of old pixels for new ones."""
    wider = max(of / to, 1.0)
    middles = (np.arange(to)[:, None] + 0.5) * of / to
    distances = np.abs(np.arange(of)[None] + 0.5 - middles) / wider
    # Keys, "Cubic convolution interpolation for digital image processing" (1981), with a = -1/2.
    near = 1.5 * distances**3 - 2.5 * distances**2 + 1
    far = -0.5 * distances**3 + 2.5 * distances**2 - 4 * distances + 2
    weights = np.where(distances < 1, near, np.where(distances < 2, far, 0.0))
    return weights / weights.sum(axis=1, keepdims=True)


def _power_of_middle(images: KerasTensor) -> KerasTensor:
    side = int(images.shape[1])
    first = int(side * (1 - MIDDLE) / 2)
    middle = images[:, first : side - first, first : side - first]
    return ops.mean(ops.square(middle), axis=(1, 2))
