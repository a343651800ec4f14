"""Where a network that is given by its name lies.

A name is looked up in the folders of $LRFR_TF_MODELS, then in the checkout's `saved_models/`, then in the installed
package. A path is taken as it is.
"""

import os
from pathlib import Path

ENVIRONMENT = "LRFR_TF_MODELS"
PACKAGE = Path(__file__).parent.parent


def find_model(model: str | os.PathLike[str]) -> Path:
    """The folder of a network that is given by its path or its name; what is neither is given back as it is.

    Args:
        model: a path, or the name of a network that `list_models` lists.
    """
    path = Path(model)
    if not path.exists() and len(path.parts) == 1:
        for folder in model_folders():
            if (folder / path).is_dir():
                return folder / path
    return path


def model_folders() -> list[Path]:
    """Where names are looked up, the first first."""
    own = [Path(folder) for folder in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if folder]
    checkout = PACKAGE.parent
    if (checkout / "pyproject.toml").is_file():
        own.append(checkout / "saved_models")
    return [*own, PACKAGE / "saved_models"]
