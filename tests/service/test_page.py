"""The page as files: what is served, what its policy allows, and that nothing in it asks for more."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lrfr_tf.service.keys import Keys
from lrfr_tf.service.page_files import FOLDER, MEDIA_TYPES
from tests.service.conftest import Start

FILES = sorted(FOLDER.iterdir())
SCRIPTS = [file for file in FILES if file.suffix == ".js"]


def policy_of(answer: object) -> dict[str, list[str]]:
    """The directives of an answer's policy with their sources."""
    text = answer.headers["content-security-policy"]  # type: ignore[attr-defined]
    return {words[0]: words[1:] for words in (part.split() for part in text.split(";"))}


def test_every_file_is_served(client: TestClient) -> None:
    for file in FILES:
        answer = client.get(f"/page/{file.name}")
        assert answer.content == file.read_bytes()
        assert answer.headers["content-type"] == MEDIA_TYPES[file.suffix]


def test_the_page_needs_no_key_and_everything_else_does(start: Start, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    keys.create("read")
    client, _ = start(keys)
    page = client.get("/")
    assert page.status_code == 200
    assert page.text == (FOLDER / "index.html").read_text()
    assert client.get("/v1/persons").status_code == 401


def test_other_sites_may_link_to_the_page_and_call_nothing(client: TestClient) -> None:
    linked = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/", headers=linked).status_code == 200
    assert client.get("/v1/persons", headers=linked).status_code == 403
    assert client.get("/", headers={"host": "evil.example"}).status_code == 403


def test_scripts_and_styles_come_from_the_service_alone(client: TestClient) -> None:
    for path in ("/", "/page/style.css", "/page/main.js", "/page/nothing.js"):
        policy = policy_of(client.get(path))
        assert policy["default-src"] == policy["form-action"] == policy["base-uri"] == ["'none'"]
        assert policy["frame-ancestors"] == ["'none'"]
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == ["'self'"]
        assert set(policy["img-src"]) == {"'self'", "blob:", "data:"}


def test_other_files_are_not_served(client: TestClient) -> None:
    for name in ("", "nothing.js", "../app.py", "..%2fapp.py", "%2e%2e/app.py", ".", "page_files.py"):
        answer = client.get(f"/page/{name}")
        assert answer.status_code == 404, name
        assert answer.json()["error"]["code"] == "no_such_route", name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_is_loaded_from_elsewhere(file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|url\(|@import", text)


def test_no_script_and_no_style_stands_in_the_page() -> None:
    text = (FOLDER / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
    assert re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL) == [(' type="module" src="page/main.js"', "")]


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_texts_never_become_html_or_code(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function|setHTML"
    assert not re.search(forbidden, text)


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_every_import_is_a_file_of_the_page(file: Path) -> None:
    imported = re.findall(r'(?:from|import)\s*\(?"([^"]+)"', file.read_text(encoding="utf-8"))
    assert [name for name in imported if not (FOLDER / name).is_file() or not name.startswith("./")] == []
