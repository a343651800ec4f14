"""A model as a SavedModel for TF-Serving: `<output>/<name>/<version>/`, tried in a new process, or not there at all.

What is exported is a `Servable`, whatever its kind; `export_super_resolution` makes one of a super-resolution network.
"""

import contextlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lrfr_tf.config import git_commit, versions
from lrfr_tf.errors import UserError
from lrfr_tf.export.check import EXPECTED, describe_signature
from lrfr_tf.export.warm_up import Request, write_warm_up
from lrfr_tf.files import atomic_folder, write_json
from lrfr_tf.images.resize import KERNEL
from lrfr_tf.networks.saved_model import RECORD, SCHEMA, content_checksum, file_checksums


class ExportError(UserError):
    """An export that is not what the live model is; nothing of it is left."""


@dataclass(frozen=True)
class Servable:
    """A model with its edges, ready to be exported.

    Args:
        kind: what those who load it must know, such as "super_resolution".
        module: holds the variables, and nothing that need not be stored.
        signatures: name -> concrete function with named inputs, that returns named outputs; with "serving_default".
        requests: calls of every signature, to warm up with and to try the export with.
        answers: what the live model, not the signatures, answers to each: output -> array.
        facts: what else the record shall hold, such as sizes and where the weights come from.
        largest_difference: how far a number that the export answers may be from that of the live model.
    """

    kind: str
    module: tf.Module
    signatures: dict[str, Any]
    requests: Sequence[Request]
    answers: Sequence[dict[str, np.ndarray]]
    facts: dict[str, Any]
    largest_difference: float = 1e-4


def new_version(output: Path, name: str, version: int) -> Path:
    """The folder `<output>/<name>/<version>`, which must not be there yet.

    Raises:
        UserError: it is there, or the name is none for a folder of models.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UserError(f"`name`={name} is not a name of lower-case letters, digits and underscores.")
    folder = output / name / str(version)
    if folder.exists():
        raise UserError(f"{folder} is there already and is not replaced; choose another `version`.")
    return folder


def export_saved_model(servable: Servable, output: Path, name: str, version: int) -> dict[str, Any]:
    """Writes `<output>/<name>/<version>/` and returns its record (`model.json`), which lists every file.

    Raises:
        UserError: `new_version` refuses, or the folder cannot be made.
        ExportError: the export was loaded in a new process and did not answer as the live model does.
    """
    folder = new_version(output, name, version)
    new_folders = [path for path in (output / name, output) if not path.exists()]
    try:
        with atomic_folder(folder) as temporary:
            tf.saved_model.save(servable.module, str(temporary), signatures=servable.signatures)
            # It holds a random number, so that the same weights would never give the same files.
            (temporary / "fingerprint.pb").unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                (temporary / "assets").rmdir()  # if it is empty; git keeps no empty folder either
            write_warm_up(temporary, name, servable.requests)
            check = _checked(temporary, servable)
            record = _record(servable, name, version, check, files=file_checksums(temporary))
            write_json(temporary / RECORD, record)
    except BaseException:
        for path in new_folders:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise
    return record


def _checked(saved_model: Path, servable: Servable) -> dict[str, Any]:
    answers = {f"{i}/{name}": array for i, answer in enumerate(servable.answers) for name, array in answer.items()}
    signatures = {name: describe_signature(function) for name, function in servable.signatures.items()}
    with tempfile.TemporaryDirectory() as expected:
        np.savez(Path(expected) / "answers.npz", **answers)  # type: ignore[arg-type]
        write_json(
            Path(expected) / EXPECTED, {"signatures": signatures, "largest_difference": servable.largest_difference}
        )
        return check_in_a_new_process(saved_model, Path(expected))


def check_in_a_new_process(saved_model: Path, expected: Path) -> dict[str, Any]:
    """What `check.check_export` finds in a process that has nothing of the live model.

    Raises:
        ExportError: the export does not answer as the live model does.
    """
    command = [sys.executable, "-m", "lrfr_tf.export.check", str(saved_model), str(expected)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 2:
        raise ExportError(f"The export failed its check: {done.stderr.strip().splitlines()[-1]}")
    if done.returncode != 0:
        raise RuntimeError(f"The check of the export stopped with code {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def _record(
    servable: Servable, name: str, version: int, check: dict[str, Any], *, files: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "kind": servable.kind,
        "name": name,
        "version": version,
        "signatures": {key: describe_signature(function) for key, function in sorted(servable.signatures.items())},
        "resize_kernel": KERNEL,
        **servable.facts,
        "check": check,
        "sha256": content_checksum(files),
        "bytes": sum(file["bytes"] for file in files.values()),
        "files": files,
        "git_commit": git_commit(),
        "versions": versions(),
    }
