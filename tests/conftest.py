"""Fixtures: real faces where there are some, and a clear skip where there are none."""

from collections.abc import Iterator
from pathlib import Path

from lrfr_tf.silence import silence_tensorflow

silence_tensorflow()  # before anything imports it

import keras  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"


def missing(reason: str) -> None:
    """Skips a test for want of data; where ../shared is present the data should be there too, so it fails instead."""
    if SHARED.is_dir():
        pytest.fail(f"../shared is present, so this must not be missing: {reason}")
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _precision_stays_in_its_test() -> Iterator[None]:
    """A train script sets Keras' global precision; the next test must not inherit it."""
    before = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(before)


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """The public-domain portrait of Eileen Collins (NASA), uint8 [512, 512, 3]; one face, near the top."""
    from skimage.data import astronaut

    return astronaut()


@pytest.fixture(scope="session")
def facenet_weights() -> Path:
    """The 128-D FaceNet weights, out of the cache."""
    from lrfr_tf.weights.sample_package import cached_facenet_weights

    path = cached_facenet_weights()
    if path is None:
        missing("the FaceNet weights are not in the cache; `make fetch` gets them")
    return path


@pytest.fixture(scope="session")
def sample_photos() -> Path:
    """The 118 sample photos: train/<person>/ and val/<person>/."""
    from lrfr_tf.weights.sample_package import cached_sample_photos

    path = cached_sample_photos()
    if path is None:
        missing("the sample photos are not in the cache; `make fetch` gets them")
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The faces for development."""
    folder = SHARED / "data"
    if not folder.is_dir():
        missing("../shared/data is absent: it holds faces for development that are not part of the project")
    return folder
