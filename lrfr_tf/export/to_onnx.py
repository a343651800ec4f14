"""A network as an ONNX file, and such a file as a function: the optional extra `onnx` (tf2onnx, onnxruntime)."""

import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.export.convertible import Convertible

OPSET = 17
BATCH_SIZE = 32


def as_onnx(model: Convertible) -> bytes:
    """The contents of an ONNX file: uint8 [N, S, S, 3] of any N in, the model's answer out.

    Raises:
        UserError: the extra `onnx` is not installed.
    """
    tf2onnx, _ = load_packages()
    function = model.function(batch=None)
    quiet = logging.getLogger("tf2onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        converted, _ = tf2onnx.convert.from_function(function, function.input_signature, opset=OPSET)
    finally:
        quiet.setLevel(level)
    return converted.SerializeToString()


def open_onnx(content: bytes) -> Callable[[np.ndarray], np.ndarray]:
    """An ONNX file as a function from uint8 [N, S, S, 3] to the answers, on one thread of the CPU.

    Raises:
        UserError: the extra `onnx` is not installed.
    """
    _, onnxruntime = load_packages()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session: Any = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def answer(faces: np.ndarray) -> np.ndarray:
        starts = range(0, len(faces), BATCH_SIZE)
        return np.concatenate([session.run(None, {name: faces[start : start + BATCH_SIZE]})[0] for start in starts])

    return answer


def load_packages() -> tuple[ModuleType, ModuleType]:
    """The modules tf2onnx and onnxruntime.

    Raises:
        UserError: one of them is not installed.
    """
    try:
        import onnxruntime  # both are large, and needed by nothing else
        import tf2onnx
    except ImportError:
        raise UserError("Converting to ONNX needs tf2onnx and onnxruntime: pip install 'lrfr-tf[onnx]'.") from None
    return tf2onnx, onnxruntime
