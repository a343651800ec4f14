"""Photos of faces in a TensorFlow graph: the tf.data form of `camera_numpy`, for training."""

import tensorflow as tf

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
from lrfr_tf.images.degrade import degrade_in_graph


def photograph_in_graph(
    images: tf.Tensor, size: int, level: str | Camera, seed: tf.Tensor, *, margin: int = 0, misplaced: bool = True
) -> tf.Tensor:
    """Makes low-resolution faces as cameras do; see `images.camera`. Level "clean" is `degrade_in_graph` to the bit.

    Args:
        images: uint8 [N, S + 2 * margin, S + 2 * margin, 3]; N may be unknown when the graph is traced.
        size: side of the result, 1 to S.
        level: one of `images.camera.LEVELS`, or a camera.
        seed: int [2] for all images together, or [N, 2]: a photo then depends on its own image and seed alone.
        margin: what lies around the face on each side, in pixels of `images`; it is seen where a crop is misplaced and
            where blur reaches. Beyond it the image is reflected.
        misplaced: False: crops stay where they are, whatever the level.

    Returns:
        uint8 [N, size, size, 3].

    Raises:
        UserError: there is no such level.
        ValueError: another shape, dtype or size.
    """
    return _photograph(images, size, level, seed, margin=margin, misplaced=misplaced, with_target=False)[0]


def photograph_with_target_in_graph(
    images: tf.Tensor, size: int, level: str | Camera, seed: tf.Tensor, *, margin: int = 0, misplaced: bool = True
) -> tuple[tf.Tensor, tf.Tensor]:
    """`photograph_in_graph`, and what super-resolution should make of its result.

    Returns:
        uint8 [N, size, size, 3], and uint8 [N, S, S, 3]: the faces in the same place and the same colors, but sharp,
        without noise and without JPEG.
    """
    return _photograph(images, size, level, seed, margin=margin, misplaced=misplaced, with_target=True)


