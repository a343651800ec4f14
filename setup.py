"""Puts the shipped networks into the wheel: saved_models/ here, lrfr_tf/saved_models/ there, one version of each; the
templates of the report, and the page of the service.

Everything else is in pyproject.toml.
"""

from pathlib import Path

from setuptools import find_packages, setup

MODELS = Path("saved_models")


def files_of(model: Path) -> list[str]:
    """The newest version of a network, and what lies beside its versions."""
    newest = max((path for path in model.iterdir() if path.name.isdecimal()), key=lambda path: int(path.name))
    beside = [path for path in model.iterdir() if path.is_file()]
    inside = [path for path in newest.rglob("*") if path.is_file()]
    return [path.relative_to(MODELS).as_posix() for path in sorted([*beside, *inside])]


setup(
    packages=[*find_packages(include=["lrfr_tf*"]), "lrfr_tf.saved_models"],
    package_dir={"lrfr_tf.saved_models": str(MODELS)},
    package_data={
        "lrfr_tf.saved_models": [file for model in sorted(MODELS.iterdir()) for file in files_of(model)],
        "lrfr_tf.study.report": ["templates/*"],
        "lrfr_tf.service": ["page/*"],
    },
)
