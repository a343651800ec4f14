"""A service on a real port, in a thread of this process."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterable, Iterator

import uvicorn
from starlette.types import ASGIApp


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[tuple[int, uvicorn.Server]]:
    """The port and the server; it has ended in order once the block is left."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until = time.monotonic() + 120
    while not server.started:
        assert time.monotonic() < until
        assert thread.is_alive()
        time.sleep(0.02)
    try:
        yield server.servers[0].sockets[0].getsockname()[1], server
    finally:
        server.should_exit = True
        thread.join(60)
    assert not thread.is_alive()


def said(port: int, head: str, chunks: Iterable[bytes] = ()) -> tuple[str, int]:
    """What a server answers to lines of a head and a body, and how many bytes of the body it let through."""
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n")
        try:
            for chunk in chunks:
                connection.sendall(chunk)
                sent += len(chunk)
        except OSError:  # it has closed the connection
            pass
        answer = b""
        with contextlib.suppress(OSError):
            while part := connection.recv(65536):
                answer += part
    return answer.decode("latin-1"), sent
