"""Every flagfile is taken by the script that its header names, with the flags that the header adds."""

import importlib
import re
import shlex
from pathlib import Path

import pytest

from lrfr_tf.config import parse
from tests.conftest import ROOT

CONFIGS = sorted((ROOT / "configs").glob("*.cfg"))


@pytest.mark.parametrize("file", CONFIGS, ids=[file.stem for file in CONFIGS])
def test_the_command_of_the_header_is_understood(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = " ".join(line.lstrip("# ") for line in file.read_text().splitlines() if line.startswith("#"))
    named = rf"python (?:-m (lrfr_tf\.\w+)|tools/([\w/]+)\.py)((?: --\S+)*? --flagfile=configs/{file.name}(?: --\S+)*)"
    found = re.search(named, header)
    assert found, f"the header of {file.name} says no command"
    module = importlib.import_module(found[1] or f"tools.{found[2].replace('/', '.')}")
    monkeypatch.chdir(ROOT)  # flagfiles name each other from there
    parse(module.Config, ["script", *shlex.split(found[3])])
