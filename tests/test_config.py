"""Flags -> dataclass, and the exit codes of every script."""

import dataclasses
import json
import logging
from pathlib import Path

import pytest

from lrfr_tf.config import check_inputs, option, parse, required, with_default, write_run_record
from lrfr_tf.errors import UserError
from lrfr_tf.main import run


@dataclasses.dataclass(frozen=True)
class Config:
    data: str = required("where the faces are")
    steps: int = option(10, "training steps")
    rate: float = option(0.5, "learning rate")
    flip: bool = option(True, "mirror faces")
    kind: str = option("a", "which one", ("a", "b"))
    sizes: tuple[int, ...] = option((8, 16), "sizes in pixels")
    names: tuple[str, ...] = option(("x",), "names", ("x", "y"))
    limit: float | None = option(None, "an upper bound")


def test_defaults_and_values() -> None:
    assert parse(Config, ["x", "--data=d"]) == Config("d", 10, 0.5, True, "a", (8, 16), ("x",), None)
    given = [
        "x",
        "--data=d",
        "--steps=3",
        "--rate=1e-3",
        "--noflip",
        "--kind=b",
        "--sizes=4, 5",
        "--names=y,x",
        "--limit=2",
    ]
    assert parse(Config, given) == Config("d", 3, 1e-3, False, "b", (4, 5), ("y", "x"), 2.0)


def test_flagfile_and_command_line_override(tmp_path: Path) -> None:
    flagfile = tmp_path / "run.cfg"
    flagfile.write_text("# a comment\n--data=from_file\n--steps=7\n")
    assert parse(Config, ["x", f"--flagfile={flagfile}", "--steps=8"]) == Config("from_file", 8)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["--data", "missing", "where the faces are"]),
        (["--data=d", "--nosuch=1"], ["nosuch"]),
        (["--data=d", "--steps=many"], ["steps", "many"]),
        (["--data=d", "--kind=c"], ["--kind=c", "a, b"]),
        (["--data=d", "--names=x,z"], ["--names=z", "x, y"]),
        (["--data=d", "--sizes=8,big"], ["--sizes", "big"]),
        (["--data=d", "stray"], ["stray"]),
        (["--flagfile=/nowhere/at.all"], ["/nowhere/at.all"]),
    ],
)
def test_bad_flags_are_named_in_one_sentence(arguments: list[str], words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        parse(Config, ["x", *arguments])
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)


def test_help_names_every_setting(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(Config, ["x", "--help"], "Does a thing.")
    text = capsys.readouterr().out
    assert caught.value.code == 0
    assert "Does a thing." in text
    assert all(f"--{field.name}:" in text for field in dataclasses.fields(Config))


def test_another_default_keeps_the_rest_of_a_setting(capsys: pytest.CaptureFixture) -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Base:
        steps: int = option(10, "training steps", at_least=2)
        kind: str = option("a", "which one", ("a", "b"))

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Other(Base):
        steps: int = with_default(Base, "steps", 20)
        kind: str = with_default(Base, "kind", "b")

    assert (parse(Base, ["x"]), parse(Other, ["x"])) == (Base(steps=10, kind="a"), Other(steps=20, kind="b"))
    for flag, words in (("--steps=1", "at least 2"), ("--kind=c", "a, b")):
        with pytest.raises(UserError, match=words):
            parse(Other, ["x", flag])
    with pytest.raises(SystemExit):
        parse(Other, ["x", "--help"])
    assert "--steps: training steps (default 20)" in capsys.readouterr().out


def test_help_says_nothing_of_defaults_that_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    @dataclasses.dataclass(frozen=True)
    class Empty:
        folder: str | None = option(None, "where photos lie")
        kind: str | None = option(None, "which", ("a", "b"))
        purpose: str = option("", "what for")

    with pytest.raises(SystemExit):
        parse(Empty, ["x", "--help"])
    lines = capsys.readouterr().out.splitlines()
    assert "  --folder: where photos lie" in lines
    assert "  --kind: which (one of a, b)" in lines
    assert "  --purpose: what for" in lines


def test_inputs_that_are_named_are_looked_for(tmp_path: Path) -> None:
    @dataclasses.dataclass(frozen=True)
    class Compared:
        models: tuple[str, ...] = option((), "networks, each as name=folder")

    (tmp_path / "a=b").mkdir()
    check_inputs(Compared((f"mine={tmp_path}", f"{tmp_path}/a=b", f"mine={tmp_path}/a=b", "srgan")))
    with pytest.raises(UserError, match=r"--models=mine=.*/nowhere does not exist\."):
        check_inputs(Compared((f"mine={tmp_path}", f"mine={tmp_path}/nowhere")))


def test_user_errors_exit_with_2_and_one_line(capsys: pytest.CaptureFixture) -> None:
    def fails(config: Config) -> None:
        raise UserError(f"{config.data} is not there.")

    with pytest.raises(SystemExit) as caught:
        run(fails, Config, ["x", "--data=d"])
    assert caught.value.code == 2
    assert capsys.readouterr().err == "error: d is not there.\n"


def test_settings_become_the_flags_of_the_command(capsys: pytest.CaptureFixture) -> None:
    def fails(config: Config) -> None:
        logging.getLogger("lrfr_tf.some.room").info("%s faces, as `limit` says", 3)
        logging.getLogger("another.package").info("nothing that a user needs")
        raise UserError("`steps`=7 does not divide; lower `steps`, or `else`; run `make fetch`.")

    with pytest.raises(SystemExit):
        run(fails, Config, ["x", "--data=d"])
    note, error = capsys.readouterr().err.splitlines()
    assert note == "note: 3 faces, as --limit says"
    assert error == "error: --steps=7 does not divide; lower --steps, or `else`; run `make fetch`."
    assert not logging.getLogger("lrfr_tf").handlers

    @dataclasses.dataclass(frozen=True)
    class Other:
        size: int = option(1, "at most `largest`")
        largest: int = option(9, "see `nothing`")

    with pytest.raises(SystemExit):
        run(fails, Other, ["x", "--help"])
    assert "--size: at most --largest (default 1)" in (printed := capsys.readouterr().out)
    assert "see `nothing`" in printed


def test_interruption_exits_with_130() -> None:
    def stops(config: Config) -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        run(stops, Config, ["x", "--data=d"])
    assert caught.value.code == 130


def test_defects_keep_their_traceback() -> None:
    def breaks(config: Config) -> None:
        raise KeyError("a defect")

    with pytest.raises(KeyError):
        run(breaks, Config, ["x", "--data=d"])


def test_run_record(tmp_path: Path) -> None:
    write_run_record(tmp_path, Config("d"), faces=3)
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["config"]["steps"] == 10
    assert record["faces"] == 3
    assert record["versions"]["keras"][0].isdigit()
    assert record["git_commit"]
