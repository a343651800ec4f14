"""A new process: import, load, first answer, and what the import is made of."""

import json
import re
import subprocess
import sys
from typing import Any

from lrfr_tf.errors import UserError

# What `import lrfr_tf` alone should not load.
HEAVY = ("tensorflow", "keras", "torch", "cv2", "scipy", "sklearn", "matplotlib", "numpy")

STEPS = """
import json, sys, time
times = [time.perf_counter()]
def done(): times.append(time.perf_counter())
import lrfr_tf
heavy = [name for name in {heavy} if name in sys.modules]
done()
import numpy as np
from lrfr_tf.networks.embedding import load_embedder
done()
embedder = load_embedder({model!r})
done()
face = np.zeros((1, 16, 16, 3), np.uint8)
embedder.embed(face)
done()
embedder.embed(face)
done()
print(json.dumps({{"seconds": [after - before for before, after in zip(times, times[1:])], "heavy": heavy}}))
"""
STEP_NAMES = ("import lrfr_tf", "import the rest", "load the model", "first answer", "second answer")


def start(model: str) -> dict[str, Any]:
    """Seconds of each step of a new process that embeds one 16 px face, and the heavy packages of `import lrfr_tf`.

    Raises:
        UserError: the process failed.
    """
    output = json.loads(_run([sys.executable, "-c", STEPS.format(heavy=HEAVY, model=model)])[0].splitlines()[-1])
    return {"seconds": dict(zip(STEP_NAMES, output["seconds"], strict=True)), "heavy": output["heavy"]}


def import_seconds(statement: str, count: int = 8) -> dict[str, float]:
    """The packages that take longest in an import, by `python -X importtime`: name -> seconds of their own files.

    A package's time is that of all modules below its name, without those of other packages that they import.
    """
    # --verbose, since lrfr_tf closes stderr while TensorFlow is imported, and the table goes there.
    errors = _run([sys.executable, "-X", "importtime", "-c", statement, "--verbose"])[1]
    seconds: dict[str, float] = {}
    for own, name in re.findall(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", errors, re.MULTILINE):
        package = name.split(".")[0]
        seconds[package] = seconds.get(package, 0.0) + int(own) / 1e6
    slowest = sorted(seconds, key=lambda name: -seconds[name])[:count]
    return {name: round(seconds[name], 3) for name in slowest}


def _run(command: list[str]) -> tuple[str, str]:
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise UserError(f"A new Python failed: {(result.stderr.strip() or 'no reason given').splitlines()[-1]}")
    return result.stdout, result.stderr
