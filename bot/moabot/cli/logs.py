"""`--log FILE`: what happens inside, one JSON object a line, found by the reference of an apology."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

from moabot.errors import ConfigError

__all__ = ["JsonLines", "write_log"]

ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """A record with its extras as JSON in ASCII: no text of a model can forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in ORDINARY}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def write_log(path: Path) -> None:
    """Append to `path` from now on; raises `ConfigError` when it cannot be opened."""
    try:
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"The log {str(path)!r} cannot be written: {error.strerror}.", fix="Correct --log."
        ) from error
    handler.setFormatter(JsonLines())
    log = logging.getLogger("moabot")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
