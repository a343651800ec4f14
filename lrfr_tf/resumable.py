"""Output folders that an interrupted run goes on filling."""

from pathlib import Path
from typing import Any

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json


def open_folder(folder: Path, settings: dict[str, Any], record: str = "settings.json") -> None:
    """Makes `folder` and records `settings` in it; opens it again only for the same settings.

    Raises:
        UserError: the folder was begun with other settings (the differing keys are named), or holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another --output.")
    if (folder / record).is_file():
        before = read_json(folder / record)
        changed = sorted(key for key in before.keys() | settings.keys() if before.get(key) != settings.get(key))
        if changed:
            raise UserError(
                f"{folder} was begun with other settings ({', '.join(changed)}); choose another --output or delete it."
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty and was not made by this command; choose another --output.")
    else:
        write_json(folder / record, settings)
