"""A network as a TFLite file, and such a file as a function: the optional extra `tflite` (ai-edge-litert).

The converter is part of TensorFlow; the interpreter of TensorFlow itself is to be removed in favor of the package
ai-edge-litert (LiteRT), which also is what a small host installs instead of TensorFlow.
"""

import contextlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert import ConverterError  # TensorFlow exports the converter, but not its error

from lrfr_tf.errors import UserError
from lrfr_tf.export.convertible import Convertible
from lrfr_tf.silence import without_stderr

FORMS = ("float16", "int8")


def as_tflite(model: Convertible, form: str, calibration: np.ndarray | None = None) -> bytes:
    """The contents of a TFLite file: uint8 [1, S, S, 3] in, the model's answer to one face out.

    Args:
        form: "float16" stores the weights in half the size and computes in float32; "int8" computes in 8-bit integers
            wherever TFLite can (see `float_operations`), with ranges that the calibration faces showed.
        calibration: uint8 [n, S, S, 3], real faces; needed by "int8" alone.

    Raises:
        UserError: TFLite has no operation for something in the network.
        ValueError: another form, or "int8" without faces.
    """
    if form not in FORMS or (form == "int8" and (calibration is None or len(calibration) == 0)):
        raise ValueError(f"The form is {' or '.join(FORMS)}, the latter with calibration faces, not {form!r}.")
    # One face a call: XNNPACK, the fast kernels of TFLite, needs shapes that are known before.
    function = model.function(batch=1)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], function)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if form == "float16":
        converter.target_spec.supported_types = [tf.float16]
    else:
        faces = calibration

        def representative() -> Iterator[list[np.ndarray]]:
            for place in range(len(faces)):  # type: ignore[arg-type]
                yield [faces[place : place + 1]]  # type: ignore[index]

        converter.representative_dataset = representative
        # Both sets: what has no 8-bit kernel, such as a division, is computed in float32.
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
    try:
        with _silence():
            return converter.convert()
    except ConverterError as error:
        raise UserError(f"TFLite has no operations for all of {model.name}; `verbose` tells which it lacks.") from error


def open_tflite(content: bytes) -> Callable[[np.ndarray], np.ndarray]:
    """A TFLite file as a function from uint8 [N, S, S, 3] to the answers, face by face on one thread.

    Raises:
        UserError: the extra `tflite` is not installed.
    """
    interpreter = _interpreter(content)
    (entry,), (exit_,) = interpreter.get_input_details(), interpreter.get_output_details()

    def answer(faces: np.ndarray) -> np.ndarray:
        answers = []
        for place in range(len(faces)):
            interpreter.set_tensor(entry["index"], faces[place : place + 1])
            interpreter.invoke()
            answers.append(interpreter.get_tensor(exit_["index"]))
        return np.concatenate(answers)

    return answer


def float_operations(content: bytes) -> dict[str, int]:
    """Which operations of a TFLite file compute in float32, and how often each stands in it."""
    interpreter = _interpreter(content)
    types = {tensor["index"]: tensor["dtype"] for tensor in interpreter.get_tensor_details()}
    found: Counter[str] = Counter()
    for operation in interpreter._get_ops_details():  # no public way tells the operations
        tensors = [index for index in (*operation["inputs"], *operation["outputs"]) if index in types]
        kinds = {np.dtype(types[index]) for index in tensors}
        if np.dtype(np.float32) in kinds and operation["op_name"] not in ("DELEGATE", "QUANTIZE", "DEQUANTIZE"):
            found[operation["op_name"]] += 1
    return dict(sorted(found.items()))


def load_interpreter() -> Any:
    """The class of LiteRT's interpreter.

    Raises:
        UserError: the extra `tflite` is not installed.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter  # needed by nothing else
    except ImportError:
        raise UserError("Converting to TFLite needs ai-edge-litert: pip install 'lrfr-tf[tflite]'.") from None
    return Interpreter


def _interpreter(content: bytes) -> Any:
    interpreter = load_interpreter()(model_content=content, num_threads=1)
    with _silence():
        interpreter.allocate_tensors()
    return interpreter


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Mutes the lines that converter and interpreter write to stderr, and their warnings of no use."""
    with warnings.catch_warnings(), without_stderr():
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs were expected")
        yield
