"""Runs the commands of an experiment one after another, shows each, and records what it took."""

import logging
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lrfr_tf.errors import UserError
from lrfr_tf.files import write_json
from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.networks.saved_model import find_version

ROOT = Path(__file__).parents[2]

_logger = logging.getLogger(__name__)


class Experiment:
    """A sequence of commands; `record` holds each with its seconds, for the documents that quote them.

    Args:
        record: a JSON file, written anew after every command.
        count: how many commands there will be, for the numbers shown.
        show: is told each command before it runs.
    """

    def __init__(self, record: Path, count: int, show: Callable[[str], None]) -> None:
        self._record = record
        self._count = count
        self._show = show
        self._steps: list[dict[str, object]] = []

    def run(self, text: str, script: str, *arguments: str) -> None:
        """Runs `python <script> <arguments>`; `script` is "-m package.module" or "tools/x.py" of this checkout.

        Raises:
            UserError: the command failed; what was wrong stands above.
        """
        words = [*(script.split() if script.startswith("-m ") else [path_in_checkout(script)]), *arguments]
        number = len(self._steps) + 1
        self._show(f"\n[{number}/{self._count}] {text}\n    python {shlex.join(words)}")
        started = time.monotonic()
        done = subprocess.run([sys.executable, *words], check=False)
        if done.returncode != 0:
            raise UserError(f"Step {number} ({text}) failed; the reason stands above.")
        self._steps.append({"command": words, "seconds": round(time.monotonic() - started, 1)})
        write_json(self._record, self._steps)


def path_in_checkout(path: str) -> str:
    """The path of a file of the checkout, as seen from the working folder."""
    return os.path.relpath(ROOT / path)


def find_siamese(given: str | None, default: Path) -> str | None:
    """The newest version of the exported Siamese network, or None: its rows are left out then, which is logged.

    Args:
        given: its folder; "" leaves it out, None looks at `default`.

    Raises:
        UserError: a folder was given and holds no export.
    """
    folder = default if given is None else Path(given)
    version = find_version(folder) if given != "" else None
    if version is not None:
        return str(version)
    if given:
        raise UserError(f"`siamese`={given} holds no export; lrfr export makes one.")
    why = "as `siamese` is empty" if given == "" else f"as {folder} holds no export"
    _logger.info("The rows of the Siamese network are left out, %s.", why)
    return None


def check_levels(levels: Sequence[str]) -> list[str]:
    """The camera levels of an experiment, each once.

    Raises:
        UserError: "clean" is not among them.
    """
    if CLEAN_LEVEL not in levels:
        raise UserError(f"`camera`={','.join(levels)} lacks {CLEAN_LEVEL}, which the other levels are set beside.")
    return list(dict.fromkeys(levels))


def count_recognition_steps(siamese: str | None, levels: Sequence[str] = (CLEAN_LEVEL,)) -> int:
    """How many steps `recognition_steps` has."""
    # Every level but the clean one is photographed first, but its boxes and its curve are no steps of their own.
    return (6 if siamese is None else 8) + (len(levels) - 1) * (5 if siamese is None else 7)


