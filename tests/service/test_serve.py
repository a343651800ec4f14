"""`lrfr serve`: what it refuses before anything is loaded, and how it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from lrfr_tf.cli import command, serve
from lrfr_tf.errors import UserError
from tests.conftest import ROOT


def test_an_address_for_others_needs_a_key_and_names(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="--allowed_hosts must say"):
        serve.check_flags(serve.Config(gallery=str(people), host="0.0.0.0"))
    for words, sentence in (
        (("--host=0.0.0.0", "--allowed_hosts=faces.example"), "has no key, so only this machine may reach the service"),
        (("--max_images=100",), "--max_images is larger than --queue"),
    ):
        with pytest.raises(SystemExit) as stopped:
            command.main(["serve", f"--gallery={people}", *words])
        assert stopped.value.code == 2
        assert sentence in capsys.readouterr().err


def test_a_missing_gallery_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.main(["serve", f"--gallery={tmp_path / 'none.db'}"])
    assert stopped.value.code == 2
    assert "none.db is missing; lrfr gallery create makes a gallery." in capsys.readouterr().err


@pytest.mark.slow
def test_sigterm_ends_it_with_success(people: Path) -> None:
    port = 18471
    words = [sys.executable, "-m", "lrfr_tf.serve", f"--gallery={people}", f"--port={port}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment)
    until = time.monotonic() + 300
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/v1/health/ready").status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert '"event": "ready"' in said
    assert '"event": "ended"' in said
