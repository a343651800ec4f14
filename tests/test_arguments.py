"""Functions of more than four parameters take keywords: nobody has to count the arguments of a call."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "lrfr_tf"
MOST = 4
ROOMS = sorted({file.relative_to(PACKAGE).parts[0] for file in PACKAGE.rglob("*.py")})


def with_many(text: str) -> Iterator[str]:
    """The functions and methods of a source that take more than `MOST` arguments by their place, self not counted."""
    tree = ast.parse(text)
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    of_classes = {
        id(function)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for function in node.body
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and not any(is_static(name) for name in function.decorator_list)
    }
    for node in ast.walk(tree):
        if isinstance(node, functions):
            count = len(node.args.posonlyargs) + len(node.args.args) - (id(node) in of_classes)
            if count > MOST:
                yield node.name


def is_static(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Name) and decorator.id == "staticmethod"


@pytest.mark.parametrize("room", ROOMS)
def test_functions_of_many_parameters_take_keywords(room: str) -> None:
    path = PACKAGE / room
    files = [path] if path.is_file() else path.rglob("*.py")
    found = [f"{file.stem}.{name}" for file in files for name in with_many(file.read_text(encoding="utf-8"))]
    assert not found


def test_what_takes_too_many_is_found() -> None:
    text = (
        "def f(a, b, c, d, e): ...\n"
        "def g(a, b, c, d, *, e, f): ...\n"
        "class C:\n"
        "    def __init__(self, a, b, c, d): ...\n"
        "    def many(self, a, b, c, d, e=1): ...\n"
        "    @staticmethod\n"
        "    def static(a, b, c, d, e): ...\n"
    )
    assert sorted(with_many(text)) == ["f", "many", "static"]