def draw_in_graph(seeds: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The random numbers of photos by their seeds, int [N, 2].

    Returns:
        float32 [N, DRAWS] within 0 to 1, and float32 [N, size, size, 4], normal ones for the noise.
    """

    def draw(seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        first, second = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
        noise = tf.random.stateless_normal((size, size, NOISE_CHANNELS), second)
        return tf.random.stateless_uniform((len(DRAWS),), first), noise

    signature = (tf.TensorSpec((len(DRAWS),), tf.float32), tf.TensorSpec((size, size, NOISE_CHANNELS), tf.float32))
    return tf.map_fn(draw, seeds, fn_output_signature=signature)


def apply_shot_in_graph(
    images: tf.Tensor, shot: Shot, noise: tf.Tensor, size: int, *, camera: Camera, margin: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Faces as their shots say.

    Args:
        images: uint8 [N, S + 2 * margin, S + 2 * margin, 3].
        noise: normal random numbers, float32 [N, size, size, 4].

    Returns:
        The photos, uint8 [N, size, size, 3], and the misplaced faces in full size with their margins, float32.
    """
    pixels = tf.cast(images, tf.float32)
    if camera.has_misplacement:
        pixels = _misplace(pixels, shot, margin)
    small = tone_in_graph(_sharpen(_shrink(pixels, shot, size, camera, margin=margin), shot, camera), shot)
    small = _to_uint8(_add_noise(small, shot, noise))
    if camera.jpeg:
        small = _compress(small, shot, size, camera.jpeg[1])
    return small, pixels


def tone_in_graph(images: tf.Tensor, shot: Shot) -> tf.Tensor:
    """Color cast, infrared grey, gamma, contrast and brightness of images [N, H, W, 3]: float32, 0 to 255."""
    colored = images * tf.stack(shot.gains, 1)[:, None, None]
    luma = tf.constant([RED_LUMA, GREEN_LUMA, BLUE_LUMA])
    weights = luma + shot.reflectance[:, None] * (tf.constant([1.0, 0.0, 0.0]) - luma)
    grey = tf.reduce_sum(colored * weights[:, None, None], axis=3, keepdims=True)
    colored = tf.where(_per_image(shot.infrared), grey, colored)
    light = tf.clip_by_value(colored / 255.0, 0.0, 1.0) ** _per_image(shot.gamma)
    toned = 255.0 * (0.5 + _per_image(shot.contrast) * (light - 0.5)) + _per_image(shot.brightness)
    return tf.clip_by_value(toned, 0.0, 255.0)


def _photograph(
    images: tf.Tensor,
    size: int,
    level: str | Camera,
    seed: tf.Tensor,
    *,
    margin: int,
    misplaced: bool,
    with_target: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    images, seed = tf.convert_to_tensor(images), tf.convert_to_tensor(seed)
    camera = find_camera(level) if misplaced else find_camera(level).without_misplacement()
    shape = images.shape
    if images.dtype != tf.uint8 or shape.rank != 4 or shape[1] is None or shape[1] != shape[2] or shape[3] != 3:
        raise ValueError(f"images are uint8 [N, S, S, 3], not {images.dtype.name} {shape}")
    side = shape[1] - 2 * margin
    if not 1 <= size <= side or margin < 0:
        raise ValueError(f"size is 1 to {side}, the side without its margins of 0 or more, not {size}; margin={margin}")
    inner = images[:, margin : margin + side, margin : margin + side]
    if camera == CLEAN:
        return degrade_in_graph(inner, size), inner
    count = tf.shape(images)[0]
    seeds = seed if seed.shape.rank == 2 else tf.random.experimental.stateless_split(seed, count)
    draws, noise = draw_in_graph(seeds, size)
    shot = sample_shot(camera, tf.unstack(draws, axis=1), size)
    small, pixels = apply_shot_in_graph(images, shot, noise, size, camera=camera, margin=margin)
    small.set_shape((shape[0], size, size, 3))
    if not with_target:
        return small, inner
    return small, _to_uint8(tone_in_graph(pixels[:, margin : margin + side, margin : margin + side], shot))


def _misplace(pixels: tf.Tensor, shot: Shot, margin: int) -> tf.Tensor:
    """Turns and scales images about their middle, then moves them."""
    rows = inverse_transform(shot, tf.cos(shot.angle), tf.sin(shot.angle), pixels.shape[1], margin=margin)
    zero = tf.zeros_like(rows[0])
    return project_in_graph(pixels, tf.stack([*rows, zero, zero], 1))


def project_in_graph(images: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Projective transforms of images, bilinear; what comes in at the edges is reflected.

    Args:
        images: [N, H, W, 3], uint8 or float.
        rows: float32 [N, 8], where a pixel of the result comes from: x' = (a x + b y + c) / (g x + h y + 1),
            y' = (d x + e y + f) / (g x + h y + 1).
    """
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=rows,
        output_shape=images.shape[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )


def _shrink(pixels: tf.Tensor, shot: Shot, size: int, camera: Camera, *, margin: int) -> tf.Tensor:
    """Blurs and shrinks images, each by weights of its own: float32 [N, size, size, 3]."""
    side = pixels.shape[1] - 2 * margin
    gaussian = tf.constant(gaussian_places(camera), tf.float32) / tf.maximum(shot.defocus, 1e-3)[:, None]
    gaussian = tf.exp(-0.5 * tf.square(gaussian))
    windows = tf.gather(tf.constant(kernel_windows(camera, side / size), tf.float32), tf.cast(shot.kernel, tf.int32))
    tables = tf.linalg.matvec(windows, gaussian)
    apart = tf.constant(distances(side, margin, size), tf.float32)
    steps = [0.0] if camera.motion[1] == 0 else moments()
    length = shot.motion[:, None] * tf.constant(steps, tf.float32)  # [N, moments]
    rows = _weights(tables, apart - (length * tf.sin(shot.direction)[:, None])[:, :, None, None])
    columns = _weights(tables, apart - (length * tf.cos(shot.direction)[:, None])[:, :, None, None])
    # All moments of the rows are one product, in which a row of pixels and its colors lie as they are in memory.
    count, whole = tf.shape(pixels)[0], pixels.shape[1]
    flat = tf.reshape(pixels, (count, whole, whole * 3))
    tall = tf.reshape(rows, (count, len(steps) * size, whole)) @ flat
    tall = tf.reshape(tall, (count, len(steps), size, whole, 3))
    return tf.einsum("nkxw,nkywc->nyxc", columns, tall) / len(steps)


def _weights(tables: tf.Tensor, apart: tf.Tensor) -> tf.Tensor:
    """What each old pixel gives to each new one, [N, moments, size, old], from tables [N, T]; rows add up to 1."""
    last = tables.shape[1] - 1
    places = tf.clip_by_value(apart * STEPS + last / 2, 0.0, last - 1e-3)
    below = tf.cast(places, tf.int32)
    low = tf.gather(tables, below, batch_dims=1)
    high = tf.gather(tables, below + 1, batch_dims=1)
    weights = low + (places - tf.cast(below, tf.float32)) * (high - low)
    return weights / tf.reduce_sum(weights, axis=3, keepdims=True)


def _sharpen(small: tf.Tensor, shot: Shot, camera: Camera) -> tf.Tensor:
    """Adds what a 3 x 3 binomial window takes away once more."""
    if camera.sharpening[1] == 0:
        return small
    padded = tf.pad(small, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    soft = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    soft = (soft[:, :, :-2] + 2 * soft[:, :, 1:-1] + soft[:, :, 2:]) / 4
    return small + _per_image(shot.sharpening) * (small - soft)


def _add_noise(small: tf.Tensor, shot: Shot, noise: tf.Tensor) -> tf.Tensor:
    """Noise of each channel's own and of all together, stronger where it is bright (EMVA 1288: variance is linear)."""
    own = tf.where(shot.infrared, tf.zeros_like(shot.chroma_noise), shot.chroma_noise)
    mixed = _per_image(tf.sqrt(own)) * noise[..., :3] + _per_image(tf.sqrt(1.0 - own)) * noise[..., 3:]
    variance = 1.0 + _per_image(shot.shot_noise) * (small / 127.5 - 1.0)
    return small + _per_image(shot.noise) * tf.sqrt(variance) * mixed


def _compress(small: tf.Tensor, shot: Shot, size: int, highest: int) -> tf.Tensor:
    """One or two passes of JPEG."""
    block = tf.cast(shot.block, tf.int32)
    block = tf.where(block < BLOCK * BLOCK, block, tf.zeros_like(block))
    most = min(BLOCK - 1, size)
    before = tf.minimum(tf.stack([block // BLOCK, block % BLOCK], 1), most)
    # A float32 just below 1 may come out as the number above the highest quality.
    qualities = tf.minimum(tf.cast(tf.stack(shot.qualities, 1), tf.int32), highest)

    def compress(parts: tuple[tf.Tensor, ...]) -> tf.Tensor:
        image, quality, offset, again = parts
        padded = tf.pad(image, [[most, 0], [most, 0], [0, 0]], "SYMMETRIC")[most - offset[0] :, most - offset[1] :]
        once = _as_jpeg(padded, quality[0])[offset[0] :, offset[1] :]
        return tf.ensure_shape(tf.cond(again, lambda: _as_jpeg(once, quality[1]), lambda: once), (size, size, 3))

    parts = (small, qualities, before, shot.second_jpeg)
    return tf.map_fn(compress, parts, fn_output_signature=tf.TensorSpec((size, size, 3), tf.uint8))


def _as_jpeg(image: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
    data = tf.raw_ops.EncodeJpegVariableQuality(images=image, quality=quality)
    return tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")


def _per_image(values: tf.Tensor) -> tf.Tensor:
    return values[:, None, None, None]


def _to_uint8(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.clip_by_value(tf.round(images), 0, 255), tf.uint8)
