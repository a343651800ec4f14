"""The arrays that all peers are given."""

import zipfile
from pathlib import Path

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.faces.frame import frame_face
from lrfr_tf.images.decode import decode_image, read_image
from lrfr_tf.images.resize import resize

PORTRAIT_FACE = (182, 64, 265, 171)
PHOTOS = 8
SLICE_IMAGES = 12
SCENES = 2
BATCH_OF_SMALL = 64
LONGEST_PHOTO = 1000


def detection_inputs(photos: Path | None, celeba: Path | None) -> dict[str, list[np.ndarray]]:
    """Case -> images, uint8 [H, W, 3]; the cases that need photos which are not there are left out.

    Args:
        photos: the sample photos (`lrfr_tf.weights.sample_package`).
        celeba: `img_align_celeba.zip`; images at half size are enlarged to 178 x 218.

    Raises:
        UserError: scikit-image, which brings the portrait, is not installed.
    """
    portrait = public_portrait()
    cases = {"portrait, 178 x 218": [resize(portrait[:330, 80:350], 218, 178)]}
    tiles = [resize(portrait[:300, 90:390], 160, 160)[:, :: 1 - 2 * (i % 2)] for i in range(24)]
    faces = [resize(frame, 64, 64) for frame in framings(portrait, BATCH_OF_SMALL)]
    if photos is not None:
        files = sorted((photos / "val").glob("*/*.jpg"))
        some = [read_image(file) for file in files[:: len(files) // PHOTOS][:PHOTOS]]
        cases["sample photos"] = [image for image in some if max(image.shape[:2]) <= LONGEST_PHOTO]
    if celeba is not None:
        slice_images = [resize(image, 218, 178) for image in evenly_spread(celeba, max(SLICE_IMAGES, len(tiles)))]
        cases["CelebA slice, 178 x 218"] = slice_images[:SLICE_IMAGES]
        tiles = [resize(image[20:198], 160, 160) for image in slice_images]
        faces = [resize(image[30:208], 64, 64) for image in evenly_spread(celeba, BATCH_OF_SMALL)]
    cases["scenes of 12 faces, 640 x 480"] = [scene(tiles[12 * i : 12 * (i + 1)]) for i in range(SCENES)]
    cases["64 images of 64 x 64"] = faces
    return cases


def public_portrait() -> np.ndarray:
    """The public-domain portrait that scikit-image ships, uint8 [512, 512, 3]."""
    try:
        from skimage.data import astronaut
    except ImportError:
        raise UserError(
            "The portrait comes with scikit-image, which is not installed (pip install scikit-image)."
        ) from (None)
    return astronaut()


def framings(portrait: np.ndarray, count: int) -> list[np.ndarray]:
    """The portrait's face framed in `count` ways."""
    generator = np.random.default_rng(0)
    return [
        frame_face(portrait, np.add(PORTRAIT_FACE, generator.integers(-12, 13, size=4)), generator.uniform(1.3, 2.2))
        for _ in range(count)
    ]


def scene(tiles: list[np.ndarray]) -> np.ndarray:
    """Twelve tiles of 160 x 160 as one picture of 640 x 480."""
    return np.concatenate([np.concatenate(tiles[row : row + 4], axis=1) for row in (0, 4, 8)])


def evenly_spread(archive: Path, count: int) -> list[np.ndarray]:
    """`count` images of a zip, from all over it."""
    with zipfile.ZipFile(archive) as file:
        names = sorted(name for name in file.namelist() if name.endswith(".jpg"))
        chosen = [names[int(index)] for index in np.linspace(0, len(names) - 1, count)]
        return [decode_image(file.read(name), name) for name in chosen]
