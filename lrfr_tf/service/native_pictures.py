"""Faces as the network saw them, before they were enlarged, for whoever looks at an answer."""

import base64
import io
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from lrfr_tf.service.compute import Computed

MOST_PICTURES = 200  # of one answer: a crowd would make it hundreds of megabytes


def native_pictures(computed: Sequence[Computed]) -> list[str]:
    """Base64 of a PNG for each face of all images in turn, the first `MOST_PICTURES` of them."""

    def pictures() -> Iterator[str]:
        for one in computed:
            for native in one.natives:
                yield base64.b64encode(png_of(native)).decode("ascii")

    return [picture for _, picture in zip(range(MOST_PICTURES), pictures(), strict=False)]


def png_of(pixels: np.ndarray) -> bytes:
    """A PNG of uint8 [H, W, 3]."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG")
    return stream.getvalue()
