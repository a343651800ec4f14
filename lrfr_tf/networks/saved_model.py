"""Folders of exported models: `<name>/<version>/`, each a SavedModel with `model.json`, the record of its export."""

import hashlib
from pathlib import Path
from typing import Any

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, sha256
from lrfr_tf.networks.model_lookup import find_model
from lrfr_tf.printable import name_bytes

SCHEMA = 1
RECORD = "model.json"
NEEDED = {"kind", "name", "version", "signatures", "sha256", "files"}
# What loaders of these kinds look up besides.
NEEDED_OF_KIND = {"super_resolution": {"low_size", "high_size"}, "classifier": {"parts", "cut"}}

# Sides of faces in pixels, of which no network takes more; a record may have none.
SIDES, LARGEST_SIDE = ("input_size", "aligned_size"), 1024


def find_version(folder: Path) -> Path | None:
    """The version folder that `folder` is, or the newest of those in it; None where there is none.

    Args:
        folder: a path, or a network's name (see `find_model`).
    """
    folder = find_model(folder)
    if (folder / "saved_model.pb").is_file() or (folder / RECORD).is_file():
        return folder
    if not folder.is_dir():
        return None
    numbers = [int(path.name) for path in folder.iterdir() if path.name.isdecimal() and path.is_dir()]
    return folder / str(max(numbers)) if numbers else None


def read_record(version: Path) -> dict[str, Any]:
    """Reads `model.json` of a version folder, and holds every file against it.

    Raises:
        UserError: the record is missing or of another schema, or a file is missing, was changed or cut off.
    """
    if not (version / RECORD).is_file():
        raise UserError(f"{version} has no {RECORD}, so nobody can tell what it is; lrfr export does.")
    record = read_json(version / RECORD)
    if not _is_record(record):
        raise UserError(f"{version / RECORD} is not the record of an export, or not of schema {SCHEMA}.")
    found, told = file_checksums(version), record["files"]
    differing = sorted(name for name in found.keys() | told.keys() if found.get(name) != told.get(name))
    if differing:
        raise UserError(
            f"{version / differing[0]} is missing or is not the file that {RECORD} describes (sha256 differs)."
        )
    if record["sha256"] != content_checksum(found):
        raise UserError(f"{version / RECORD} was changed: its sha256 is not that of the files it lists.")
    return record


def _is_record(record: Any) -> bool:
    if not isinstance(record, dict) or record.get("schema") != SCHEMA or not record.keys() >= NEEDED:
        return False
    if not isinstance(record["files"], dict) or not isinstance(record["signatures"], dict):
        return False
    sides = [record[key] for key in SIDES if key in record]
    if not all(isinstance(side, int) and 1 <= side <= LARGEST_SIDE for side in sides):
        return False
    return record.keys() >= NEEDED_OF_KIND.get(str(record["kind"]), set())


def file_checksums(version: Path) -> dict[str, dict[str, Any]]:
    """Relative path -> {"bytes", "sha256"} of every file of an export but its record."""
    files = sorted(path for path in version.rglob("*") if path.is_file() and path != version / RECORD)
    return {
        path.relative_to(version).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in files
    }


def content_checksum(files: dict[str, dict[str, Any]]) -> str:
    """One SHA-256 for all files of an export: that of the lines `<sha256>  <path>`, as `sha256sum` writes them."""
    lines = "".join(f"{files[name]['sha256']}  {name}\n" for name in sorted(files))
    return hashlib.sha256(name_bytes(lines)).hexdigest()
