"""Weights of MTCNN's three nets, out of the package mtcnn 1.0.0, and kept as one `.npz` file in the cache folder.

The package's files are joblib files, that is, pickles. They are opened only if they are those of the published wheel,
and once: what is read from then on is the `.npz` file, which can hold nothing but arrays.
"""

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file, sha256
from lrfr_tf.models.mtcnn import output_net, proposal_net, refinement_net
from lrfr_tf.weights.sample_package import cache_folder

PACKAGE_SHA256 = {
    "pnet.lz4": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet.lz4": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet.lz4": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}

# The file is the same wherever it is made: NumPy writes no date into it and does not compress it.
CONVERTED_SHA256 = "85abe7e06f1f8aa979651169e80aa8e39cc8e66c1c1f7c58eb913612b376edfe"


@dataclass(frozen=True)
class Nets:
    """The three nets of `lrfr_tf.models.mtcnn` with their weights set."""

    proposal: keras.Model
    refinement: keras.Model
    output: keras.Model


# In the order of PACKAGE_SHA256.
BUILDERS: tuple[Callable[[], keras.Model], ...] = (proposal_net, refinement_net, output_net)


def mtcnn_nets() -> Nets:
    """The nets with the weights out of the cache, or else out of the package, and then kept in the cache.

    Raises:
        UserError: the weights are not in the cache, and those of the package are missing or are others.
    """
    path = converted_path()
    if path.is_file() and sha256(path) == CONVERTED_SHA256:
        return nets_from_file(path)
    nets = nets_from_package()
    with contextlib.suppress(UserError, OSError):  # a cache that cannot be written costs time only
        write_converted(nets, path)
    return nets


def converted_path() -> Path:
    """Where the converted weights are kept."""
    return cache_folder() / "mtcnn.npz"


def nets_from_package() -> Nets:
    """The nets with the weights of the installed package mtcnn.

    Raises:
        UserError: a file is missing or is not that of mtcnn 1.0.0.
    """
    nets = []
    for name, build in zip(PACKAGE_SHA256, BUILDERS, strict=True):
        net = build()
        values = read_package_weights(name)
        shapes = [tuple(variable.shape) for variable in net.variables]
        if [value.shape for value in values] != shapes:
            raise UserError(f"The weights in {name} do not have the shapes of the {net.name}.")
        net.set_weights(values)
        nets.append(net)
    return Nets(*nets)


def nets_from_file(path: Path) -> Nets:
    """The nets with the weights of a file that `write_converted` wrote.

    Raises:
        UserError: the file is missing, cannot be read, or holds other arrays than the nets have.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            values = {key: arrays[key] for key in arrays.files}
    except FileNotFoundError:
        raise UserError(f"{path} is missing.") from None
    except Exception as error:  # many kinds, by where the file is broken
        raise UserError(f"{path} cannot be read as a file of arrays.") from error
    nets = Nets(*(build() for build in BUILDERS))
    variables = named_variables(nets)
    if {key: value.shape for key, value in values.items()} != {key: tuple(v.shape) for key, v in variables.items()}:
        raise UserError(f"{path} does not hold the weights of MTCNN's three nets.")
    for key, variable in variables.items():
        variable.assign(values[key])
    return nets


def write_converted(nets: Nets, path: Path) -> None:
    """Writes all weights as float32 arrays into one `.npz` file, whole or not at all."""
    values = {key: np.asarray(variable, np.float32) for key, variable in named_variables(nets).items()}
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **values)  # type: ignore[arg-type]  # keywords are arrays, but for allow_pickle


def named_variables(nets: Nets) -> dict[str, keras.Variable]:
    """Every weight as "net/layer/weight", in the order of the layers."""
    return {
        f"{net.name}/{layer.name}/{variable.name}": variable
        for net in (nets.proposal, nets.refinement, nets.output)
        for layer in net.layers
        for variable in layer.variables
    }


def read_package_weights(name: str) -> list[np.ndarray]:
    """The arrays of one of the package's files, in the order of the layers."""
    path = checked_path(name)
    import joblib  # only needed when nothing is in the cache

    with without_lz4_warnings():
        return [np.asarray(value) for value in joblib.load(path)]


def checked_path(name: str) -> str:
    """The path of one of the package's weight files, once its sha256 is found right.

    The full path matters: given a bare name, the package would rather unpickle a file of that name in the working
    folder.

    Raises:
        UserError: the file is missing or is not that of mtcnn 1.0.0.
    """
    package = importlib.util.find_spec("mtcnn")  # found, not imported
    if package is None or package.origin is None:
        raise UserError("The package mtcnn 1.0.0 is missing; install it (pip install mtcnn==1.0.0).")
    path = Path(package.origin).parent / "assets" / "weights" / name
    if not path.is_file():
        raise UserError(f"{path} is missing; install mtcnn 1.0.0 again.")
    if sha256(path) != PACKAGE_SHA256[name]:
        raise UserError(f"{path} is not the file of mtcnn 1.0.0 (its sha256 differs), so it is not opened.")
    return str(path)


@contextlib.contextmanager
def without_lz4_warnings() -> Iterator[None]:
    """Keeps Python 3.13 from printing "Exception ignored in ..." while weights are read.

    joblib drops lz4's reader after closing the file below it; from 3.13 on the reader's own end complains of that.
    """
    before = sys.unraisablehook
    sys.unraisablehook = lambda unraisable: None
    try:
        yield
    finally:
        sys.unraisablehook = before
