"""The commands as modules, and small inputs for them: photos, and a prepared tree."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfr_tf.benchmarks.registry import BENCHMARKS
from lrfr_tf.cli.evaluate_benchmark import command_of
from lrfr_tf.main import run
from tests.faces_by_code import write_people
from tests.tools.small_runs import sentence

TOOLS = Path(__file__).parents[2] / "tools"
REPOSITORY = TOOLS / "repository"
PEOPLE = {"1": 5, "2": 5, "3": 5, "10": 5}

COMMANDS_OF_BENCHMARKS = {f"evaluate_{entry.name}" for entry in BENCHMARKS}

Tool = Callable[[str], Any]
Refused = Callable[..., str]


@pytest.fixture(scope="session")
def tool() -> Tool:
    """Name -> what has the `Config` and `main` of a command, or of a script of tools/repository."""

    def load(name: str) -> Any:
        if name in COMMANDS_OF_BENCHMARKS:
            return command_of(name.removeprefix("evaluate_"))
        ours = (REPOSITORY / f"{name}.py").is_file()
        return importlib.import_module(f"tools.repository.{name}" if ours else f"lrfr_tf.cli.{name}")

    return load


@pytest.fixture(scope="session")
def photos(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of <person>/<photo>.png: four persons with five photos of 96 x 96 each. Read only."""
    root = tmp_path_factory.mktemp("photos")
    write_people(root, portrait, PEOPLE)
    return root


@pytest.fixture(scope="session")
def prepared(photos: Path, tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree that prepare_folder makes of `photos`. Read only: copy it to change it."""
    output = tmp_path_factory.mktemp("prepared") / "tree"
    module = tool("prepare_folder")
    module.main(module.Config(images=str(photos), output=str(output)))
    return output


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """Runs a command's main through the wrapper of the command line, and returns the error that it ended with."""

    def call(module: Any, *flags: str) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            run(module.main, module.Config, ["script", *flags])
        assert stopped.value.code == 2
        return sentence(capsys.readouterr().err)

    return call
