"""The sizes at which an image is searched for faces of all sizes."""

from lrfr_tf.models.mtcnn import CELL_SIZE

PYRAMID_FACTOR = 0.709  # Each level has about half the area of the one before.


def pyramid_scales(height: int, width: int, min_face_size: int) -> list[float]:
    """The scales at which an image is searched: a face of `min_face_size` fills a cell of the first level, and the last
    level is the smallest that still holds a cell. Empty if the image is smaller than a face.

    The package mtcnn counts its levels from the image size alone, so that with any other `min_face_size` than 20 it
    raises an error on small images (too large a value) or overlooks large faces (too small a value). At 20 both
    pyramids are the same.
    """
    scales = []
    scale = CELL_SIZE / min_face_size
    while scaled(min(height, width), scale) >= CELL_SIZE:
        scales.append(scale)
        scale *= PYRAMID_FACTOR
    return scales


def scaled(side: int, scale: float) -> int:
    """A side of an image at this scale, in whole pixels."""
    return int(side * scale + 1e-6)  # Rounded down, but 49 * (12 / 49) is 12 in spite of floating point.
