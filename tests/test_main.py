"""What ends a command: its exit code, and one sentence on stderr, whatever the cause."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

# A command that needs nothing large: what it does is put in the place of BODY.
SCRIPT = """
import dataclasses, signal, sys, time
from pathlib import Path
from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file
from lrfr_tf.main import note, run
from lrfr_tf.resumable import open_folder

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background

@dataclasses.dataclass(frozen=True)
class Config:
    pass

def main(config):
    BODY

run(main, Config, ["script"])
"""
LINES = "[print(f'line {number}') for number in range(100_000)]"
WAIT = "print('begun', flush=True); time.sleep(60)"


def begin(body: str, **more: object) -> subprocess.Popen[str]:
    # Where the environment asks for no buffer, a pipe is found closed at another place.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    environment["PYTHONPATH"] = str(ROOT)
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.replace("BODY", body)], env=environment, text=True, encoding="utf-8",
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
    )  # type: ignore[call-overload,no-any-return] # fmt: skip


@pytest.mark.parametrize("body", [LINES, f"{LINES}; note('done')"])
def test_a_closed_pipe_ends_quietly(body: str) -> None:
    with begin(body) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "line 0\n"
        process.stdout.close()
        assert process.stderr.read() in ("", "note: done\n")
    assert process.returncode == 0


def test_stderr_in_the_same_closed_pipe_ends_quietly() -> None:
    with begin("[note(f'line {number}') for number in range(100_000)]", stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("body", "code"), [("print('help'); sys.exit(0)", 0), ("print('half'); raise UserError('It failed.')", 2)]
)
def test_nobody_who_reads_changes_no_exit_code(body: str, code: int) -> None:
    with begin(f"time.sleep(0.3); {body}", stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        process.stdout.close()
    assert process.returncode == code


def test_another_broken_pipe_is_a_defect() -> None:
    with begin("raise BrokenPipeError") as process:
        _, error = process.communicate()
    assert process.returncode == 1
    assert "Traceback" in error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_an_output_on_a_full_disk_is_one_sentence() -> None:
    with open("/dev/full", "w") as full, begin(LINES, stdout=full) as process:
        assert process.stderr is not None
        assert process.stderr.read() == "error: The output cannot be written: No space left on device.\n"
    assert process.returncode == 2


def test_a_name_that_is_too_long_is_one_sentence() -> None:
    with begin("Path('x' * 300).is_file()") as process:
        _, error = process.communicate()
    assert (process.returncode, error) == (2, f"error: {'x' * 300} cannot be used: File name too long.\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("resumable", [True, False])
def test_only_what_goes_on_says_so(number: int, code: int, resumable: bool, tmp_path: Path) -> None:
    opened = f"open_folder(Path({str(tmp_path / 'tree')!r}), {{}}); " if resumable else ""
    with begin(f"{opened}{WAIT}") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        error = process.stderr.read()
    go_on = "; start the same command again to go on" if resumable else ""
    assert (process.returncode, error) == (code, f"error: interrupted{go_on}.\n")


def test_a_terminated_command_leaves_no_temporary_file(tmp_path: Path) -> None:
    with begin(f"with atomic_file(Path({str(tmp_path / 'x')!r})): {WAIT}") as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(list(tmp_path.iterdir())) == 1
        process.terminate()
        process.communicate()
    assert process.returncode == 143
    assert list(tmp_path.iterdir()) == []


def test_every_command_tells_its_flags_in_ascii() -> None:
    script = (
        "import sys; from lrfr_tf.cli.command import LRFR, main\n"
        "def call(command, words):\n"
        "    try: main([*words, '--help'])\n"
        "    except SystemExit as stopped: assert not stopped.code, words\n"
        "    for word, part in command.parts.items(): call(part, [*words, word])\n"
        "call(LRFR, [])"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()


def test_settings_in_notes_are_named_as_flags() -> None:
    logs = "import logging; logging.getLogger('lrfr_tf.data').warning('`seconds` is `verbose`.')"
    with begin(f"note('Without `verbose`=1 little is said.'); {logs}") as process:
        _, error = process.communicate()
    assert error == "note: Without --verbose=1 little is said.\nnote: `seconds` is --verbose.\n"
