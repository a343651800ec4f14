"""Measures how much of a gallery's file the stored pictures of faces take, by the height of the faces.

python tools/repository/measure_stored_pictures.py --gallery=people.db
"""

import dataclasses
import math

import lrfr_tf.quiet  # noqa: F401

import numpy as np

from lrfr_tf.config import required
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.references import read_picture
from lrfr_tf.gallery.store import Store
from lrfr_tf.images.decode import read_header
from lrfr_tf.main import run

BANDS = (0, 32, 64, 128, 256, 512)  # pixels; each ends where the next begins
ROW = "{:>16} {:>8} {:>10} {:>10} {:>16}"


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required("the gallery's file, such as people.db")


def main(config: Config) -> None:
    people = People(Store(config.gallery))
    stored = []
    for one in people.references():
        data = read_picture(people.store, one.id)
        if data is not None:
            header = read_header(data, one.id)
            stored.append((one.height, header.width * header.height, len(data)))
    print(ROW.format("face height", "pictures", "pixels", "kB", "bytes per pixel"))
    for least, most in zip(BANDS, (*BANDS[1:], math.inf), strict=True):
        band = np.array([row for row in stored if least <= row[0] < most])
        if len(band):
            pixels, size = np.median(band[:, 1]), np.median(band[:, 2])
            name = f"{least} to {most} px" if most < math.inf else f"{least} px and more"
            print(ROW.format(name, len(band), f"{pixels:,.0f}", f"{size / 1000:,.1f}", f"{size / pixels:.2f}"))
    total = sum(row[2] for row in stored)
    print(f"all: {total / 1e6:,.1f} MB, {total / max(1, len(stored)) / 1000:,.1f} kB each")


if __name__ == "__main__":
    run(main, Config)
