"""The clients of the load benchmark, against a server that answers by its script."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lrfr_tf.speed.load import BUSY, OK, Load, Plan, Sent, all_clients, run_clients
from lrfr_tf.speed.load_figures import answer_of, figures_of, load_targets, pace_of

Answer = Callable[[int], tuple[int, str, bytes]]


class Scripted:
    """Answers the n-th request by `answer`: status, more headers, body; a status of 0 ends the connection."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            self.requests.append(await reader.readexactly(length))
            status, headers, body = self._answer(len(self.requests) - 1)
            if status == 0:
                break
            writer.write(f"HTTP/1.1 {status} X\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body)
        writer.close()


def seen(answer: Answer, photos: list[Path], **plan: object) -> tuple[Load, list[bytes]]:
    async def go() -> tuple[Load, list[bytes]]:
        script = Scripted(answer)
        server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = {"clients": 1, "seconds": 60.0, **plan}
        load = await all_clients(Plan(port, "/v1/identify", [str(one) for one in photos], **settings))  # type: ignore
        server.close()
        return load, script.requests

    return asyncio.run(go())


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    files = [tmp_path / "a", tmp_path / "b"]
    for file in files:
        file.write_bytes(file.name.encode() * 3)
    return files


def test_each_photo_is_sent_in_turn_and_its_answer_kept(photos: list[Path]) -> None:
    load, requests = seen(lambda number: (OK, "", b"answer %d" % number), photos, requests=3)
    assert [one.photo for one in load.sent] == [0, 1, 0]
    assert [one.body for one in load.sent] == ["answer 0", "answer 1", "answer 2"]
    assert [(b"\r\naaa\r\n" in one, b"\r\nbbb\r\n" in one) for one in requests] == [(1, 0), (0, 1), (1, 0)]


def test_who_is_refused_comes_back_after_as_long_as_was_said(photos: list[Path]) -> None:
    def answer(number: int) -> tuple[int, str, bytes]:
        return (BUSY, "Retry-After: 1\r\n", b"{}") if number == 0 else (OK, "", b"")

    load, _ = seen(answer, photos, requests=2)
    assert [(one.status, one.retry_after) for one in load.sent] == [(BUSY, 1.0), (OK, None)]
    assert load.sent[1].began >= 1.0
    load, _ = seen(answer, photos, requests=2, keeps_away=False)
    assert load.sent[1].began < 1.0


def test_a_broken_connection_is_noted_and_a_new_one_made(photos: list[Path]) -> None:
    load, requests = seen(lambda number: (0 if number == 0 else OK, "", b""), photos, requests=2)
    assert [one.status for one in load.sent] == [0, OK]
    assert len(requests) == 2


def test_the_process_of_the_clients_hands_back_what_it_saw(tmp_path: Path, photos: list[Path]) -> None:
    plan = Plan(1, "/", [str(photos[0])], 2, 0.05)  # nobody listens there
    load = run_clients(plan, tmp_path / "seen.json")
    assert {one.status for one in load.sent} == {0}
    assert load.cpu_seconds > 0


def test_a_service_gets_the_form_that_it_asks_for(photos: list[Path]) -> None:
    _, requests = seen(lambda number: (OK, "", b""), photos, requests=1, field="img", texts={"model_name": "Facenet"})
    text = b'Content-Disposition: form-data; name="model_name"\r\n\r\nFacenet\r\n'
    assert text in requests[0]
    assert b'form-data; name="img"; filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n\r\naaa\r\n' in requests[0]
    _, requests = seen(lambda number: (OK, "", b""), photos, requests=1)
    assert requests[0].count(b"form-data") == 1
    assert b'name="image"' in requests[0]


def test_the_pace_counts_good_answers_in_time() -> None:
    load = Load(
        [Sent(0, 0.0, 1.0, OK), Sent(0, 1.0, 3.0, OK), Sent(0, 8.0, 4.0, OK), Sent(0, 0.0, 0.5, 400)], 10.0, 0.1
    )
    pace = pace_of(load)
    assert (pace.per_second, pace.p50_s, pace.failed) == (0.2, 3.0, 1)


def good(photo: int, began: float, seconds: float, name: str | None, score: float) -> Sent:
    face = {"decision": "known" if name else "unknown", "name": name, "score": score, "record": int(1000 * began)}
    return Sent(photo, began, seconds, OK, None, json.dumps({"faces": [face], "request_id": str(began)}))


def test_figures_and_targets() -> None:
    serial = {0: answer_of(good(0, 0, 1, "ada", 0.5)), 1: answer_of(good(1, 0, 1, None, 0.1))}
    sent = [good(0, 0.0, 1.0, "ada", 0.5), good(1, 1.0, 2.0, None, 0.125), good(0, 8.0, 4.0, "ada", 0.5)]
    busy = Sent(0, 0.0, 0.01, BUSY, 2.0)
    row = figures_of(32, Load([*sent, busy], 10.0, 0.5), serial)
    assert (row.answered, row.per_second, row.p50_s, row.longest_s) == (3, 0.2, 2.0, 4.0)  # the last came too late
    assert (row.share_busy, row.all_say_when, row.other, row.clients_cpu) == (0.25, True, 0, 0.05)
    assert (row.same, row.same_names) == (2, 3)
    assert row.largest_difference == pytest.approx(0.025)
    wrong = figures_of(32, Load([good(0, 0, 1, "eve", 0.5), Sent(0, 0, 0, 0)], 10.0, 0.5), serial)
    assert (wrong.same_names, wrong.other) == (0, 1)


def held(**changes: object) -> dict[str, bool | None]:
    """Whether each target is held by loads that hold all, but for what is changed in them."""
    row = {"answered": 9, "same_names": 9, "other": 0, "all_say_when": True, "share_busy": 0.0}
    loads = [
        {**row, "clients": 4, "per_second": 20.0, "p99_s": 0.8},
        {**row, "clients": 32, "per_second": 20.0, "p99_s": 2.4},
        {**row, "clients": 200, "per_second": 20.0, "p99_s": 6.4, "share_busy": 0.5},
    ]
    number = changes.pop("load", 0)
    memory = {"after_first_load": 1000.0, "end": changes.pop("end", 1050.0)}
    loads[number] |= changes  # type: ignore[index]
    facts = {"single": {"p50_s": 0.1}, "recognizer_per_second": 23.5, "queue": 64, "loads": loads, "memory_mb": memory}
    return {f"{one.stage}: {one.must}": one.held for one in load_targets(facts)}


@pytest.mark.parametrize(
    ("changes", "failing"),
    [
        ({}, []),
        ({"p99_s": 0.81}, ["4 clients: p99 at most 8 times a single call: 0.80 s"]),
        ({"load": 1, "share_busy": 0.01}, ["32 clients: no 503"]),
        ({"load": 1, "p99_s": 2.41}, ["32 clients: p99 at most 1.5 times 32 / throughput: 2.40 s"]),
        ({"load": 1, "per_second": 19.9}, ["32 clients: 85 % of the recognizer's own rate"]),
        ({"load": 2, "all_say_when": False}, ["200 clients: 503 with Retry-After"]),
        ({"load": 2, "p99_s": 6.41}, ["200 clients: p99 at most 2 times 64 / throughput: 6.40 s"]),
        ({"load": 2, "other": 1}, ["200 clients: answers as to a single client"]),
        ({"end": 1051.0}, ["all: memory flat after the first load, within 5 %"]),
    ],
)
def test_a_target_that_is_missed_says_so(changes: dict[str, object], failing: list[str]) -> None:
    assert [name for name, is_held in held(**changes).items() if not is_held] == failing
