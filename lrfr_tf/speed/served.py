"""An HTTP service in a process of its own, for as long as it is measured."""

import contextlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lrfr_tf.errors import UserError
from lrfr_tf.speed.load import OK

READY_WITHIN = 300  # seconds
END_WITHIN = 60  # seconds after SIGTERM


@contextlib.contextmanager
def served(
    command: Sequence[str], ready: str, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[int, int]]:
    """Runs a service while the block runs: its process id and its port.

    Args:
        command: in which `{port}` stands for a free port.
        ready: the path of a route that answers 200 as soon as the service is ready.
        log: the file that gets what the service prints.
        environment: its whole environment; None: ours.

    Raises:
        UserError: it ended, or was not ready in time.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [word.replace("{port}", str(port)) for word in command]
    with log.open("wb") as stream:
        process = subprocess.Popen(words, stdout=stream, stderr=stream, env=environment)
        try:
            until = time.monotonic() + READY_WITHIN
            while not _is_ready(f"http://127.0.0.1:{port}{ready}"):
                if process.poll() is not None or time.monotonic() > until:
                    said = log.read_text(encoding="utf-8", errors="replace").strip()[-500:]
                    raise UserError(f"The service did not start: {said}")
                time.sleep(0.2)
            yield process.pid, port
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(END_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status == OK
    except (urllib.error.URLError, OSError):
        return False
