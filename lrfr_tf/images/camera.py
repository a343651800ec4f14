"""Faces as cameras make them: what lens, sensor, picture processing, codec and landmarks do to one, in three levels.

This is the one place for it. Here are the levels and what one photo draws from them; `camera_numpy` takes photos with
NumPy and Pillow, for evaluation, and `camera_in_graph` in a tf.data graph, for training. Both do the same to a face:

1. the crop is misplaced: turned, scaled and moved, as by landmarks that are a little off;
2. defocus and motion blur it, a kernel shrinks it, the camera sharpens it;
3. color cast, infrared grey, gamma, contrast and brightness;
4. noise of the sensor, then one or two passes of JPEG.

docs/camera.md has a table of the levels with the source of each number. They were fixed before the first training.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

from lrfr_tf.errors import UserError

Range = tuple[float, float]
Kernel = Literal["bicubic", "bilinear", "box", "lanczos", "aliased"]

# The misplacement of a crop is named for faces of this size and larger ones. Smaller faces have worse landmarks: it
# grows with the square root of their size, up to a factor.
LANDMARK_SIZE, MOST_MISPLACEMENT = 24, 1.6
# Half of the JPEGs have their blocks of 8 x 8 pixels anywhere, as if the camera had compressed its whole picture; the
# others begin at the crop's corner, as a stored crop does.
BLOCK = 8


@dataclasses.dataclass(frozen=True)
class Camera:
    """What a camera may do to a face. A photo draws each from its range evenly, ratios evenly on a logarithmic scale.

    The default does nothing but shrink. "Small pixels" are those of the result, grey levels are 0 to 255.

    Attributes:
        kernels: ways of shrinking; each photo takes one of them. "aliased" is bilinear without antialiasing.
        defocus: standard deviation of a Gaussian, in small pixels.
        motion: length of a straight path during exposure in any direction, in small pixels.
        sharpening: share of the detail finer than a small pixel's neighborhood that is added once more.
        color_cast: gain of each color channel, a ratio.
        infrared: share of the photos that are grey.
        gamma: exponent of the levels as shares of 255, a ratio: below 1 is brighter.
        contrast: slope about mid-grey, a ratio.
        brightness: added to all levels, in grey levels.
        noise: standard deviation at mid-grey in each channel, in grey levels.
        shot_noise: share of its variance that grows in proportion to the level; the rest is the same at all levels.
        chroma_noise: share of its variance that is independent in each channel; the rest is the same in all. Grey
            photos have none.
        jpeg: qualities of libjpeg, 1 to 100, whole numbers, both included; None: no JPEG. Chroma is stored at half the
            size, 4:2:0.
        second_jpeg: share of the photos that are compressed twice.
        rotation: of the crop, in degrees to either side; like the next two for faces of 24 px and more, for smaller
            ones up to 1.6 times as much.
        scale: of the crop, a ratio to either side.
        shift: of the crop along each axis to either side, as a share of its side.
    """

    kernels: tuple[Kernel, ...] = ("bicubic",)
    defocus: Range = (0.0, 0.0)
    motion: Range = (0.0, 0.0)
    sharpening: Range = (0.0, 0.0)
    color_cast: Range = (1.0, 1.0)
    infrared: float = 0.0
    gamma: Range = (1.0, 1.0)
    contrast: Range = (1.0, 1.0)
    brightness: Range = (0.0, 0.0)
    noise: Range = (0.0, 0.0)
    shot_noise: Range = (0.0, 1.0)
    chroma_noise: Range = (0.0, 1.0)
    jpeg: tuple[int, int] | None = None
    second_jpeg: float = 0.0
    rotation: float = 0.0
    scale: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        if not self.kernels or not set(self.kernels) <= set(get_args(Kernel)):
            raise ValueError(f"kernels are some of {', '.join(get_args(Kernel))}, not {self.kernels}")
        for name, least, most in BOUNDS:
            value = getattr(self, name)
            low, high = value if isinstance(value, tuple) else (value, value)
            if not least <= low <= high <= most:
                raise ValueError(f"{name} of a camera lies within {least} to {most} and rises, unlike {value}")
        if self.jpeg is not None and not 1 <= self.jpeg[0] <= self.jpeg[1] <= 100:
            raise ValueError(f"jpeg of a camera lies within 1 to 100 and rises, unlike {self.jpeg}")

    @property
    def has_misplacement(self) -> bool:
        """Whether crops are turned, scaled or moved."""
        return (self.rotation, self.scale, self.shift) != (0.0, 1.0, 0.0)

    def without_misplacement(self) -> "Camera":
        """The same camera with landmarks that are never off."""
        return dataclasses.replace(self, rotation=0.0, scale=1.0, shift=0.0)


# What an option may be at all: (its name, least, most).
BOUNDS = (
    ("defocus", 0.0, 4.0),
    ("motion", 0.0, 8.0),
    ("sharpening", 0.0, 4.0),
    ("color_cast", 0.1, 10.0),
    ("infrared", 0.0, 1.0),
    ("gamma", 0.1, 10.0),
    ("contrast", 0.01, 10.0),
    ("brightness", -255.0, 255.0),
    ("noise", 0.0, 255.0),
    ("shot_noise", 0.0, 1.0),
    ("chroma_noise", 0.0, 1.0),
    ("second_jpeg", 0.0, 1.0),
    ("rotation", 0.0, 45.0),
    ("scale", 1.0, 2.0),
    ("shift", 0.0, 0.5),
)

CLEAN = Camera()
MODERATE = Camera(
    kernels=("bicubic", "bilinear", "box", "lanczos"),
    defocus=(0.0, 0.7),
    motion=(0.0, 1.0),
    sharpening=(0.0, 0.3),
    color_cast=(0.95, 1.05),
    infrared=0.1,
    gamma=(0.87, 1.15),
    contrast=(0.85, 1.15),
    brightness=(-8.0, 8.0),
    noise=(2.0, 9.0),
    jpeg=(45, 90),
    second_jpeg=0.3,
    rotation=3.0,
    scale=1.03,
    shift=0.02,
)
HARSH = Camera(
    kernels=("bicubic", "bilinear", "box", "lanczos", "aliased"),
    defocus=(0.1, 1.3),
    motion=(0.0, 2.0),
    sharpening=(0.0, 0.6),
    color_cast=(0.85, 1.18),
    infrared=0.2,
    gamma=(0.6, 1.7),
    contrast=(0.65, 1.2),
    brightness=(-25.0, 25.0),
    noise=(4.0, 17.0),
    jpeg=(25, 70),
    second_jpeg=0.5,
    rotation=6.0,
    scale=1.06,
    shift=0.04,
)
CLEAN_LEVEL = "clean"  # what probes are where no level is named
LEVELS = {CLEAN_LEVEL: CLEAN, "moderate": MODERATE, "harsh": HARSH}

# The random numbers of one photo, in this order, each evenly within 0 to 1. A photo of the same numbers at another
# level or size is the same accident, only stronger or smaller.
DRAWS = (
    "kernel", "defocus", "motion", "direction", "sharpening", "red", "green", "blue", "infrared", "reflectance",
    "gamma", "contrast", "brightness", "noise", "shot_noise", "chroma_noise", "jpeg", "block", "second_jpeg",
    "second_quality", "rotation", "scale", "right", "down",
)  # fmt: skip
NOISE_CHANNELS = 4  # normal numbers of each small pixel: of red, green and blue, and one that all of them share


@dataclasses.dataclass(frozen=True)
class Shot:
    """What one photo drew, or each of N: numbers, NumPy arrays or tensors, in the units of `Camera`.

    Attributes:
        kernel: a real number; its whole part is the index among the camera's kernels.
        direction: of the motion, in radians.
        gains: of red, green and blue.
        infrared, second_jpeg: whether.
        reflectance: how much of an infrared grey is the red channel, where skin is as bright as in infrared; the rest
            is luma.
        qualities: of the two passes; real numbers whose whole parts count.
        block: a real number within 0 to 128, whose whole part is 8 * row + column of the first block in the crop, or
            no offset from 64.
        angle: radians.
        right, down: shares of the crop's side.
    """

    kernel: Any
    defocus: Any
    motion: Any
    direction: Any
    sharpening: Any
    gains: tuple[Any, Any, Any]
    infrared: Any
    reflectance: Any
    gamma: Any
    contrast: Any
    brightness: Any
    noise: Any
    shot_noise: Any
    chroma_noise: Any
    qualities: tuple[Any, Any]
    block: Any
    second_jpeg: Any
    angle: Any
    scale: Any
    right: Any
    down: Any


def find_camera(level: str | Camera) -> Camera:
    """The camera of a level's name; a camera is itself.

    Raises:
        UserError: there is no such level.
    """
    if isinstance(level, Camera):
        return level
    if level not in LEVELS:
        raise UserError(f"There is no camera level {level!r}, only {', '.join(LEVELS)}.")
    return LEVELS[level]


def misplacement_factor(size: int) -> float:
    """How many times farther off the landmarks of faces of `size` pixels are than those of large ones, 1 to 1.6."""
    return min(max(math.sqrt(LANDMARK_SIZE / size), 1.0), MOST_MISPLACEMENT)


def sample_shot(camera: Camera, draws: Sequence[Any], size: int) -> Shot:
    """What photos of `size` pixels draw: arithmetic alone, so it serves numbers, NumPy arrays and tensors alike.

    Args:
        draws: for each of `DRAWS` a random number within 0 to 1, or N of them.
    """
    of = dict(zip(DRAWS, draws, strict=True))
    factor = misplacement_factor(size)
    low, high = camera.jpeg or (100, 100)

    def evenly(name: str, within: Range) -> Any:
        return within[0] + of[name] * (within[1] - within[0])

    def by_ratio(name: str, within: Range) -> Any:
        return within[0] * (within[1] / within[0]) ** of[name]

    def either_side(name: str, most: float) -> Any:
        return (2.0 * of[name] - 1.0) * (most * factor)

    return Shot(
        kernel=of["kernel"] * len(camera.kernels),
        defocus=evenly("defocus", camera.defocus),
        motion=evenly("motion", camera.motion),
        direction=of["direction"] * math.pi,
        sharpening=evenly("sharpening", camera.sharpening),
        gains=tuple(by_ratio(name, camera.color_cast) for name in ("red", "green", "blue")),
        infrared=of["infrared"] < camera.infrared,
        reflectance=of["reflectance"],
        gamma=by_ratio("gamma", camera.gamma),
        contrast=by_ratio("contrast", camera.contrast),
        brightness=evenly("brightness", camera.brightness),
        noise=evenly("noise", camera.noise),
        shot_noise=evenly("shot_noise", camera.shot_noise),
        chroma_noise=evenly("chroma_noise", camera.chroma_noise),
        qualities=(evenly("jpeg", (low, high + 1)), evenly("second_quality", (low, high + 1))),
        block=of["block"] * (2 * BLOCK * BLOCK),
        second_jpeg=of["second_jpeg"] < camera.second_jpeg,
        angle=either_side("rotation", math.radians(camera.rotation)),
        scale=camera.scale ** either_side("scale", 1.0),
        right=either_side("right", camera.shift),
        down=either_side("down", camera.shift),
    )


def inverse_transform(
    shot: Shot, cosine: Any, sine: Any, side: int, *, margin: int
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Where a pixel of a misplaced image comes from, the image being turned and scaled about its middle, then moved.

    Arithmetic alone, as in `sample_shot`.

    Args:
        cosine, sine: of the shot's angle.
        side: of the image with its margins.
        margin: what lies around the face, of whose side the shifts are shares.

    Returns:
        a to f of x' = a x + b y + c, y' = d x + e y + f, in pixels.
    """
    middle = (side - 1) / 2
    x, y = middle + shot.right * (side - 2 * margin), middle + shot.down * (side - 2 * margin)
    across, along = cosine / shot.scale, sine / shot.scale
    return across, along, middle - across * x - along * y, -along, across, middle + along * x - across * y
