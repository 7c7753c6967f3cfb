"""Log lines: JSON on standard error, each with the request or the row of work that it is about (docs/operations.md,
"Logs"). Without queries of URLs and without download links (log_redaction.py).

Imports no settings and no Django: gunicorn writes its first lines before there is either.
"""

import json
import logging
import os
import sys
import threading
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from types import TracebackType
from typing import Any

import structlog

from archive.repeated_lines import is_known, may_write
from portal.log_redaction import redact_event

STANDARD_ERROR = 2  # its file descriptor

# The request that this thread answers (portal/request_ids.py).
current_request: ContextVar[Any] = ContextVar("current_request", default=None)


def add_caller(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor: add `user_id` or `recorder_id` of the request's sender, if the portal has looked them up
    already. Adds no names, and makes no query just for a log line."""
    request = current_request.get()
    user_id = getattr(getattr(request, "_cached_user", None), "pk", None)
    if user_id is not None:
        event.setdefault("user_id", user_id)
    recorder = getattr(getattr(request, "auth", None), "recorder", None)
    if recorder is not None:
        event.setdefault("recorder_id", str(recorder.pk))
    return event


class NewFailures(logging.Filter):
    """Limit Celery's tracebacks of failed tasks: one for each cause of a row, as in archive/work_log.py, and a few per
    minute for tasks that fail in the same way (archive/repeated_lines.py)."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return True
        task = record.args.get("name") if isinstance(record.args, dict) else None
        return not is_known(error) and may_write(line="task_failed", task=str(task), error=type(error).__name__)


@cache
def new_failures() -> NewFailures:
    """One for all: dictConfig adds it once more each time it is called, and it counts the lines that it sees."""
    return NewFailures()


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    add_caller,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def configured_level() -> str:
    """LOG_LEVEL; INFO without it, and for one that logging does not have (a check reports it)."""
    level = os.environ.get("LOG_LEVEL", "").strip().upper()
    return level if level in LEVELS else "INFO"


def logging_config() -> dict[str, Any]:
    """Return the configuration for logging.config.dictConfig, for every process, including gunicorn's master."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": "structlog.stdlib.ProcessorFormatter",
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    redact_event,
                    structlog.processors.JSONRenderer(),
                ],
                "foreign_pre_chain": SHARED,
            }
        },
        "filters": {"new_failures": {"()": new_failures}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": configured_level()},
        # 404s are not incidents, and our own errors already report botocore's retries.
        "loggers": {
            "botocore": {"level": "WARNING"},
            "boto3": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            # Otherwise they have their own handlers, which would write URLs without redaction.
            "django.server": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
            "gunicorn.error": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
            "gunicorn.access": {"handlers": [], "propagate": False},
            "celery.app.trace": {"filters": ["new_failures"]},
            "faster_whisper": {"level": "WARNING"},  # at lower levels it would quote what people say
        },
    }


def log_what_escapes() -> None:
    """Python's warnings, and the errors that end a process or a thread, are lines too, and no plain text."""
    logging.captureWarnings(True)
    sys.excepthook = _log_end_of_process
    threading.excepthook = _log_end_of_thread


def _log_end_of_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logging.getLogger("portal").critical("process_failed", exc_info=(kind, error, trace))


def _log_end_of_thread(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_value is not None:
        cause = (failure.exc_type, failure.exc_value, failure.exc_traceback)
        logging.getLogger("portal").error("thread_failed", exc_info=cause)


def write_line(event: str, logger: str) -> None:
    """Write a line past `logging`: in the handler of a signal, which may have interrupted a line."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    line = json.dumps({"event": event, "level": "info", "logger": logger, "timestamp": now})
    with suppress(OSError):  # whoever read our lines is gone
        os.write(STANDARD_ERROR, f"{line}\n".encode())


def configure_structlog() -> None:
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
