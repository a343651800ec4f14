"""Photos of faces with NumPy, SciPy and Pillow, for evaluation: what `camera_in_graph` does, one face at a time.

A photo is a pure function of its arguments. All sums are in float64 and all random numbers come from one PCG64 stream,
so that the answer is the same on every machine, as far as their versions of libjpeg and of NumPy's generators agree.
"""

import io
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image
from scipy.ndimage import affine_transform
from scipy.sparse import csr_array

from lrfr_tf.images.camera import (
    BLOCK,
    CLEAN,
    DRAWS,
    NOISE_CHANNELS,
    Camera,
    Shot,
    find_camera,
    inverse_transform,
    sample_shot,
)
from lrfr_tf.images.camera_kernels import (
    BLUE_LUMA,
    GREEN_LUMA,
    RED_LUMA,
    STEPS,
    distances,
    gaussian_places,
    kernel_windows,
    moments,
)
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import resize

STREAM = 0x63616D  # sets these random numbers apart from those of others who begin with the same seed
FOUR_TWO_ZERO = 2  # Pillow's number of the subsampling 4:2:0


def photograph(
    image: np.ndarray, size: int, level: str | Camera, seed: int, *, margin: int = 0, misplaced: bool = True
) -> np.ndarray:
    """Makes a low-resolution face as cameras do; see `images.camera`. Level "clean" is `degrade` to the bit.

    Args:
        image: uint8 [S + 2 * margin, S + 2 * margin, 3].
        size: side of the result, 1 to S.
        level: one of `images.camera.LEVELS`, or a camera.
        seed: 0 or above. With the same seed another level is the same accident, only stronger or weaker.
        margin: what lies around the face on each side, in pixels of `image`; it is seen where the crop is misplaced and
            where blur reaches. Beyond it the image is reflected.
        misplaced: False: the crop stays where it is, whatever the level.

    Returns:
        uint8 [size, size, 3].

    Raises:
        UserError: there is no such level.
        ValueError: another shape, dtype, size or seed.
    """
    return _photograph(image, size, level, seed, margin=margin, misplaced=misplaced, with_target=False)[0]


