"""README and docs/: every command is one that exists, every link leads somewhere, and README stays short."""

import ast
import dataclasses
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from lrfr_tf.cli.command import LRFR
from lrfr_tf.config import parse
from tests.conftest import ROOT

README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [README, *PAGES]
MOST_WORDS = 1_000
MOST_ROWS = 10
# What else may be typed; nothing of it is ours.
FOREIGN = {"curl", "docker", "export", "pip", "tensorboard"}
FENCED = re.compile(r"^[ ]*```(\w*)\n(.*?)^[ ]*```$", re.MULTILINE | re.DOTALL)
# Elsewhere in the text: a command of ours in `...`.
INLINE = re.compile(r"`((?:python (?:-m |tools/)|lrfr |make )[^`]*)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def names(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_readme_is_short() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.split()) <= MOST_WORDS
    table = text[text.index("<!-- siamese -->") : text.index("<!-- end of siamese -->")]
    assert len([line for line in table.splitlines() if line.startswith("|")]) <= 2 + MOST_ROWS


def test_readme_links_to_every_page() -> None:
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in LINK.findall(README.read_text(encoding="utf-8"))}
    assert [names(page) for page in PAGES if page not in linked] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_links_lead_somewhere(document: Path) -> None:
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        path, _, heading = link.partition("#")
        target = (document.parent / path) if path else document
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def headings(document: Path) -> set[str]:
    """What links call the headings of a page."""
    found = re.findall(r"^#+ (.+)$", FENCED.sub("", document.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in found}


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_commands_exist(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # flagfiles name each other from there
    text = document.read_text(encoding="utf-8")
    blocks = [block for language, block in FENCED.findall(text) if language == "sh"]
    for words in (words for block in blocks for words in commands(block)):
        check(words, whole=True)
    for inline in INLINE.findall(FENCED.sub("", text)):
        check(shlex.split(inline), whole=False)


def commands(block: str) -> Iterator[list[str]]:
    """The commands of a block as words: joined where a line goes on, once for each turn of a loop, without comments."""
    loop: tuple[str, list[str]] | None = None
    end = None  # of a text that is handed to a command
    for line in block.replace("\\\n", " ").splitlines():
        if end is not None:
            end = None if line.strip() == end else end
            continue
        if "<<" in line:
            end = line.split("<<")[1].strip()
        if found := re.fullmatch(r"\s*for (\w+) in (.+); do", line):
            loop = found[1], found[2].split()
        elif line.strip() == "done":
            loop = None
        elif words := shlex.split(line.split("<<")[0], comments=True):
            for value in loop[1] if loop else [""]:
                yield [word.replace(f"${loop[0]}", value) for word in words] if loop else words


def check(words: list[str], whole: bool) -> None:
    """Fails unless a command of ours takes these flags; `whole` is one with all that it needs."""
    program, *rest = words
    if program in FOREIGN:
        return
    if program == "make":
        targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
        assert set(rest) <= targets, words
        return
    if program == "lrfr":
        config, rest = command_of(rest)
    elif rest[0] == "-m":
        config, rest = importlib.import_module(rest[1]).Config, rest[2:]
    else:
        assert program == "python", words
        assert (ROOT / rest[0]).is_file(), words
        module = importlib.import_module(rest[0].removesuffix(".py").replace("/", "."))
        config, rest = getattr(module, "Config", None), rest[1:]
    if config is None or "--help" in rest:
        return
    if whole:
        parse(config, ["script", *rest])
    else:
        known = {field.name for field in dataclasses.fields(config)} | {"flagfile", "verbose"}
        flags = {word.lstrip("-").partition("=")[0] for word in rest if word.startswith("--")}
        assert flags <= known, words
        assert all(Path(word.partition("=")[2]).is_file() for word in rest if word.startswith("--flagfile=")), words


def command_of(words: list[str]) -> tuple[type | None, list[str]]:
    """The `Config` of a command of `lrfr`, and its flags; None where a verb or its parts are meant."""
    command = LRFR
    while command.parts and words and not words[0].startswith("-"):
        assert words[0] in command.parts, words
        command, words = command.parts[words[0]], words[1:]
    if not command.module:
        return None, words
    module = importlib.import_module(command.module)
    return (module.command_of(command.benchmark) if command.benchmark else module).Config, words


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_every_query_of_a_server_sends_crops_or_makes_them(document: Path) -> None:
    blocks = [block for language, block in FENCED.findall(document.read_text(encoding="utf-8")) if language == "sh"]
    for words in (words for block in blocks for words in commands(block)):
        if any(word.endswith("query_serving.py") for word in words):
            assert "--faces=crops" in words or "--detect" in words, words


def test_what_threads_may_share_is_said_not_to_outlive_a_fork() -> None:
    said = []
    for file in sorted((ROOT / "lrfr_tf").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            text = " ".join((ast.get_docstring(node) or "").split()) if isinstance(node, ast.ClassDef) else ""
            if "hreads may share" in text:
                assert "fork" in text, node.name
                said.append(node.name)
    assert {"Recognizer", "Identifier", "FaceDetector"} <= set(said)
    assert "load after the fork" in (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
