"""The client has a method for every route, and its answers have the names of the API."""

import ast
import dataclasses
from pathlib import Path

import pytest

import lrfr_tf.client
from lrfr_tf.client import check, faces, people
from lrfr_tf.service import check_forms, face_forms, forms, gallery_forms
from lrfr_tf.service.app import make_app
from lrfr_tf.service.state import Service

FOLDER = Path(lrfr_tf.client.__file__).parent
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
ANSWERS = [(form, kind) for form in (check_forms, face_forms, forms, gallery_forms) for kind in (check, faces, people)]
# What the client adds: the name of the person in a row of the audit.
ADDED = {"AuditRow": {"name"}}
# Envelopes that the client unpacks, and what is sent.
NOT_ANSWERS = {"Audit", "Checked", "Error", "Failure", "FirstSystem", "Persons", "References", "Status"}


def asked() -> set[tuple[str, str]]:
    """The routes that the client's methods name."""
    found = set()
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            texts = (
                [one.value for one in getattr(node, "args", []) if isinstance(one, ast.Constant)]
                if isinstance(node, ast.Call)
                else []
            )
            for number, text in enumerate(texts):
                if isinstance(text, str) and text.startswith("/v1/"):
                    method = texts[number - 1] if number and texts[number - 1] in METHODS else "POST"
                    found.add((method, text))
    return found


def test_every_route_has_a_method(service: Service) -> None:
    document = make_app(service).app.openapi()  # type: ignore[attr-defined]
    routes = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if path.startswith("/v1/")
    }
    assert asked() == routes


def forms_and_answers() -> dict[str, tuple[type, type]]:
    found = {}
    for module, own in ANSWERS:
        for name, form in vars(module).items():
            kind = getattr(own, name, None)
            if isinstance(form, type) and form.__module__ == module.__name__ and dataclasses.is_dataclass(kind):
                found[name] = (form, kind)
    return found


@pytest.mark.parametrize("name", sorted(forms_and_answers()))
def test_answers_have_the_names_of_the_api(name: str) -> None:
    form, kind = forms_and_answers()[name]
    own = {field.name for field in dataclasses.fields(kind)} - ADDED.get(name, set())  # type: ignore[arg-type]
    assert own == set(form.model_fields)  # type: ignore[attr-defined]


def test_every_answer_of_the_api_is_there() -> None:
    modules = (check_forms, face_forms, forms, gallery_forms)
    strict = forms.Strict
    answers = {
        name
        for module in modules
        for name, form in vars(module).items()
        if isinstance(form, type) and form.__module__ == module.__name__ and not issubclass(form, strict)
    }
    assert answers - NOT_ANSWERS == set(forms_and_answers())
