"""The networks that ship with the package: where a name is looked up, and which there are.

A name is looked up in the folders of $LRFR_TF_MODELS, then in the checkout's `saved_models/`, then in the installed
package. A path is taken as it is.
"""

import dataclasses
import os
from pathlib import Path

import lrfr_tf
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json
from lrfr_tf.networks.saved_model import RECORD, find_version

ENVIRONMENT = "LRFR_TF_MODELS"
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


def find_model(model: str | os.PathLike[str]) -> str:
    """The folder of a network that is given by its name or its path; other words are given back as they are.

    Args:
        model: a path, or the name of a network that `list_models` lists. Published networks such as "facenet" are known
            to the loader by name.
    """
    if Path(model).exists():
        return str(model)
    for folder in model_folders():
        if find_version(folder / model) is not None and len(Path(model).parts) == 1:
            return str(folder / model)
    return str(model)


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


def model_folders() -> list[Path]:
    """Where names are looked up, the first first."""
    package = Path(lrfr_tf.__file__).parent
    own = [Path(folder) for folder in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if folder]
    checkout = package.parent
    if (checkout / "pyproject.toml").is_file():
        own.append(checkout / "saved_models")
    return [*own, package / "saved_models"]
