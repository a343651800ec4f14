"""The networks that can be loaded by their name, those that ship with the package among them."""

import dataclasses
from pathlib import Path

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json
from lrfr_tf.networks.model_lookup import model_folders
from lrfr_tf.networks.saved_model import RECORD, find_version

TERMS = "TERMS.txt"  # beside the versions of a network


@dataclasses.dataclass(frozen=True)
class ShippedModel:
    """A network that can be loaded by its name.

    Attributes:
        name: such as "siamese".
        version: of the export that is taken, its newest.
        kind: "embedder", "super_resolution" or "classifier".
        path: the folder of the export.
        terms: under which its weights may be used, in a sentence or two; empty where nobody wrote them down.
    """

    name: str
    version: int
    kind: str
    path: Path
    terms: str


def list_models() -> list[ShippedModel]:
    """The networks that can be loaded by name, in alphabetical order; of each the one that would be taken.

    Raises:
        UserError: the record of an export cannot be read.
    """
    models: dict[str, ShippedModel] = {}
    for folder in model_folders():
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            version = find_version(path)
            if path.name in models or version is None or not (version / RECORD).is_file():
                continue
            record = read_json(version / RECORD)
            if not isinstance(record, dict) or not {"kind", "version"} <= record.keys():
                raise UserError(f"{version / RECORD} is not the record of an export.")
            terms = path / TERMS
            text = " ".join(terms.read_text(encoding="utf-8").split()) if terms.is_file() else ""
            models[path.name] = ShippedModel(path.name, int(record["version"]), record["kind"], version, text)
    return [models[name] for name in sorted(models)]
