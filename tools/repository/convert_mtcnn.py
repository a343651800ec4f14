"""Turns the weights in the package mtcnn 1.0.0 into one `.npz` file, which is read without a pickle.

    python tools/repository/convert_mtcnn.py

The face detector does this by itself when it is first used; run it to have the file somewhere else, or beforehand.
"""

from dataclasses import dataclass
from pathlib import Path

import lrfr_tf.quiet  # noqa: F401

from lrfr_tf.config import option
from lrfr_tf.files import sha256
from lrfr_tf.main import run
from lrfr_tf.weights.mtcnn import converted_path, nets_from_package, write_converted


@dataclass(frozen=True)
class Config:
    output: str | None = option(None, "the .npz file to write; mtcnn.npz in the cache folder if not given")


def main(config: Config) -> None:
    output = Path(config.output) if config.output else converted_path()
    write_converted(nets_from_package(), output)
    print(f"{output}\nsha256 {sha256(output)}")


if __name__ == "__main__":
    run(main, Config)
