"""What another process does to a gallery is in force for a service that runs."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from starlette.testclient import TestClient

from tests.conftest import ROOT

ANOTHER = """
import sys
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import Store
verb, *words = sys.argv[2:]
getattr(People(Store(sys.argv[1])), verb)(*words)
"""


def another_process(people: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-c", ANOTHER, str(people), *words], check=True, cwd=ROOT)


def test_what_another_process_changes_is_in_force_with_the_next_request(
    client: TestClient, people: Path, photo: Callable[[int], bytes]
) -> None:
    def face() -> dict[str, object]:
        return client.post("/v1/identify", files={"image": photo(2)}).json()["faces"][0]

    assert face()["name"] == "hedy"
    another_process(people, "rename", "hedy", "Hedy Lamarr")
    assert face()["name"] == "Hedy Lamarr"
    another_process(people, "forget", "Hedy Lamarr")
    assert face()["name"] != "Hedy Lamarr"
    assert "Hedy Lamarr" not in [one["name"] for one in client.get("/v1/persons").json()["persons"]]
