"""The script that installs the peers: whole, or left out with one sentence."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path("tools", "repository", "make_peers_environment.sh")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "tools" / "repository").mkdir(parents=True)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / SCRIPT, tmp_path / SCRIPT)
    shutil.copy(ROOT / "requirements-peers.txt", tmp_path)
    return tmp_path


def run_with(checkout: Path, pip: str) -> subprocess.CompletedProcess[str]:
    """Runs the script with a Python whose venvs hold a Python that runs the lines `pip` for every installation."""
    inner = f"#!/bin/sh\n{pip}\n"
    python = ".venv-peers/bin/python"
    make = f"mkdir -p .venv-peers/bin\ncat > {python} <<'END'\n{inner}END\nchmod +x {python}\n"
    (checkout / ".venv" / "bin" / "python").write_text(f"#!/bin/sh\n{make}")
    (checkout / ".venv" / "bin" / "python").chmod(0o755)
    return subprocess.run(["/bin/sh", str(checkout / SCRIPT)], capture_output=True, text=True, check=False)


def test_without_a_network_the_peers_are_left_out(checkout: Path) -> None:
    done = run_with(checkout, 'echo "WARNING: retrying"; echo "ERROR: no matching distribution" >&2; exit 1')
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == (
        "note: .venv-peers could not be made (ERROR: no matching distribution), so facenet-pytorch is left out and the "
        "rest is measured."
    )
    assert not (checkout / ".venv-peers").exists()


def test_facenet_pytorch_comes_without_what_it_asks_for_and_once(checkout: Path) -> None:
    pip = f'echo "$@" >> "{checkout}/calls"'
    assert run_with(checkout, pip).returncode == 0
    calls = (checkout / "calls").read_text().splitlines()
    assert len(calls) == 2
    assert "torch==" in calls[0]
    assert "facenet" not in calls[0]
    assert "#" not in calls[0]
    assert calls[1].endswith("--no-deps facenet-pytorch==2.6.0")
    assert run_with(checkout, pip).returncode == 0
    assert len((checkout / "calls").read_text().splitlines()) == 2
