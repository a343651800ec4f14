"""The scripts as modules, and small inputs for them: photos, a prepared tree, a stand-in for FaceNet."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from lrfr_tf.main import run
from tests.faces_by_code import write_people
from tests.tools.small_runs import sentence

TOOLS = Path(__file__).parents[2] / "tools"
PEOPLE = {"1": 5, "2": 5, "3": 5, "10": 5}

Tool = Callable[[str], ModuleType]
Refused = Callable[..., str]


@pytest.fixture(scope="session")
def tool() -> Tool:
    """Name -> the module tools/<name>.py; the folder is not a package."""
    loaded: dict[str, ModuleType] = {}

    def load(name: str) -> ModuleType:
        if name not in loaded:
            specification = importlib.util.spec_from_file_location(f"tools_{name}", TOOLS / f"{name}.py")
            assert specification is not None
            assert specification.loader is not None
            loaded[name] = importlib.util.module_from_spec(specification)
            sys.modules[specification.name] = loaded[name]  # where Config's type hints are looked up
            with pytest.MonkeyPatch.context() as patch:
                patch.syspath_prepend(TOOLS)  # as when Python runs a script of that folder
                specification.loader.exec_module(loaded[name])
        return loaded[name]

    return load


@pytest.fixture(scope="session")
def photos(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of <person>/<photo>.png: four persons with five photos of 96 x 96 each. Read only."""
    root = tmp_path_factory.mktemp("photos")
    write_people(root, portrait, PEOPLE)
    return root


@pytest.fixture(scope="session")
def prepared(photos: Path, tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree that tools/prepare_folder.py makes of `photos`. Read only: copy it to change it."""
    output = tmp_path_factory.mktemp("prepared") / "tree"
    module = tool("prepare_folder")
    module.main(module.Config(images=str(photos), output=str(output)))
    return output


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """Runs a script's main through the wrapper of the command line, and returns the error that it ended with."""

    def call(module: Any, *flags: str) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            run(module.main, module.Config, ["script", *flags])
        assert stopped.value.code == 2
        return sentence(capsys.readouterr().err)

    return call
