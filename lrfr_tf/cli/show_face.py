"""Shows what the networks make of the faces in one photo: LR | bicubic | each model | HR, one face a row.

python -m lrfr_tf.cli.show_face --image=photo.jpg --model=runs/srcnn/model,runs/srgan/model --output=face.png
"""

import dataclasses
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.faces.frame import frame_face
from lrfr_tf.files import atomic_file
from lrfr_tf.images.camera import CLEAN_LEVEL, LEVELS
from lrfr_tf.images.camera_numpy import photograph_all
from lrfr_tf.images.decode import read_image
from lrfr_tf.main import start
from lrfr_tf.networks.super_resolution import bicubic, load_super_resolver
from lrfr_tf.plural import counted


@dataclasses.dataclass(frozen=True)
class Config:
    image: str = required("a photo")
    output: str = required("the picture to write (PNG)")
    model: tuple[str, ...] = option((), "models: what train_srcnn or train_srgan wrote, or exports")
    scale: float = option(
        1.3, "side of the square around a face, in units of the longer side of the detected box", above=0
    )
    camera: str = option(CLEAN_LEVEL, "how LR is made of the photo's face, see docs/camera.md", tuple(LEVELS))


def main(config: Config) -> None:
    photo = read_image(config.image)
    resolvers = [bicubic(), *(load_super_resolver(Path(folder)) for folder in config.model)]
    detection = FaceDetector().detect([photo])[0]
    if not detection.found:
        raise UserError(f"{config.image} holds no face that the detector finds.")
    high = np.stack([frame_face(photo, box, config.scale, 64) for box in detection.boxes])
    low = photograph_all(high, 16, config.camera, range(len(high)), misplaced=False)
    columns = {"LR 16 x 16": low}
    columns |= {resolver.name: resolver.super_resolve(low) for resolver in resolvers}
    columns |= {"HR 64 x 64": high}
    with atomic_file(config.output) as temporary:
        draw(temporary, columns)
    print(f"{config.output}: {counted(len(high), 'face')}")


def draw(path: Path, columns: dict[str, np.ndarray]) -> None:
    """Every face as one row, every column under its name; pixels stay squares."""
    rows = len(next(iter(columns.values())))
    figure = Figure(figsize=(2 * len(columns), 2 * rows + 0.3), layout="constrained")
    axes = figure.subplots(rows, len(columns), squeeze=False)
    for column, (name, images) in enumerate(columns.items()):
        axes[0, column].set_title(name)
        for row, image in enumerate(images):
            axes[row, column].imshow(image, interpolation="nearest")
            axes[row, column].axis("off")
    figure.savefig(path, dpi=100, format="png")


if __name__ == "__main__":
    start("lrfr_tf.cli.show_face")
