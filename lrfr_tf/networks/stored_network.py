"""A network as exports store it: its weights alone, in the precision of choice."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.files import read_json

PRECISIONS = ("float32", "float16", "int8")
# The variables of packed weights, as an export names them.
PACKED = ("_values", "_factors", "_halves")


class StoredNetwork(tf.Module):
    """A network whose weights are stored in a precision of choice.

    Only the weights are part of the module: a Keras model would put every layer's description into the SavedModel.

    Args:
        network: computes in float32.
        precision: "float32"; "float16" for half the size; or "int8" for a quarter: whole numbers of -127 to 127 times a
            factor of each output channel, and float16 where a weight has one axis only.
    """

    def __init__(self, network: keras.Model, precision: str) -> None:
        super().__init__()
        weights = [variable.numpy() for variable in variables_of(network)]
        self._widened: WidenedWeights | None = None
        if precision == "float32":
            # Kept apart, as a network's variables are.
            count = len(network.trainable_variables)
            self._trainable = [tf.Variable(weight, trainable=False) for weight in weights[:count]]
            self._others = [tf.Variable(weight, trainable=False) for weight in weights[count:]]
            unpack: Callable[[Any], Sequence[tf.Tensor]] = list
        else:
            self._values, self._factors, self._halves = (
                tf.Variable(part, trainable=False) for part in pack(weights, precision)
            )
            layout = Layout.of(weights, precision)
            self._widen: Any = tf.function(layout.widen)
            self._widened = WidenedWeights(self._widen, [self._values, self._factors, self._halves])
            unpack = layout.unpack
        call = with_weights(network)
        self._compute: Any = tf.function(lambda stored, images, training: call(unpack(stored), images, training))

    def __call__(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """What the network gives; it cannot be trained."""
        if self._widened is None:
            weights = [tf.convert_to_tensor(weight) for weight in (*self._trainable, *self._others)]
            return self._compute(weights, images, training)
        return self._compute(self._widened.read(), images, training)


def variables_of(network: keras.Model) -> list[Any]:
    """Its variables in the order in which they are stored, and in which `with_weights` takes them."""
    return [*network.trainable_variables, *network.non_trainable_variables]


def with_weights(network: keras.Model) -> Callable[[Sequence[tf.Tensor], tf.Tensor, bool], tf.Tensor]:
    """What the network makes of images, with other weights in the place of its own variables."""
    call, count = network.stateless_call, len(network.trainable_variables)

    def compute(weights: Sequence[tf.Tensor], images: tf.Tensor, training: bool) -> tf.Tensor:
        return call(weights[:count], weights[count:], images, training=training)[0]

    return compute


def pack(weights: Sequence[np.ndarray], precision: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of any shapes in three rows of numbers: int8 values, their float32 factors, float16 values."""
    values, factors, halves = [np.zeros(0, np.int8)], [np.zeros(0, np.float32)], [np.zeros(0, np.float16)]
    for weight in weights:
        if _is_int8(weight.shape, precision):
            largest = np.abs(weight).max(axis=tuple(range(weight.ndim - 1)))
            factors.append(np.where(largest > 0, largest / 127, 1).astype(np.float32))
            with np.errstate(invalid="ignore"):  # weights that are not finite have such factors, too
                values.append(np.round(weight / factors[-1]).astype(np.int8).reshape(-1))
        else:
            with np.errstate(over="ignore"):  # what is too large becomes infinite
                halves.append(weight.astype(np.float16).reshape(-1))
    return np.concatenate(values), np.concatenate(factors), np.concatenate(halves)


def _is_int8(shape: Sequence[int], precision: str) -> bool:
    return precision == "int8" and len(shape) > 1


