"""Makes the LR faces of a prepared tree anew, as a camera takes them: with blur, noise and JPEG (docs/camera.md).

python -m lrfr_tf.cli.photograph_tree --data=datasets/celeba_face --camera=moderate \\
    --output=datasets/celeba_face_moderate
"""

import dataclasses
from pathlib import Path

from lrfr_tf.config import option, required
from lrfr_tf.data.photographed_tree import photograph_tree
from lrfr_tf.images.camera import LEVELS
from lrfr_tf.main import start


@dataclasses.dataclass(frozen=True)
class Config:
    data: str = required("a prepared tree (lrfr prepare celeba, lrfr prepare folder)")
    output: str = required("the tree to write; what is finished in it is not done again")
    camera: str = option("moderate", "how LR is made of HR, see docs/camera.md", tuple(LEVELS))


def main(config: Config) -> None:
    manifest = photograph_tree(Path(config.data), config.camera, Path(config.output))
    print(f"{config.output}: images {manifest['images']}, LR by the level {config.camera}")


if __name__ == "__main__":
    start("lrfr_tf.cli.photograph_tree")
