"""`lrfr serve`: what it refuses before anything is loaded, and how it ends."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from lrfr_tf.cli import command, serve
from lrfr_tf.errors import UserError
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import Store
from lrfr_tf.service.addresses import bound, check_names
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


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What `lrfr serve` says to words that it refuses with exit code 2."""
    with pytest.raises(SystemExit) as stopped:
        command.main(["serve", *words])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


def test_a_port_in_use_is_one_sentence(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refusal(capsys, f"--gallery={people}", f"--port={port}")
    assert f"error: http://127.0.0.1:{port} cannot be used: Address already in use; --port takes another." in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--host=999.1.1.1", "--allowed_hosts=x"], "--host 999.1.1.1 is no address, nor a name that leads to one."),
        (["--host=192.0.2.7", "--allowed_hosts=x"], "--host 192.0.2.7 is no address of this machine."),
        (["--allowed_hosts=faces.example:443"], "--allowed_hosts has faces.example:443, which is no name of a host"),
        (["--allowed_hosts=http://faces.example"], "--allowed_hosts has http://faces.example, which is no name of"),
        (["--allowed_origins=desk.example"], "--allowed_origins has desk.example, which is no origin, such as"),
        (
            ["--allowed_origins=https://desk.example/"],
            "--allowed_origins has https://desk.example/, which is no origin",
        ),
    ],
)
def test_an_address_that_cannot_be_is_one_sentence(
    people: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sentence in refusal(capsys, f"--gallery={people}", *words)


def test_names_and_addresses_that_can_be_are_taken() -> None:
    check_names(["faces.example", "192.0.2.7", "2001:db8::7"], ["https://desk.example", "http://localhost:3000"])
    with bound("localhost", 0) as sockets:
        assert len({one.getsockname()[1] for one in sockets}) == 1
        assert "127.0.0.1" in {one.getsockname()[0] for one in sockets}


def test_sigterm_while_it_loads_ends_it_with_success(people: Path) -> None:
    code = """
import sys, time
from lrfr_tf.cli import command
from lrfr_tf.gallery.gallery import Gallery

def opened(*positional, **named):
    print("loading", file=sys.stderr, flush=True)
    time.sleep(600)

Gallery.open = opened
command.main(["serve", "--gallery=" + sys.argv[1], "--port=0"])
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", code, str(people)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr is not None
            assert any("loading" in line for line in process.stderr)
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, said
    assert "error" not in said


@contextlib.contextmanager
def served(people: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that serves a gallery, ready, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "lrfr_tf.serve", f"--gallery={people}", f"--port={port}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 300
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{address}/v1/health/ready").status_code == 200:
                    break
            time.sleep(0.2)
        yield process, address
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_sigterm_ends_it_with_success(people: Path) -> None:
    with served(people) as (process, _):
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert '"event": "ready"' in said
        assert '"event": "ended"' in said


@pytest.mark.slow
def test_sigterm_waits_for_requests_but_for_no_connection(people: Path, photo: Callable[..., bytes]) -> None:
    photos = [("image", (f"{number}.png", photo(0, 60 + number))) for number in range(24)]
    statuses: list[int] = []
    with served(people) as (process, address), httpx.Client(base_url=address) as idle, contextlib.ExitStack() as opened:
        where = address.removeprefix("http://").split(":")
        idle.get("/v1/health/live")  # the connection is kept
        for sent in (b"", b"GET /v1/health/live HTTP/1.1\r\nHost: local"):
            connection = opened.enter_context(socket.create_connection((where[0], int(where[1]))))
            connection.sendall(sent)

        def ask() -> None:
            statuses.append(httpx.post(f"{address}/v1/identify", files=photos, timeout=120).status_code)

        def under_way() -> bool:
            figures = httpx.get(f"{address}/metrics").text
            return any(line.startswith("lrfr_queue") and float(line.split()[-1]) > 0 for line in figures.splitlines())

        thread = threading.Thread(target=ask)
        thread.start()
        until = time.monotonic() + 60
        while not under_way() and thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        thread.join(120)
        _, said = process.communicate(timeout=60)
    assert statuses == [200]
    assert process.returncode == 0, said
    assert "timeout graceful shutdown exceeded" not in said  # as it would be after 30 seconds of waiting for one


@pytest.mark.slow
def test_a_kill_loses_nothing_that_was_acknowledged(people: Path) -> None:
    acknowledged: list[str] = []
    with served(people) as (process, address):

        def create(client: int) -> None:
            number = 0
            with contextlib.suppress(httpx.TransportError):
                while True:
                    name = f"{client} {number}"
                    answer = httpx.post(f"{address}/v1/persons", json={"name": name})
                    assert answer.status_code == 201
                    acknowledged.append(name)
                    number += 1

        threads = [threading.Thread(target=create, args=(client,)) for client in range(4)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 60
        while len(acknowledged) < 40 and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
        for thread in threads:
            thread.join(60)
    assert len(acknowledged) >= 40
    kept = {person.name for person in People(Store(people)).persons()}
    assert set(acknowledged) <= kept
    assert len(kept) <= len(acknowledged) + len(threads) + 4


@pytest.mark.slow
def test_a_request_that_a_kill_cut_short_is_finished_by_its_repetition(
    people: Path, photo: Callable[..., bytes]
) -> None:
    photos = [("image", (f"{number}.png", photo(0, 60 + number))) for number in range(12)]
    headers = {"idempotency-key": "one"}
    with contextlib.closing(People(Store(people))) as stored:
        id = next(one.id for one in stored.persons() if one.name == "ada")
        before = len(stored.references("ada"))

        def ask(address: str) -> httpx.Response:
            return httpx.post(
                f"{address}/v1/persons/{id}/references?level=off", files=photos, headers=headers, timeout=120
            )

        with served(people) as (process, address):

            def cut_short() -> None:
                with contextlib.suppress(httpx.TransportError):
                    ask(address)

            thread = threading.Thread(target=cut_short)
            thread.start()
            until = time.monotonic() + 120
            while len(stored.references("ada")) < before + 3 and time.monotonic() < until:
                time.sleep(0.005)
            process.kill()
            thread.join(60)
        enrolled = [one.id for one in stored.references("ada")[before:]]
        assert 3 <= len(enrolled) < len(photos)
        with served(people) as (_, address):
            answer = ask(address).json()["photos"]
            assert [one["photo"] for one in answer] == [name for _, (name, _) in photos]
            assert all(one["verdict"] != "rejected" for one in answer)
            own = [one.id for one in stored.references("ada")[before:]]
            assert [one["reference"] for one in answer] == own
            assert own[: len(enrolled)] == enrolled
            assert ask(address).json()["photos"] == answer
            assert len(stored.references("ada")) == before + len(photos)


@pytest.mark.slow
def test_a_kill_while_photos_are_enrolled_loses_none_and_none_is_there_twice(
    people: Path, photo: Callable[[int], bytes]
) -> None:
    photos = {f"person {number}": photo(number) for number in range(10, 130)}
    ids: dict[str, str] = {}
    acknowledged: dict[str, str] = {}

    def enroll(address: str, name: str) -> httpx.Response:
        return httpx.post(
            f"{address}/v1/persons/{ids[name]}/references",
            files={"image": photos[name]},
            headers={"idempotency-key": name},
            timeout=60,
        )

    with served(people) as (process, address):
        for name in photos:
            ids[name] = httpx.post(f"{address}/v1/persons", json={"name": name}).json()["id"]

        def enroll_some(names: list[str]) -> None:
            with contextlib.suppress(httpx.TransportError):
                for name in names:
                    (answer,) = enroll(address, name).json()["photos"]
                    acknowledged[name] = answer["reference"]

        names = list(photos)
        threads = [threading.Thread(target=enroll_some, args=(names[client::4],)) for client in range(4)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 120
        while len(acknowledged) < 20 and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
        for thread in threads:
            thread.join(60)
    assert 20 <= len(acknowledged) < len(photos)
    with contextlib.closing(sqlite3.connect(people)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        kept = {id for (id,) in database.execute("SELECT id FROM reference WHERE state = 'active'")}
    assert set(acknowledged.values()) <= kept
    again = names[: len(acknowledged) + 8]  # who had an answer, who was under way, and others
    with served(people) as (_, address):
        for name in again:
            answer = enroll(address, name)
            assert answer.status_code == 200
            references = httpx.get(f"{address}/v1/persons/{ids[name]}/references").json()["references"]
            assert len(references) == 1
            assert acknowledged.get(name, references[0]["id"]) == references[0]["id"]
