"""A service in a process of its own, as long as it is measured."""

import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.speed import served as room
from lrfr_tf.speed.served import served

FILES = [sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1", "--directory"]


def test_it_answers_inside_the_block_and_has_ended_after_it(tmp_path: Path) -> None:
    (tmp_path / "ready").write_text("yes")
    with served([*FILES, str(tmp_path)], "/ready", tmp_path / "log") as (process, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=60) as answer:
            assert answer.read() == b"yes"
        assert Path(f"/proc/{process}").exists()
    assert not Path(f"/proc/{process}").exists()


def test_one_that_ends_is_an_error_with_what_it_said(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no weights')"]
    with pytest.raises(UserError, match="did not start: no weights"), served(command, "/", tmp_path / "log"):
        pass


def test_one_that_does_not_heed_the_signal_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "END_WITHIN", 0.1)
    deaf = "import signal, http.server as s; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + (
        "s.HTTPServer(('127.0.0.1', {port}), s.SimpleHTTPRequestHandler).serve_forever()"
    )
    with served([sys.executable, "-c", deaf], "/", tmp_path / "log") as (process, _):
        pass
    assert subprocess.run(["ps", "-p", str(process)], capture_output=True, check=False).returncode == 1