def photograph_with_target(
    image: np.ndarray, size: int, level: str | Camera, seed: int, *, margin: int = 0, misplaced: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """`photograph`, and what super-resolution should make of its result.

    Returns:
        uint8 [size, size, 3], and uint8 [S, S, 3]: the face in the same place and the same colors, but sharp, without
        noise and without JPEG.
    """
    return _photograph(image, size, level, seed, margin=margin, misplaced=misplaced, with_target=True)


def photograph_all(
    images: np.ndarray, size: int, level: str | Camera, seeds: Sequence[int], *, margin: int = 0, misplaced: bool = True
) -> np.ndarray:
    """`photograph` of each image [N, S + 2 * margin, S + 2 * margin, 3] with its own seed: uint8 [N, size, size, 3]."""
    photos = np.empty((len(images), size, size, 3), np.uint8)
    for index, (image, seed) in enumerate(zip(images, seeds, strict=True)):
        photos[index] = photograph(image, size, level, seed, margin=margin, misplaced=misplaced)
    return photos


def photograph_all_with_targets(
    images: Iterable[np.ndarray],
    size: int,
    level: str | Camera,
    seeds: Sequence[int],
    *,
    margin: int = 0,
    misplaced: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """`photograph_with_target` of each image with its own seed: uint8 [N, size, size, 3] and uint8 [N, S, S, 3]."""
    pairs = [
        photograph_with_target(image, size, level, seed, margin=margin, misplaced=misplaced)
        for image, seed in zip(images, seeds, strict=True)
    ]
    photos, targets = zip(*pairs, strict=True)
    return np.stack(photos), np.stack(targets)


def photograph_scene(photo: np.ndarray, height: int, width: int, *, level: str | Camera, seed: int) -> np.ndarray:
    """A whole photo, of any shape, as a camera makes it smaller; nothing is misplaced, faces are still to be found.

    Args:
        photo: uint8 [H, W, 3].
        height, width: of the result, in the proportions of the photo but for rounding; not larger than it.
        level, seed: as for `photograph`; level "clean" is `resize`.

    Returns:
        uint8 [height, width, 3].
    """
    if find_camera(level) == CLEAN:
        return resize(photo, height, width)
    side = max(photo.shape[:2])
    square = np.pad(photo, ((0, side - photo.shape[0]), (0, side - photo.shape[1]), (0, 0)), "edge")
    return photograph(square, max(height, width), level, seed, misplaced=False)[:height, :width]


def draw(seed: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The random numbers of one photo: [DRAWS] within 0 to 1, and [size, size, 4], normal ones for the noise."""
    random = np.random.default_rng([STREAM, seed])
    return random.random(len(DRAWS)), random.standard_normal((size, size, NOISE_CHANNELS))


def apply_shot(
    image: np.ndarray, shot: Shot, noise: np.ndarray, size: int, *, camera: Camera, margin: int
) -> tuple[np.ndarray, np.ndarray]:
    """A face as its shot says.

    Args:
        image: uint8 [S + 2 * margin, S + 2 * margin, 3].
        noise: normal random numbers, [size, size, 4].

    Returns:
        The photo, uint8 [size, size, 3], and the misplaced face in full size with its margins, float64.
    """
    pixels = image.astype(np.float64)
    if camera.has_misplacement:
        pixels = _misplace(pixels, shot, margin)
    small = adjust_tone(_sharpen(_shrink(pixels, shot, size, camera, margin=margin), shot), shot)
    small = _to_uint8(_add_noise(small, shot, noise))
    if camera.jpeg:
        small = _compress(small, shot, size)
    return small, pixels


def adjust_tone(image: np.ndarray, shot: Shot) -> np.ndarray:
    """Color cast, infrared grey, gamma, contrast and brightness of an image [H, W, 3]: float64, 0 to 255."""
    colored = image * np.array(shot.gains)
    if shot.infrared:
        luma = np.array([RED_LUMA, GREEN_LUMA, BLUE_LUMA])
        weights = luma + shot.reflectance * (np.array([1.0, 0.0, 0.0]) - luma)
        colored = np.repeat(np.sum(colored * weights, axis=2, keepdims=True), 3, axis=2)
    light = np.clip(colored / 255.0, 0.0, 1.0) ** shot.gamma
    return np.clip(255.0 * (0.5 + shot.contrast * (light - 0.5)) + shot.brightness, 0.0, 255.0)


def _photograph(
    image: np.ndarray, size: int, level: str | Camera, seed: int, *, margin: int, misplaced: bool, with_target: bool
) -> tuple[np.ndarray, np.ndarray]:
    camera = find_camera(level) if misplaced else find_camera(level).without_misplacement()
    shape = image.shape
    if image.dtype != np.uint8 or len(shape) != 3 or shape[0] != shape[1] or shape[2] != 3:
        raise ValueError(f"an image is uint8 [S, S, 3], not {image.dtype} {list(shape)}")
    side = shape[0] - 2 * margin
    if not 1 <= size <= side or margin < 0:
        raise ValueError(f"size is 1 to {side}, the side without its margins of 0 or more, not {size}; margin={margin}")
    if seed < 0:
        raise ValueError(f"a seed is 0 or above, not {seed}")
    inner = image[margin : margin + side, margin : margin + side]
    if camera == CLEAN:
        return degrade(inner, size), inner
    draws, noise = draw(seed, size)
    shot = sample_shot(camera, [float(value) for value in draws], size)
    small, pixels = apply_shot(image, shot, noise, size, camera=camera, margin=margin)
    if not with_target:
        return small, inner
    return small, _to_uint8(adjust_tone(pixels[margin : margin + side, margin : margin + side], shot))


def _misplace(pixels: np.ndarray, shot: Shot, margin: int) -> np.ndarray:
    """Turns and scales an image about its middle, then moves it; bilinear."""
    a, b, c, d, e, f = inverse_transform(shot, np.cos(shot.angle), np.sin(shot.angle), len(pixels), margin=margin)
    # SciPy counts rows before columns.
    inverse, offset = np.array([[e, d], [b, a]]), np.array([f, c])
    channels = [
        affine_transform(pixels[:, :, channel], inverse, offset, order=1, mode="reflect") for channel in range(3)
    ]
    return np.stack(channels, axis=2)


def _shrink(pixels: np.ndarray, shot: Shot, size: int, camera: Camera, *, margin: int) -> np.ndarray:
    """Blurs and shrinks an image: float64 [size, size, 3]."""
    side = len(pixels) - 2 * margin
    gaussian = np.exp(-0.5 * np.square(gaussian_places(camera) / max(shot.defocus, 1e-3)))
    table = kernel_windows(camera, side / size)[int(shot.kernel)] @ gaussian
    apart = distances(side, margin, size)
    steps = np.zeros(1) if camera.motion[1] == 0 else moments()
    small = np.zeros((size, size, 3))
    for step in shot.motion * steps:
        rows = _weights(table, apart - step * np.sin(shot.direction))
        columns = _weights(table, apart - step * np.cos(shot.direction))
        small += _multiply_rows(columns, _multiply_rows(rows, pixels).swapaxes(0, 1)).swapaxes(0, 1)
    return small / len(steps)


def _multiply_rows(weights: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Weights [new, old] times pixels [old, W, 3]: [new, W, 3]."""
    # Most weights are 0. A dense product would go to BLAS, whose threads wait for each other and add in any order.
    product = csr_array(weights) @ np.ascontiguousarray(pixels).reshape(len(pixels), -1)
    return product.reshape(len(weights), *pixels.shape[1:])


def _weights(table: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """What each old pixel gives to each new one, [size, old], from a table [T]; rows add up to 1."""
    half = (len(table) - 1) / 2
    weights = np.interp(apart * STEPS, np.arange(-half, half + 1), table)
    return weights / weights.sum(axis=1, keepdims=True)


def _sharpen(small: np.ndarray, shot: Shot) -> np.ndarray:
    """Adds what a 3 x 3 binomial window takes away once more."""
    padded = np.pad(small, [(1, 1), (1, 1), (0, 0)], "symmetric")
    soft = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    soft = (soft[:, :-2] + 2 * soft[:, 1:-1] + soft[:, 2:]) / 4
    return small + shot.sharpening * (small - soft)


def _add_noise(small: np.ndarray, shot: Shot, noise: np.ndarray) -> np.ndarray:
    """Noise of each channel's own and of all together, stronger where it is bright (EMVA 1288: variance is linear)."""
    own = 0.0 if shot.infrared else shot.chroma_noise
    mixed = np.sqrt(own) * noise[..., :3] + np.sqrt(1.0 - own) * noise[..., 3:]
    variance = 1.0 + shot.shot_noise * (small / 127.5 - 1.0)
    return small + shot.noise * np.sqrt(variance) * mixed


def _compress(small: np.ndarray, shot: Shot, size: int) -> np.ndarray:
    """One or two passes of JPEG."""
    block = int(shot.block) if shot.block < BLOCK * BLOCK else 0
    down, right = min(block // BLOCK, size), min(block % BLOCK, size)
    padded = np.pad(small, [(down, 0), (right, 0), (0, 0)], "symmetric")
    once = _as_jpeg(padded, int(shot.qualities[0]))[down:, right:]
    return _as_jpeg(once, int(shot.qualities[1])) if shot.second_jpeg else once


def _as_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "JPEG", quality=quality, subsampling=FOUR_TWO_ZERO)
    return np.array(Image.open(buffer))


def _to_uint8(image: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
