"""Dockerfile, compose.yaml and the package stay in step: what is copied exists, and every command line is one of ours.

No image is built here, which needs a Docker engine and images from elsewhere.
"""

import fnmatch
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from lrfr_tf.cli import serve
from lrfr_tf.cli.command import LRFR
from lrfr_tf.config import parse
from lrfr_tf.service import health
from lrfr_tf.service.settings import LOOPBACK
from tests.conftest import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def instructions() -> list[tuple[str, str]]:
    """Those of the Dockerfile, without comments, each in one line: ("RUN", "...")."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(words[0], words[1]) for line in joined.splitlines() if (words := line.split(maxsplit=1))]


def of_last_stage(name: str) -> list[str]:
    found = instructions()
    last = max(number for number, (word, _) in enumerate(found) if word == "FROM")
    return [rest for word, rest in found[last:] if word == name]


def serve_config(words: list[str]) -> serve.Config:
    """The settings of a command line of `lrfr serve` that is taken."""
    assert words[0] == "serve"
    assert "serve" in LRFR.parts
    config = parse(serve.Config, ["script", *words[1:]])
    serve.check_flags(config)
    return config


def blocks_of_compose() -> dict[str, str]:
    """The lines of each service."""
    services = COMPOSE[COMPOSE.index("\nservices:\n") : COMPOSE.index("\nvolumes:\n")]
    parts = re.split(r"^  (\w+):.*$", services, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def command_of(block: str) -> list[str]:
    listed = re.search(r"^    command:\n((?:      - .+\n?)+)", block, re.MULTILINE)
    assert listed is not None
    return [VARIABLE.sub(r"\2", line.strip()[2:]) for line in listed[1].splitlines()]


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path out of the image; the last pattern that fits decides."""
    out = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.lstrip("!")
        if not line or line.startswith("#"):
            continue
        parents = [path, *(str(parent) for parent in Path(path).parents if str(parent) != ".")]
        plain = pattern.removeprefix("**/")
        if any(fnmatch.fnmatch(one, pattern) or (plain != pattern and fnmatch.fnmatch(Path(one).name, plain))
               for one in parents):  # fmt: skip
            out = not line.startswith("!")
    return out


def test_what_is_copied_is_there_and_nothing_else_is_sent() -> None:
    sources = [
        source
        for word, rest in instructions()
        if word == "COPY" and not rest.startswith("--from=")
        for source in rest.split()[:-1]
    ]
    assert {"lrfr_tf", "saved_models", "pyproject.toml", "setup.py", "requirements-server.lock"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists(), source
        assert not ignored(source), source
    secrets = ("people.db", "people.db.keys", ".git/config", ".venv/bin/python", "people/ada/1.jpg", ".env")
    for secret in (*secrets, "datasets/a.jpg", "docs/portrait.png", "lrfr_tf/__pycache__/a.pyc"):
        assert ignored(secret), secret
    assert not ignored("lrfr_tf/service/app.py")
    assert not ignored("saved_models/siamese/2/model.json")


def test_what_setup_needs_is_copied() -> None:
    copied = " ".join(rest for word, rest in instructions() if word == "COPY")
    for needed in (PROJECT["readme"], *PROJECT["license-files"]):
        assert needed.partition("/")[0] in copied


def test_the_image_has_the_extra_that_exists_and_a_python_that_fits() -> None:
    (extra,) = set(re.findall(r'"\.\[([\w,]+)\]"', DOCKERFILE))
    assert set(extra.split(",")) <= set(PROJECT["optional-dependencies"])
    versions = {rest.split()[0] for word, rest in instructions() if word == "FROM"}
    (version,) = {re.fullmatch(r"python:([\d.]+)-slim", one)[1] for one in versions}  # type: ignore[index]
    assert SpecifierSet(PROJECT["requires-python"]).contains(f"{version}.0")


def pins(name: str) -> dict[str, tuple[str, set[str]]]:
    """Package -> version and hashes of a lock."""
    found: dict[str, tuple[str, set[str]]] = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8")):
        if match := re.match(r"([\w.-]+)==(\S+)", entry):
            found[match[1]] = (match[2], set(re.findall(r"sha256:(\w+)", entry)))
    return found


def test_the_lock_of_the_image_is_part_of_the_lock() -> None:
    own, whole = pins("requirements-server.lock"), pins("requirements.lock")
    assert {name: pin for name, pin in own.items() if whole.get(name) != pin} == {}
    assert all(hashes for _, hashes in own.values())
    for text in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["server"]):
        requirement = Requirement(text)
        assert requirement.specifier.contains(own[requirement.name.lower()][0]), text


