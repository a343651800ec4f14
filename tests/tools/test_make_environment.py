"""The shell script behind every make target: which Python it takes, and what it says when it cannot."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "repository" / "make_environment.sh"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the script and nothing to install."""
    (tmp_path / "tools" / "repository").mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "tools" / "repository")
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text("")
    return tmp_path


def stand_in(folder: Path, name: str, version: str, lacks: str = "") -> None:
    """A program that answers like a Python of this version, with or without a module."""
    major, minor = version.split(".")
    supported = 0 if (3, 11) <= (int(major), int(minor)) <= (3, 13) else 1
    (folder / name).write_text(
        "#!/bin/sh\n"
        'case "$2" in\n'
        f"    *print*) echo {version} ;;\n"
        f"    *sys.exit*) exit {supported} ;;\n"
        f'    "import {lacks}") exit 1 ;;\n'
        "esac\n"
    )
    (folder / name).chmod(0o755)


def run_script(checkout: Path, programs: Path, **variables: str) -> tuple[int, str]:
    environment = {"PATH": f"{programs}:{os.defpath}", **variables}
    script = str(checkout / "tools" / "repository" / SCRIPT.name)
    done = subprocess.run(["/bin/sh", script], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_a_missing_module_names_the_package_to_install(checkout: Path, tmp_path: Path) -> None:
    for module in ("venv", "ensurepip"):
        stand_in(tmp_path, "python3.11", "3.11", lacks=module)
        code, error = run_script(checkout, tmp_path)
        assert code == 2
        assert error == (
            f"error: python3.11 has no module {module}; install the package python3.11-venv (Debian, Ubuntu) and try "
            "again.\n"
        )
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_named_must_be_supported(checkout: Path, tmp_path: Path) -> None:
    stand_in(tmp_path, "old", "3.10")
    stand_in(tmp_path, "python3.11", "3.11")
    code, error = run_script(checkout, tmp_path, PYTHON="old")
    assert code == 2
    assert error == "error: old is not a Python from 3.11 to 3.13; name one with PYTHON=... .\n"


def test_an_unsupported_python_is_passed_over_for_a_supported_one(checkout: Path, tmp_path: Path) -> None:
    stand_in(tmp_path, "python3.11", "3.10")  # a shim that points elsewhere
    stand_in(tmp_path, "python3.12", "3.12", lacks="venv")
    code, error = run_script(checkout, tmp_path)
    assert code == 2
    assert "python3.12 has no module venv; install the package python3.12-venv" in error


def test_an_environment_that_is_up_to_date_is_left_alone(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".venv").mkdir()
    wanted = subprocess.run(
        "cat requirements.lock pyproject.toml | cksum",
        shell=True,
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (checkout / ".venv" / ".made-from").write_text(wanted)
    assert run_script(checkout, tmp_path, PYTHON="none") == (0, "")
