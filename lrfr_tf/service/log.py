"""The service's log: one JSON object a line. No image, embedding, name or key ever stands in it."""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

REQUESTS = "lrfr_tf.service.requests"


class JsonLines(logging.Formatter):
    """Writes a record as JSON: when, how serious, what, and the fields given as `extra={"fields": {...}}`.

    Of an error its kind and where it was raised are kept, not its text, which may hold a name.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["trace"] = [f"{one.filename}:{one.lineno}" for one in traceback.extract_tb(record.exc_info[2])]
        return json.dumps(line, ensure_ascii=True)


def log_to(stream: TextIO) -> None:
    """Writes what the service and uvicorn log to a stream, as JSON lines."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    for name, level in ((REQUESTS, logging.INFO), ("uvicorn", logging.INFO), ("uvicorn.error", logging.INFO)):
        logger = logging.getLogger(name)
        logger.handlers = [handler] if name != "uvicorn.error" else []
        logger.setLevel(level)
        logger.propagate = name == "uvicorn.error"