class Layout:
    """Where each weight is among packed ones, and among widened ones: 16 numbers a row."""

    # Memory that TensorFlow counts as aligned, 64 bytes: rows are split without a copy.
    ROW = 16

    def __init__(self, shapes: Sequence[tuple[int, ...]], precision: str) -> None:
        self.shapes = [tuple(shape) for shape in shapes]
        self._sizes = [int(np.prod(shape)) for shape in self.shapes]
        self._are_int8 = [_is_int8(shape, precision) for shape in self.shapes]
        self._rows = [-(-size // self.ROW) for size in self._sizes]
        self.all_rows = sum(self._rows)

    @classmethod
    def of(cls, weights: Sequence[np.ndarray], precision: str) -> "Layout":
        """The layout of weights that are packed in a precision."""
        return cls([weight.shape for weight in weights], precision)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """How many values, factors and halves there are."""
        together = list(zip(self.shapes, self._sizes, self._are_int8, strict=True))
        return (
            sum(size for _, size, is_int8 in together if is_int8),
            sum(shape[-1] for shape, _, is_int8 in together if is_int8),
            sum(size for _, size, is_int8 in together if not is_int8),
        )

    def widen_each(self, values: tf.Tensor, factors: tf.Tensor, halves: tf.Tensor) -> list[tf.Tensor]:
        """The weights, float32 and flat."""
        weights = []
        value = factor = half = 0
        for shape, size, is_int8 in zip(self.shapes, self._sizes, self._are_int8, strict=True):
            if is_int8:
                rows = tf.reshape(tf.cast(values[value : value + size], tf.float32), (-1, shape[-1]))
                weights.append(tf.reshape(rows * factors[factor : factor + shape[-1]], [-1]))
                value, factor = value + size, factor + shape[-1]
            else:
                weights.append(tf.cast(halves[half : half + size], tf.float32))
                half += size
        return weights

    def widen(self, values: tf.Tensor, factors: tf.Tensor, halves: tf.Tensor) -> tf.Tensor:
        """All weights as [R, 16]; each begins in a row of its own."""
        weights = self.widen_each(values, factors, halves)
        padded = [
            tf.pad(weight, [[0, rows * self.ROW - size]])
            for weight, rows, size in zip(weights, self._rows, self._sizes, strict=True)
        ]
        return tf.reshape(tf.concat(padded, 0), (self.all_rows, self.ROW))

    def unpack(self, widened: tf.Tensor) -> list[tf.Tensor]:
        """The weights in their shapes, out of what `widen` made."""
        weights = []
        for rows, shape, size in zip(tf.split(widened, self._rows), self.shapes, self._sizes, strict=True):
            weights.append(tf.reshape(tf.reshape(rows, [-1])[:size], shape))
        return weights


class WidenedWeights(tf.saved_model.experimental.TrackableResource):
    """Packed weights as one wider variable, which is not stored: every load of the model makes it anew.

    It is made by the model's initializer, as lookup tables are, which `tf.saved_model.load` and TF-Serving run after
    the weights were read. To widen FaceNet's 23 million weights in every call took 17 ms of CPU time of 57.

    Args:
        widen: makes one tensor of them, as `Layout.widen` does.
        packed: variables.
    """

    def __init__(self, widen: Callable[..., tf.Tensor], packed: list[tf.Variable]) -> None:
        super().__init__()
        self._widen = widen
        self._packed = packed
        widened = widen(*packed)
        self._shape, self._dtype = tuple(widened.shape), widened.dtype
        # All models of a process share the names of variables, so the same name must mean the same weights; and nobody
        # may destroy the variable, as another copy of the model may use it.
        self._name = f"widened_{hashlib.sha256(widened.numpy().tobytes()).hexdigest()}"
        self._initialize()

    def _create_resource(self) -> tf.Tensor:
        return tf.raw_ops.VarHandleOp(dtype=self._dtype, shape=self._shape, shared_name=self._name)

    def _initialize(self) -> None:
        widened = self._widen(*(tf.convert_to_tensor(variable) for variable in self._packed))
        tf.raw_ops.AssignVariableOp(resource=self.resource_handle, value=widened)

    def read(self) -> tf.Tensor:
        """The weights as `widen` makes them."""
        widened = tf.raw_ops.ReadVariableOp(resource=self.resource_handle, dtype=self._dtype)
        return tf.ensure_shape(widened, self._shape)


def rounded_weights(network: keras.Model, precision: str) -> list[np.ndarray]:
    """The network's weights as float32, as they are once stored; what is too large for float16 becomes infinite."""
    weights = network.get_weights()
    if precision == "float32":
        return weights
    layout = Layout.of(weights, precision)
    flat = layout.widen_each(*map(tf.constant, pack(weights, precision)))
    return [weight.numpy().reshape(shape) for weight, shape in zip(flat, layout.shapes, strict=True)]


def read_weights(version: Path, precision: str, network: keras.Model) -> bool:
    """Gives a network the weights that an export stores for it.

    Args:
        version: the folder of the export.
        precision: what they are stored in.

    Returns:
        Whether the export has weights of the network's shapes; if not, the network is left as it was.
    """
    reader = tf.train.load_checkpoint(str(version / "variables" / "variables"))
    stored = reader.get_variable_to_shape_map()
    variables = variables_of(network)
    layout = Layout([variable.shape for variable in variables], precision)
    packed = _key(PACKED[0]) in stored
    if not packed:
        count = len(network.trainable_variables)
        keys = [_key(f"_trainable/{place}") for place in range(count)]
        keys += [_key(f"_others/{place}") for place in range(len(variables) - count)]
        shapes: list[tuple[int, ...]] = layout.shapes
    else:
        keys = [_key(name) for name in PACKED]
        shapes = [(size,) for size in layout.sizes]
    if [tuple(stored.get(key, (-1,))) for key in keys] != shapes:
        return False
    arrays = [reader.get_tensor(key) for key in keys]
    if packed:
        arrays = [weight.numpy() for weight in layout.widen_each(*map(tf.constant, arrays))]
    for variable, array, shape in zip(variables, arrays, layout.shapes, strict=True):
        variable.assign(array.reshape(shape).astype(np.float32))
    return True


def _key(name: str) -> str:
    return f"{name}/.ATTRIBUTES/VARIABLE_VALUE"


def source_of(model: Path, checksum: str) -> dict[str, str]:
    """Where an export's weights come from, for its record.

    Args:
        model: the model folder of a run; only its last two names are told, as nobody needs the machine's own paths.
        checksum: SHA-256 of the stored network.
    """
    source = {"model": "/".join(model.resolve().parts[-2:]), "sha256": checksum}
    if (model.parent / "run.json").is_file():
        source["git_commit"] = read_json(model.parent / "run.json").get("git_commit")
    return source
