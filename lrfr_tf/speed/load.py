"""Clients of an HTTP service, many at once in one process: requests are made before, answers are looked at afterwards.

It shares the processors with what it measures, so it is sockets and the standard library alone, and its own CPU time is
in its result. `run_clients` starts it in a process of its own.
"""

import asyncio
import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

OK, BUSY = 200, 503
BOUNDARY = "a-boundary-that-is-in-no-photo"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the clients do: each sends one photo after the other, and the next once it has its answer.

    Attributes:
        port: of the service, on this machine.
        path: of the route.
        photos: the files that are sent in turns, as a file in a multipart form.
        clients: how many, each on a connection of its own.
        seconds: after which no request is begun; those under way are awaited.
        requests: instead of it, how many requests there are; 0: as many as the seconds allow.
        keeps_away: whether a client that was refused comes back after the seconds of Retry-After, or at once.
        field: the name of the photo's field in the form.
        texts: the form's other fields.
    """

    port: int
    path: str
    photos: Sequence[str]
    clients: int
    seconds: float
    requests: int = 0
    keeps_away: bool = True
    field: str = "image"
    texts: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Sent:
    """One request.

    Attributes:
        photo: its position in the plan.
        began, seconds: from the first byte sent on; `began` counts from the beginning of the run.
        status: of HTTP; 0 where the connection broke.
        retry_after: seconds, of a refusal that says so.
        body: the answer; empty unless it was a success.
    """

    photo: int
    began: float
    seconds: float
    status: int
    retry_after: float | None = None
    body: str = ""


@dataclasses.dataclass(frozen=True)
class Load:
    """What the clients saw: their requests, how long they sent, and the CPU seconds that they needed themselves."""

    sent: list[Sent]
    seconds: float
    cpu_seconds: float


def run_clients(plan: Plan, result: Path) -> Load:
    """Runs the clients in a process of their own, which writes what they saw into the file `result`.

    Raises:
        subprocess.CalledProcessError: the process failed.
    """
    command = [sys.executable, "-m", __spec__.name, json.dumps(dataclasses.asdict(plan)), str(result)]
    subprocess.run(command, check=True)
    seen = json.loads(result.read_text(encoding="utf-8"))
    return Load([Sent(*one) for one in seen["sent"]], seen["seconds"], seen["cpu_seconds"])


def multipart_request(path: str, photo: bytes, field: str = "image", texts: Mapping[str, str] | None = None) -> bytes:
    """A whole request with one photo as the field `field` of a form, and texts as its other fields."""
    parts = [(f'name="{name}"\r\n', text.encode()) for name, text in (texts or {}).items()]
    parts.append((f'name="{field}"; filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n', photo))
    line = f"--{BOUNDARY}".encode()
    body = b"".join(
        line + b"\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n" + content + b"\r\n"
        for head, content in parts
    )
    body += line + b"--\r\n"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def all_clients(plan: Plan) -> Load:
    """The clients, in this process."""
    requests = [multipart_request(plan.path, Path(photo).read_bytes(), plan.field, plan.texts) for photo in plan.photos]
    seen: list[Sent] = []
    began, cpu_began = time.perf_counter(), time.process_time()
    turns = iter(range(plan.requests)) if plan.requests else None

    async def client(number: int) -> None:
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        turn = number * len(requests) // plan.clients
        while time.perf_counter() - began < plan.seconds:
            if turns is not None and (turn := next(turns, -1)) < 0:
                break
            photo, turn = turn % len(requests), turn + 1
            since = time.perf_counter()
            try:
                if connection is None or connection[0].at_eof():  # the service ends those that are idle
                    connection = await asyncio.open_connection("127.0.0.1", plan.port)
                status, headers, body = await _exchange(*connection, requests[photo])
            except (OSError, EOFError):
                status, headers, body = 0, {}, b""
            seconds = time.perf_counter() - since
            wait = float(headers["retry-after"]) if "retry-after" in headers else None
            text = body.decode() if status == OK else ""
            seen.append(Sent(photo, since - began, seconds, status, wait, text))
            if connection is not None and (status == 0 or headers.get("connection") == "close"):
                connection[1].close()
                connection = None
            if status == 0:
                await asyncio.sleep(0.1)
            elif wait is not None and plan.keeps_away:
                await asyncio.sleep(wait)
        if connection is not None:
            connection[1].close()

    await asyncio.gather(*(client(number) for number in range(plan.clients)))
    seconds = time.perf_counter() - began
    return Load(seen, min(seconds, plan.seconds), time.process_time() - cpu_began)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Sends a request: the answer's status, headers (names in lower case) and body."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    return int(head[0].split()[1]), headers, await reader.readexactly(int(headers.get("content-length", "0")))


def _main(plan: dict[str, Any], result: Path) -> None:
    load = asyncio.run(all_clients(Plan(**plan)))
    result.write_text(json.dumps({**dataclasses.asdict(load), "sent": [dataclasses.astuple(one) for one in load.sent]}))


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]), Path(sys.argv[2]))
