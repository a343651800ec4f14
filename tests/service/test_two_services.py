"""Two processes that serve one gallery: a request that comes to both at once is done once."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from lrfr_tf.service.idempotency import Answers, answers_beside
from lrfr_tf.service.request_error import RequestError
from tests.conftest import ROOT
from tests.service.conftest import Start
from tests.service.test_idempotency import code, count, enroll, ids
from tests.service.test_serve import served

HOLDS = """
import sys
from pathlib import Path
from lrfr_tf.service.idempotency import Answers
with Answers(Path(sys.argv[1])).request("local", "one", "p", images=[b"x"], how=""):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_key_is_under_way_while_another_process_has_it(tmp_path: Path) -> None:
    path = tmp_path / "people.db.answers"
    answers = Answers(path)

    def ask(key: str) -> str:
        try:
            with answers.request("local", key, "p", images=[b"x"], how=""):
                return "done"
        except RequestError as error:
            return error.code

    words = [sys.executable, "-c", HOLDS, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert [ask("one"), ask("two"), ask("one")] == ["under_way", "done", "under_way"]
        other.kill()
        other.wait(60)
    assert ask("one") == "done"  # whatever became of the other one
    answers.close()


def test_a_folder_that_takes_no_lock_is_told(start: Start, people: Path, photo: Callable[..., bytes]) -> None:
    answers_beside(people).with_name("people.db.answers.lock").mkdir()
    client, _ = start()
    id = ids(client)["ada"]
    answer = enroll(client, id, photo(0, 60))
    assert (answer.status_code, code(answer)) == (503, "answers_unavailable")
    assert count(client, id) == 2


def test_requests_keep_their_age_when_the_clock_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers()

    def ask() -> str:
        with answers.request("me", "one", "p", images=[b"x"], how="") as noted:
            return noted.photo(0)[0]

    first = ask()
    for clock in (0.0, 4e9):
        monkeypatch.setattr("time.time", lambda clock=clock: clock)
        assert ask() == first


def test_what_was_noted_by_a_clock_that_went_before_is_not_kept_for_years() -> None:
    now = 10_000_000.0
    answers = Answers(seconds=100, now=lambda: now)

    def ask() -> str:
        with answers.request("me", "one", "p", images=[b"x"], how="") as noted:
            return noted.photo(0)[0]

    first = ask()
    now = 5000.0
    assert ask() == first
    now = 5101.0
    assert ask() != first


def test_threads_that_ask_at_once_do_it_once(tmp_path: Path) -> None:
    answers, held, free = Answers(tmp_path / "answers"), threading.Event(), threading.Event()

    def hold() -> None:
        with answers.request("me", "one", "p", images=[b"x"], how=""):
            held.set()
            free.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    with pytest.raises(RequestError), answers.request("me", "one", "p", images=[b"x"], how=""):
        pass
    free.set()
    thread.join(30)
    with answers.request("me", "one", "p", images=[b"x"], how=""):
        pass
    answers.close()


@pytest.mark.slow
def test_two_services_that_get_a_request_at_once_enroll_once(people: Path, photo: Callable[..., bytes]) -> None:
    files = [("image", (f"{number}.png", photo(0, 60 + number))) for number in range(3)]
    with served(people) as (_, first), served(people) as (_, second):
        id = ids_of(first)["ada"]
        for key in range(6):
            answers: list[httpx.Response] = []

            def ask(address: str, key: int = key, answers: list[httpx.Response] = answers) -> None:
                where = f"{address}/v1/persons/{id}/references?level=off"
                answers.append(httpx.post(where, files=files, headers={"idempotency-key": str(key)}, timeout=120))

            threads = [threading.Thread(target=ask, args=(address,)) for address in (first, second) * 2]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(120)
            good = [one.json()["photos"] for one in answers if one.status_code == 200]
            assert good
            assert all(one == good[0] for one in good)
            assert all(code(one) == "under_way" for one in answers if one.status_code != 200)
            for address in (first, second):
                assert httpx.get(f"{address}/v1/persons/{id}").json()["references"] == 2 + 3 * (key + 1)


def ids_of(address: str) -> dict[str, str]:
    return {one["name"]: one["id"] for one in httpx.get(f"{address}/v1/persons").json()["persons"]}
