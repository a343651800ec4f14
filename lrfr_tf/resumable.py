"""Output folders that an interrupted run goes on filling."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json


def open_folder(
    folder: Path, settings: dict[str, Any], record: str = "settings.json", of_data: Collection[str] = ()
) -> dict[str, Any]:
    """Makes `folder` and records `settings` in it; opens it again only for the same settings.

    Args:
        of_data: those settings that are checksums of data, each a text, or a dict of what they are of. A record
            that was written before there was such a setting is not held against it.

    Returns:
        The record: `settings`, or those that the folder was begun with.

    Raises:
        UserError: the folder was begun with other settings (the differing keys are named), its data changed since
            (what is different is named), or it holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another --output.")
    if (folder / record).is_file():
        before = read_json(folder / record)
        keys = (before.keys() | settings.keys()) - {key for key in of_data if key not in before}
        changed = sorted(key for key in keys if before.get(key) != settings.get(key))
        if changed and set(changed) <= set(of_data):
            what = sorted(part for key in changed for part in _changed_keys(before[key], settings.get(key)))
            raise UserError(
                f"{folder} was begun with other data: {', '.join(what) or 'what it was made of'} changed since; choose "
                "another --output or delete it."
            )
        if changed:
            raise UserError(
                f"{folder} was begun with other settings ({', '.join(changed)}); choose another --output or delete it."
            )
        return before
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty and was not made by this command; choose another --output.")
    write_json(folder / record, settings)
    return settings


def _changed_keys(before: Any, now: Any) -> list[str]:
    if not isinstance(before, dict) or not isinstance(now, dict):
        return []
    return [key for key in before.keys() | now.keys() if before.get(key) != now.get(key)]
