"""What sets the library apart from its commands: it prints nothing, and knows no flags."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "lrfr_tf"
# The command line, and the modules that define its flags and look at them.
COMMANDS = ("cli", "main.py", "config.py", "quiet.py", "__main__.py")
FLAG = re.compile(r"(?<![\w-])--[a-z]\w*")
# Strings of these files start other programs, document the commands of this repository, or are a style sheet.
WITH_DASHES = (
    "weights/sample_package.py",
    "speed/cold_start.py",
    "speed/report.py",
    "study/experiment.py",
    "gallery/check_style.py",
)

# Where strings start scripts of the checkout, or tell of one that is there alone.
WITH_SCRIPTS = ("study/experiment.py", "speed/peers.py")
SCRIPT = re.compile(r"\btools/\w+\.py")
MODULE = re.compile(r"\bpython -m (lrfr_tf\.[\w.]*\w)")

FILES = sorted(
    file
    for file in PACKAGE.rglob("*.py")
    if file.relative_to(PACKAGE).parts[0] not in COMMANDS
    and not (file.parent == PACKAGE and file.name.startswith(("train_", "serve.")))
)


def docstrings(tree: ast.AST) -> set[int]:
    """The ids of the nodes that are docstrings."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            found.add(id(node.body[0].value))  # type: ignore[attr-defined]
    return found


def named_flags(text: str) -> Iterator[str]:
    """The flags that stand in strings of a source, but for its docstrings."""
    tree = ast.parse(text)
    passed_over = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed_over:
            yield from FLAG.findall(node.value)


def named_scripts(text: str) -> Iterator[str]:
    """The scripts of the checkout that stand in strings of a source, but for its docstrings: a wheel has none."""
    tree = ast.parse(text)
    passed_over = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed_over:
            yield from SCRIPT.findall(node.value)


def prints(text: str) -> list[int]:
    """The lines in which a source calls `print`."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_the_library_names_no_flags_and_prints_nothing(file: Path) -> None:
    name, text = file.relative_to(PACKAGE).as_posix(), file.read_text(encoding="utf-8")
    if name not in WITH_DASHES:
        assert not list(named_flags(text)), "settings stand in `backquotes`; see lrfr_tf.errors.UserError"
    if name not in WITH_SCRIPTS:
        assert not list(named_scripts(text)), "name the command of `lrfr`"
    assert not prints(text), "log it, or tell it to a `note` that the caller gives"


@pytest.mark.parametrize("file", sorted(PACKAGE.glob("cli/**/*.py")), ids=lambda file: file.stem)
def test_help_names_commands_that_a_wheel_has(file: Path) -> None:
    assert SCRIPT.findall(file.read_text(encoding="utf-8")) == []


NAMED = sorted({name for file in PACKAGE.rglob("*.py") for name in MODULE.findall(file.read_text(encoding="utf-8"))})


@pytest.mark.parametrize("module", NAMED)
def test_modules_that_are_named_as_commands_are_some(module: str) -> None:
    file = PACKAGE.parent / f"{module.replace('.', '/')}.py"
    assert '\nif __name__ == "__main__":\n' in file.read_text(encoding="utf-8")


def test_what_is_wrong_is_found() -> None:
    text = (
        '"""Says --doc."""\n\ndef f(x):\n    """Says --doc."""\n    print(f"--steps={x} or {x}, --no-more"); a-- - b\n'
    )
    assert list(named_flags(text)) == ["--steps", "--no"]
    assert prints(text) == [5]
    assert list(named_scripts('"""tools/a.py"""\nf(f"run tools/b.py {x}")')) == ["tools/b.py"]
    assert not prints("def print_all(): self.print(); pprint()")
