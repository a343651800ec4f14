"""Runs the commands of an experiment one after another, shows each, and records what it took."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lrfr_tf.errors import UserError
from lrfr_tf.files import write_json

ROOT = Path(__file__).parent.parent


class Experiment:
    """A sequence of commands; `record` holds each with its seconds, for the documents that quote them.

    Args:
        record: a JSON file, written anew after every command.
        count: how many commands there will be, for the numbers shown.
    """

    def __init__(self, record: Path, count: int) -> None:
        self._record = record
        self._count = count
        self._steps: list[dict[str, object]] = []

    def run(self, text: str, script: str, *arguments: str) -> None:
        """Runs `python <script> <arguments>`; `script` is "-m package.module" or "tools/x.py" of this checkout.

        Raises:
            UserError: the command failed; what was wrong stands above.
        """
        words = [*(script.split() if script.startswith("-m ") else [in_checkout(script)]), *arguments]
        number = len(self._steps) + 1
        print(f"\n[{number}/{self._count}] {text}\n    python {shlex.join(words)}", flush=True)
        started = time.monotonic()
        done = subprocess.run([sys.executable, *words], check=False)
        if done.returncode != 0:
            raise UserError(f"Step {number} ({text}) failed; the reason stands above.")
        self._steps.append({"command": words, "seconds": round(time.monotonic() - started, 1)})
        write_json(self._record, self._steps)


def in_checkout(path: str) -> str:
    """The path of a file of the checkout, as seen from the working folder."""
    return os.path.relpath(ROOT / path)


def recognition_steps(
    experiment: Experiment, data: str, output: str, models: Mapping[str, str], evaluate: Sequence[str]
) -> None:
    """The steps after training: super-resolve, embed, fit heads, compare boxes, make the table.

    Args:
        data: a prepared tree.
        output: run folder.
        models: name, such as "srgan" -> its model folder or export, in the order of the table.
        evaluate: further flags of tools/evaluate_celeba.py.
    """
    methods = ",".join(["bicubic", *models])
    experiment.run(
        "super-resolve by bicubic and the networks",
        "tools/super_resolve.py",
        f"--data={data}",
        f"--model=bicubic,{','.join(models.values())}",
    )
    experiment.run(
        "find, crop and embed the faces",
        "tools/extract_embeddings.py",
        f"--data={data}",
        f"--methods=hr,{methods}",
        f"--output={output}/embeddings",
    )
    experiment.run(
        "fit the heads",
        "-m lrfr_tf.train_classifier",
        f"--embeddings={output}/embeddings",
        f"--methods=hr,{methods}",
        "--head=logistic,mlp,cosine",
        f"--output={output}/heads",
    )
    experiment.run(
        "compare the detected boxes",
        "tools/compare_detection.py",
        f"--embeddings={output}/embeddings",
        f"--methods={methods}",
        f"--output={output}/boxes",
    )
    experiment.run(
        "make the table and the report",
        "tools/evaluate_celeba.py",
        f"--data={data}",
        f"--embeddings={output}/embeddings",
        f"--heads={output}/heads",
        f"--methods=hr,{methods}",
        f"--output={output}/report",
        *evaluate,
    )


RECOGNITION_STEPS = 5
