"""Output folders that an interrupted run goes on filling, and a later one where their data has grown."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, sha256, write_json

MANIFEST = "manifest.json"
SET_ASIDE = ".manifest-before.json"
GROWN_FROM = "grown_from"

_opened: list[Path] = []


def begin() -> None:
    """Says that a command begins: it has opened no folder yet."""
    _opened.clear()


def can_go_on() -> bool:
    """True if the command has opened a folder that the same command, started again, goes on filling."""
    return bool(_opened)


def open_folder(
    folder: Path,
    settings: dict[str, Any],
    record: str = "settings.json",
    *,
    of_data: Collection[str] = (),
    grown_from: Collection[str] = (),
    growing: Collection[str] = (),
) -> dict[str, Any]:
    """Makes `folder` and records `settings` in it; opens it again only for the same settings.

    Args:
        of_data: those settings that are checksums of data, each a text, or a dict of what they are of. A record
            that was written before there was such a setting is not held against it.
        grown_from: checksums that the data had before something was added to it. A folder that was begun with one of
            these goes on with the settings of now.
        growing: those settings, numbers, that may be larger than in the record, which is left as it is.

    Returns:
        The record: `settings`, or those that the folder was begun with.

    Raises:
        UserError: the folder was begun with other settings (the differing keys are named), its data changed since
            (what is different is named), or it holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another `output`.")
    if (folder / record).is_file():
        before = read_json(folder / record)
        keys = (before.keys() | settings.keys()) - {key for key in of_data if key not in before}
        larger = {key for key in growing if key in before and before[key] <= settings[key]}
        changed = sorted(key for key in keys - larger if before.get(key) != settings.get(key))
        if changed and set(changed) <= set(of_data):
            if all(before[key] in grown_from for key in changed):
                go_on_with(folder, settings, record)
                return settings
            what = sorted(part for key in changed for part in _changed_keys(before[key], settings.get(key)))
            raise UserError(
                f"{folder} was begun with other data: {', '.join(what) or 'what it was made of'} changed since; choose "
                "another `output` or delete it."
            )
        if changed:
            raise UserError(
                f"{folder} was begun with other settings ({', '.join(changed)}); choose another `output` or delete it."
            )
        _opened.append(folder)
        return before
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty and was not made by this command; choose another `output`.")
    write_json(folder / record, settings)
    _opened.append(folder)
    return settings


def go_on_with(folder: Path, settings: dict[str, Any], record: str = "settings.json") -> None:
    """Makes a folder whose data has grown one that is to be finished: its manifest is set aside."""
    if (folder / MANIFEST).is_file():
        (folder / MANIFEST).replace(folder / SET_ASIDE)
    write_json(folder / record, settings)


def manifest_before(folder: Path) -> dict[str, Any]:
    """The manifest that a folder had before it grew; nothing if it did not."""
    return read_json(folder / SET_ASIDE) if (folder / SET_ASIDE).is_file() else {}


def write_manifest(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Writes the manifest of a finished folder, and returns it.

    Where the folder has grown, "grown_from" tells the checksums of its manifests before, the oldest first: what was
    made of those can go on with what is new.
    """
    if (folder / SET_ASIDE).is_file():
        grown_from = [*manifest_before(folder).get(GROWN_FROM, ()), sha256(folder / SET_ASIDE)]
    elif (folder / MANIFEST).is_file():
        grown_from = read_json(folder / MANIFEST).get(GROWN_FROM, [])
    else:
        grown_from = []
    manifest = {key: value for key, value in manifest.items() if key != GROWN_FROM}
    manifest |= {GROWN_FROM: grown_from} if grown_from else {}
    write_json(folder / MANIFEST, manifest)
    (folder / SET_ASIDE).unlink(missing_ok=True)
    return manifest


def _changed_keys(before: Any, now: Any) -> list[str]:
    if not isinstance(before, dict) or not isinstance(now, dict):
        return []
    return [key for key in before.keys() | now.keys() if before.get(key) != now.get(key)]
