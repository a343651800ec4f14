"""The pixels of a face as a gallery keeps them: those of the photo, whatever the size."""

import io

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.gallery.face_pictures import LOSSLESS_BELOW, cut_picture, decode_picture


def photo(height: int, width: int) -> np.ndarray:
    """Smooth, as photos are, and different everywhere."""
    small = np.random.default_rng(1).integers(0, 256, (9, 9, 3), np.uint8)
    return np.array(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("height", [20, 63, 64, 300, 513, 1400])
def test_pixels_are_those_of_the_photo(height: int) -> None:
    pixels = photo(2 * height + 40, 2 * height + 20)
    top_of_face = float(int(0.4 * height)) + 7.5  # sums of it are exact
    box = (0.3 * height + 5, top_of_face, 1.2 * height + 5, top_of_face + height)
    landmarks = np.array([[box[0] + 3, box[1] + 4]] * 5)
    picture = cut_picture(pixels, box, landmarks)
    left, top = box[0] - picture.box[0], box[1] - picture.box[1]
    assert (left, top) == (round(left), round(top))
    high, wide = picture.pixels.shape[:2]
    assert high >= 1.9 * height
    expected = pixels[round(top) : round(top) + high, round(left) : round(left) + wide]
    assert (picture.pixels == expected).all()
    assert picture.landmarks is not None
    np.testing.assert_allclose(picture.landmarks[0], [picture.box[0] + 3, picture.box[1] + 4], atol=1e-3)
    data = picture.encoded()
    stored = decode_picture(data)
    assert stored.shape == picture.pixels.shape
    if height < LOSSLESS_BELOW:
        assert (stored == expected).all()
    else:
        assert Image.open(io.BytesIO(data)).format == "JPEG"
        assert Image.open(io.BytesIO(data)).layer[0][1:3] == (1, 1)  # type: ignore[attr-defined]  # 4:4:4
        assert np.abs(stored.astype(int) - expected).max() <= 12
