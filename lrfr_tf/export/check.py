"""Tries an export in a process of its own: `python -m lrfr_tf.export.check VERSION_FOLDER EXPECTED_FOLDER`.

A model that works where it was made may still miss something on disk. So a new process, which knows the folder alone,
loads it, compares names and types of the signatures, sends every warm-up request, and compares the answers with those
of the live model. It prints one line of JSON and exits with 0, or one sentence and exits with 2.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.export.warm_up import read_warm_up
from lrfr_tf.files import read_json
from lrfr_tf.plural import counted

# Images are rounded to whole levels, and a sum in another order may fall on the other side of a half.
LARGEST_LEVELS, LARGEST_SHARE = 1, 0.001
# Names are sorted by their scores, and two whose scores are equal but for rounding may change places.
LARGEST_SHARE_OF_NAMES = 0.05
EXPECTED = "expected.json"


def check_export(version: Path, expected: Path) -> dict[str, Any]:
    """Loads an export and compares it with what it must be.

    Args:
        version: the export.
        expected: a folder with `expected.json`, which holds `signatures` (see `describe_signature`) and the
            `largest_difference` of a number, and `answers.npz`: for the warm-up request number i and each output, the
            array "i/<output>" of the live model.

    Returns:
        The number of requests sent, the largest difference, and in how many places (pixels, or numbers) there is one.

    Raises:
        UserError: something differs.
    """
    loaded = tf.saved_model.load(str(version))
    wanted = read_json(expected / EXPECTED)
    signatures = wanted["signatures"]
    found = {name: describe_signature(function) for name, function in loaded.signatures.items()}
    if found != signatures:
        raise UserError(f"The signatures are {json.dumps(found)}, not {json.dumps(signatures)}.")
    answers = np.load(expected / "answers.npz", allow_pickle=False)
    compared: set[str] = set()
    results: dict[str, Any] = {"requests": 0, "largest_difference": 0.0, "differing": 0, "places": 0}
    for number, request in enumerate(read_warm_up(version)):
        inputs = {name: tf.constant(array) for name, array in request.inputs.items()}
        outputs = loaded.signatures[request.signature](**inputs)
        for name, output in outputs.items():
            key = f"{number}/{name}"
            what = f"Output {name} of {request.signature}"
            _compare(what, output.numpy(), answers[key], results, largest_difference=wanted["largest_difference"])
            compared.add(key)
        results["requests"] += 1
    if compared != set(answers.files):
        raise UserError(
            f"The warm-up file has {counted(results['requests'], 'request')}, and not those of the live model."
        )
    return results


def describe_signature(function: Any) -> dict[str, dict[str, Any]]:
    """Inputs and outputs of a signature: name -> [dtype, shape], None for a free dimension.

    Args:
        function: a `tf.function` with fixed inputs, as a concrete function.
    """

    def described(specs: Any) -> dict[str, Any]:
        return {name: [spec.dtype.name, spec.shape.as_list()] for name, spec in sorted(specs.items())}

    positional, named = function.structured_input_signature
    inputs = {spec.name: spec for spec in positional} | named
    return {"inputs": described(inputs), "outputs": described(function.structured_outputs)}


def _compare(
    what: str, found: np.ndarray, wanted: np.ndarray, results: dict[str, Any], *, largest_difference: float
) -> None:
    if found.shape != wanted.shape:
        raise UserError(f"{what} has the shape {list(found.shape)}, not {list(wanted.shape)}.")
    if not np.issubdtype(wanted.dtype, np.number):
        differing = int(np.count_nonzero(np.char.decode(found.astype(bytes), "utf-8") != wanted))
        if differing > LARGEST_SHARE_OF_NAMES * wanted.size:
            raise UserError(f"{what} is not the live model's in {differing} of {wanted.size} places.")
        results["differing"] += differing
        results["places"] += wanted.size
        return
    differences = np.abs(found.astype(np.float64) - wanted.astype(np.float64))
    if wanted.dtype == np.uint8:
        differences = differences.max(axis=-1)  # pixels are counted, not their colors
    largest, differing = float(differences.max(initial=0.0)), int(np.count_nonzero(differences))
    if wanted.dtype == np.uint8:
        good = largest <= LARGEST_LEVELS and differing <= LARGEST_SHARE * differences.size
    else:
        good = largest <= largest_difference  # never true of NaN
    if not good:
        raise UserError(
            f"{what} differs from the live model's by up to {largest:g}, in {differing} of {differences.size} places."
        )
    results["largest_difference"] = max(results["largest_difference"], largest)
    results["differing"] += differing
    results["places"] += differences.size


if __name__ == "__main__":
    try:
        sys.stdout.write(json.dumps(check_export(Path(sys.argv[1]), Path(sys.argv[2]))) + "\n")
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