def recognition_steps(
    experiment: Experiment,
    data: str,
    output: str,
    models: Mapping[str, str],
    *,
    siamese: str | None,
    held_out_divisor: int,
    title: str,
    note: str = "",
    levels: Sequence[str] = (CLEAN_LEVEL,),
    curve_levels: Sequence[str] | None = None,
) -> None:
    """The steps after training: super-resolve, embed, fit heads, compare boxes, accuracy against pixels, the table.

    Args:
        data: a prepared tree.
        output: run folder.
        models: name, such as "srgan" -> its model folder or export, in the order of the table.
        siamese: the exported Siamese network; None leaves out its rows.
        held_out_divisor: see `lrfr_tf.data.folders.is_held_out`.
        title, note: of the report.
        levels: camera levels, "clean" among them. For each of the others everything is done once more, with LR as that
            camera makes it, in `<output>/<level>`; the report sets them beside each other.
        curve_levels: camera levels of accuracy against pixels, which is quick; None: `levels`.
    """
    methods = ",".join(["bicubic", *models])
    evaluate = (f"--held_out_divisor={held_out_divisor}", f"--title={title}")
    further = [level for level in levels if level != CLEAN_LEVEL]
    for level in further:
        faces, folder = f"{output}/{level}/faces", f"{output}/{level}"
        experiment.run(
            f"photograph the faces, {level}",
            "tools/photograph_tree.py",
            f"--data={data}",
            f"--camera={level}",
            f"--output={faces}",
        )
        _recognize(experiment, faces, folder, models, siamese=siamese, after=f", {level}")
        experiment.run(
            f"make the table, {level}",
            "tools/evaluate_celeba.py",
            *_table_arguments(faces, folder, methods, siamese),
            f"--held_out_divisor={held_out_divisor}",
            f"--title={title}, camera level {level}",
        )
    _recognize(experiment, data, output, models, siamese=siamese)
    experiment.run(
        "compare the detected boxes",
        "tools/compare_detection.py",
        f"--embeddings={output}/embeddings",
        f"--methods={methods}",
        f"--output={output}/boxes",
    )
    given = [f"--siamese_embeddings={output}/siamese_embeddings"] if siamese is not None else []
    cameras = list(levels if curve_levels is None else curve_levels)
    experiment.run(
        "measure accuracy against pixels",
        "tools/evaluate_pixels.py",
        f"--data={data}",
        f"--embeddings={output}/embeddings",
        f"--models={','.join(f'{name}={folder}' for name, folder in models.items())}",
        *([f"--siamese={siamese}", *given] if siamese is not None else []),
        *([f"--camera={','.join(cameras)}"] if cameras != [CLEAN_LEVEL] else []),
        f"--output={output}/pixels/result.json",
        *evaluate,
    )
    experiment.run(
        "make the table and the report",
        "tools/evaluate_celeba.py",
        *_table_arguments(data, output, methods, siamese),
        f"--pixels={output}/pixels/result.json",
        *([f"--levels={','.join(f'{output}/{level}/report/result.json' for level in further)}"] if further else []),
        *evaluate,
        *([f"--note={note}"] if note else []),
    )


def _recognize(
    experiment: Experiment, data: str, output: str, models: Mapping[str, str], *, siamese: str | None, after: str = ""
) -> None:
    """Super-resolves, embeds and fits heads; `after` stands behind the text of each step."""
    methods = ",".join(["bicubic", *models])
    experiment.run(
        f"super-resolve by bicubic and the networks{after}",
        "tools/super_resolve.py",
        f"--data={data}",
        f"--model=bicubic,{','.join(models.values())}",
    )
    experiment.run(
        f"find, crop and embed the faces{after}",
        "tools/extract_embeddings.py",
        f"--data={data}",
        f"--methods=hr,{methods}",
        f"--output={output}/embeddings",
    )
    experiment.run(
        f"fit the heads{after}",
        "-m lrfr_tf.train_classifier",
        f"--embeddings={output}/embeddings",
        f"--methods=hr,{methods}",
        "--head=logistic,mlp,cosine",
        f"--output={output}/heads",
    )
    if siamese is not None:
        experiment.run(
            f"find, align and embed the faces for the Siamese network{after}",
            "tools/extract_embeddings.py",
            f"--data={data}",
            "--methods=hr,bicubic",
            f"--embedder={siamese}",
            "--crop=aligned",
            f"--output={output}/siamese_embeddings",
        )
        experiment.run(
            f"fit its heads{after}",
            "-m lrfr_tf.train_classifier",
            f"--embeddings={output}/siamese_embeddings",
            "--methods=hr,bicubic",
            "--head=logistic,cosine",
            f"--output={output}/siamese_heads",
        )


def _table_arguments(data: str, output: str, methods: str, siamese: str | None) -> list[str]:
    """The arguments of tools/evaluate_celeba.py that say what it is about and where it goes."""
    own = (f"--siamese_embeddings={output}/siamese_embeddings", f"--siamese_heads={output}/siamese_heads")
    return [
        f"--data={data}",
        f"--embeddings={output}/embeddings",
        f"--heads={output}/heads",
        f"--methods=hr,{methods}",
        *(own if siamese is not None else ()),
        f"--output={output}/report",
    ]
