"""`lrfr <verb>`: which command is meant, what is imported for it, and what is said of one that is not there."""

import dataclasses
import importlib
import importlib.metadata
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import pytest

from lrfr_tf.cli import command, make_landmarks
from lrfr_tf.cli.command import LRFR, Command
from lrfr_tf.config import flags_of, with_flags
from tests.conftest import ROOT
from tests.tools.small_runs import finish_script

HEAVY = ("tensorflow", "keras", "numpy", "PIL", "cv2", "scipy")


def flat(of: Command, name: str = "lrfr") -> Iterator[tuple[str, Command]]:
    """Every command with its whole name."""
    for word, part in of.parts.items():
        if part.module:
            yield f"{name} {word}", part
        else:
            yield from flat(part, f"{name} {word}")


COMMANDS = dict(flat(LRFR))


def test_the_verbs_that_were_promised() -> None:
    assert list(LRFR.parts) == [
        "identify", "gallery", "serve", "key", "super-resolve", "detect", "embed", "prepare", "train", "evaluate",
        "export", "calibrate", "models",
    ]  # fmt: skip
    assert {name.split()[1] for name in COMMANDS} == set(LRFR.parts)
    assert len({(part.module, part.benchmark) for part in COMMANDS.values()}) == len(COMMANDS) == 51


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_its_own_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    part = COMMANDS[name]
    module = importlib.import_module(part.module)
    if part.benchmark:
        module = module.command_of(part.benchmark)
        text = with_flags(module.description, flags_of(module.Config))
    else:
        text = sys.modules[module.main.__module__].__doc__.strip()
    with pytest.raises(SystemExit) as stopped:
        command.main([*name.split()[1:], "--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(text)
    assert all(f"--{field.name}" in out for field in dataclasses.fields(module.Config))


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["--version"])
    assert capsys.readouterr().out == f"lrfr-tf {importlib.metadata.version('lrfr-tf')}\n"


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_the_verbs_are_listed_with_a_line_each(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    command.main(words)
    lines = capsys.readouterr().out.splitlines()
    for verb, part in LRFR.parts.items():
        (line,) = [line for line in lines if line.startswith(f"{verb} ")]
        assert f"  {part.text}" in line
        assert line.endswith(", ".join(part.parts))
    command.main(["prepare", *words])
    assert "vggface2  VGGFace2 into aligned faces" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--help"], ["evaluate", "--help"]])
def test_listing_the_verbs_imports_nothing_heavy(words: list[str]) -> None:
    script = (
        "import sys; from lrfr_tf.cli.command import main; main(sys.argv[1:]); "
        f"sys.exit(' '.join(name for name in {HEAVY} if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["identfy"], "error: 'identfy' is no command of lrfr; those are identify, gallery, "),
        (["evaluate", "--model=x"], "error: '--model=x' is no command of lrfr evaluate; those are lfw, scface, "),
    ],
)
def test_an_unknown_command_is_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.main(words)
    assert stopped.value.code == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith(sentence)
    assert error.endswith(".\n")
    assert error.count("\n") == 1


def test_flags_reach_the_command_and_its_errors_are_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.main(["super-resolve", "--model=bicubic"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("error: --data is missing: a prepared tree")
    given: list[make_landmarks.Config] = []

    def main(config: make_landmarks.Config) -> None:
        given.append(config)

    main.__module__ = make_landmarks.__name__
    monkeypatch.setattr(make_landmarks, "main", main)
    monkeypatch.setattr(sys, "argv", ["lrfr", "detect", "--images=.", "--output=photos.csv"])
    command.main()
    assert (given[0].images, given[0].output) == (".", "photos.csv")


def test_python_m_lrfr_tf_is_the_same_command() -> None:
    code, out, error = finish_script("-m lrfr_tf")
    assert (code, error) == (0, "")
    assert out.startswith("lrfr: low-resolution face recognition")
    code, out, error = finish_script("-m lrfr_tf", "nosuch")
    assert (code, out) == (2, "")
    assert error.startswith("error: 'nosuch' is no command of lrfr;")


def test_the_package_installs_the_command() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"lrfr": f"{command.__name__}:{command.main.__name__}"}
