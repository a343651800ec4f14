"""tools/<verb>.py calls the command of that name in lrfr_tf.cli, and explains itself as that does."""

import ast
import importlib
import re
import sys
from pathlib import Path

import pytest

from lrfr_tf.benchmarks.registry import BENCHMARKS
from lrfr_tf.cli.evaluate_benchmark import command_of
from lrfr_tf.main import run, start
from tests.cli.conftest import TOOLS
from tests.tools.small_runs import finish_script

REPOSITORY = TOOLS / "repository"
NEW = {"__init__", "command", "drawn", "evaluate_benchmark", "models", "serve"}  # never were in tools/
NAMES = sorted(path.stem for path in TOOLS.glob("*.py"))
COMMANDS = Path(importlib.import_module("lrfr_tf.cli").__path__[0])
FORWARDER = '''"""See lrfr_tf.cli.{name}."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.{name}")
else:
    from lrfr_tf.cli.{name} import Config, main  # noqa: F401
'''


OF_BENCHMARKS = {f"evaluate_{entry.name}": entry.name for entry in BENCHMARKS}
FORWARDER_OF_BENCHMARK = '''"""The benchmark {name}; see lrfr_tf.cli.evaluate_benchmark."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.evaluate_benchmark", part="{name}")
else:
    from lrfr_tf.cli.evaluate_benchmark import command_of

    command = command_of("{name}")
    main, Config = command.main, command.Config
'''


def test_every_command_has_a_forwarder() -> None:
    names = {path.stem for path in COMMANDS.glob("*.py")} - NEW
    assert sorted([*(name for name in names if not name.startswith("train_")), *OF_BENCHMARKS]) == NAMES
    scripts = {path.stem for path in COMMANDS.parent.glob("train_*.py")}
    assert {name for name in names if name.startswith("train_")} == scripts


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OF_BENCHMARKS])
def test_a_forwarder_shows_the_help_of_its_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (TOOLS / f"{name}.py").read_text() == FORWARDER.format(name=name)
    forwarder, command = importlib.import_module(f"tools.{name}"), importlib.import_module(f"lrfr_tf.cli.{name}")
    assert (forwarder.main, forwarder.Config) == (command.main, command.Config)
    with pytest.raises(SystemExit) as stopped:
        run(forwarder.main, forwarder.Config, [f"tools/{name}.py", "--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(str(command.__doc__).strip())
    assert re.search(rf"^ *(lrfr [a-z_-]+|python -m lrfr_tf\.cli\.{name}) ", text, re.MULTILINE)  # how it is started
    assert "--verbose" in text


@pytest.mark.parametrize("name", OF_BENCHMARKS)
def test_the_forwarder_of_a_benchmark_shows_its_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (TOOLS / f"{name}.py").read_text() == FORWARDER_OF_BENCHMARK.format(name=OF_BENCHMARKS[name])
    forwarder = importlib.import_module(f"tools.{name}")
    assert forwarder.Config is command_of(OF_BENCHMARKS[name]).Config
    with pytest.raises(SystemExit) as stopped:
        start("lrfr_tf.cli.evaluate_benchmark", [f"tools/{name}.py", "--help"], OF_BENCHMARKS[name])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert f"lrfr evaluate {OF_BENCHMARKS[name]} --model=... --data=..." in text
    assert "`" not in text.partition("Flags (")[0]
    assert "--verbose" in text


@pytest.mark.parametrize(
    ("name", "text"),
    [("make_pairs", "Makes a list of face pairs to verify"), ("evaluate_lfw", "Verifies faces at low resolution: ")],
)
def test_a_forwarder_is_a_program(name: str, text: str) -> None:
    code, out, error = finish_script(f"tools/{name}.py", "--help")
    assert (code, error) == (0, "")
    assert out.startswith(text)


@pytest.mark.parametrize("script", [file for file in sorted(REPOSITORY.glob("*.py")) if "run(main" in file.read_text()])
def test_a_script_of_the_repository_mutes_tensorflow_before_anything_can_import_it(script: Path) -> None:
    imports = [node for node in ast.parse(script.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imports]
    others = [name for name in names if str(name).split(".")[0] not in sys.stdlib_module_names]
    assert others[0] == "lrfr_tf.quiet"


def test_a_script_of_the_repository_prints_nothing_of_tensorflows() -> None:
    code, out, error = finish_script("tools/repository/bench_identify.py", "--help")  # which imports TensorFlow itself
    assert (code, error) == (0, "")
    assert "--rounds" in out