def test_it_runs_as_somebody_who_owns_the_data_alone() -> None:
    (user,) = of_last_stage("USER")
    (made,) = of_last_stage("RUN")
    assert re.search(rf"useradd --uid [1-9]\d+ .*--home-dir /data --shell /usr/sbin/nologin {user}\b", made)
    assert f"--owner={user} --group={user} --mode=0700 /data" in made
    assert of_last_stage("VOLUME") == ["/data"]
    assert not re.search(r"\b(ARG|ENV)\b.*(KEY|TOKEN|SECRET|PASSWORD)", DOCKERFILE)


def test_the_command_of_the_image() -> None:
    (entry,), (words,) = of_last_stage("ENTRYPOINT"), of_last_stage("CMD")
    assert json.loads(entry) == [next(iter(PROJECT["scripts"]))]
    config = serve_config(json.loads(words))
    assert config.gallery.startswith("/data/")
    assert of_last_stage("EXPOSE") == [str(config.port)]


def test_its_health_is_asked_where_it_answers() -> None:
    (check,) = of_last_stage("HEALTHCHECK")
    command = json.loads(check[check.index("CMD ") + 4 :])
    host, port, path = re.search(r"http://([\d.]+):(\d+)(/[\w/]+)", command[-1]).groups()  # type: ignore[union-attr]
    assert host in LOOPBACK
    assert [port] == of_last_stage("EXPOSE")
    assert path in {route.path for route in health.router.routes}  # type: ignore[attr-defined]
    compile(command[-1], "check", "exec")


@pytest.mark.parametrize(("service", "backend"), [("service", "local"), ("behind_tf_serving", "tf_serving")])
def test_the_commands_of_compose(service: str, backend: str) -> None:
    block = blocks_of_compose()[service]
    config = serve_config(command_of(block))
    assert config.backend == backend
    assert config.host == "0.0.0.0"
    assert config.allowed_hosts == ("localhost",)
    if backend == "tf_serving":
        host, port = serve.address_of(config)
        assert host in blocks_of_compose()
        assert port == 8500  # of gRPC, in the image of TF-Serving
    assert "<<: *service" in block


def test_only_the_proxy_is_reached_from_elsewhere() -> None:
    parts = {**blocks_of_compose(), "shared": COMPOSE[: COMPOSE.index("\nservices:")]}
    published = {name: re.findall(r"^ +- ([\d.:]+:\d+)$", block, re.MULTILINE) for name, block in parts.items()}
    assert published["proxy"]
    assert all(port.startswith("127.0.0.1:") for name, ports in published.items() if name != "proxy" for port in ports)
    assert published["shared"] == [f"127.0.0.1:8000:{of_last_stage('EXPOSE')[0]}"]


def test_the_server_of_compose_has_the_network_that_a_gallery_has() -> None:
    words: dict[str, Any] = dict(word.lstrip("-").split("=") for word in command_of(blocks_of_compose()["tf_serving"]))
    assert words == {"model_name": "siamese", "model_base_path": "/models/siamese"}
    assert "./saved_models:/models:ro" in COMPOSE
    assert (ROOT / "saved_models" / words["model_name"]).is_dir()
