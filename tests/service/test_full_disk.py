"""A service whose disk is full: everything is told in a sentence, nothing is lost, and it recovers."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.service.test_gallery_faults import FINE, UNAVAILABLE, names_in, outcome
from tests.service.test_serve import served


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(path: Path) -> None:
    """Takes what room there is."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


@pytest.mark.slow
def test_a_full_disk_loses_nothing_and_is_told(people: Path, small_disk: Path, photo: Callable[..., bytes]) -> None:
    gallery, ballast = small_disk / "people.db", small_disk / "ballast"
    shutil.copy(people, gallery)
    acknowledged: set[str] = set()
    outcomes: set[tuple[int, str]] = set()
    with served(gallery) as (process, address), httpx.Client(base_url=address, timeout=60) as client:

        def create(name: str) -> None:
            answer = client.post("/v1/persons", json={"name": name})
            outcomes.add(outcome(answer))
            if answer.status_code == 201:
                acknowledged.add(name)

        id = client.get("/v1/persons").json()["persons"][0]["id"]
        where = f"/v1/persons/{id}/references?level=off"
        fill(ballast)
        for number in range(60):  # nobody reads the log meanwhile: its pipe takes some hundred lines
            create(f"before {number}")
        for number in range(3):
            files = {"image": photo(0, 60 + number)}
            outcomes.add(outcome(client.post(where, files=files, headers={"idempotency-key": str(number)})))
            outcomes.add(outcome(client.post("/v1/identify", files=files)))
        assert outcomes <= {(201, ""), FINE, UNAVAILABLE, (503, "answers_unavailable")}
        assert UNAVAILABLE in outcomes
        assert outcome(client.get("/v1/health/ready")) == UNAVAILABLE
        assert outcome(client.get("/v1/health/live")) == outcome(client.get("/v1/persons")) == FINE
        ballast.unlink()
        assert outcome(client.get("/v1/health/ready")) == FINE
        create("after")
        for number in range(3):
            files = {"image": photo(0, 60 + number)}
            for _ in range(2):
                answer = client.post(where, files=files, headers={"idempotency-key": str(number)})
                assert outcome(answer) == FINE
        assert client.get(f"/v1/persons/{id}").json()["references"] == 5
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert '"trace"' not in said
    assert "Traceback" not in said
    assert "after" in acknowledged
    assert acknowledged <= names_in(gallery)
    assert os.path.getsize(gallery) < 4 << 20
