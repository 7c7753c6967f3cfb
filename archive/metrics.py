"""Metrics that only the process itself has: requests to the store, tasks, mails. (archive/status reads the rest from
PostgreSQL.)

They are always counted, at some microseconds each, and served where METRICS_PORT is set (portal/process_metrics.py).
Labels have only names from our code and status codes: no ids, keys or addresses.
"""

import time
from typing import Any

from prometheus_client import Counter, Histogram

STORE_REQUESTS = Counter(
    "spacekeep_store_requests",
    "Requests to object stores; code: the HTTP status, or the error's class where there was no answer.",
    ["operation", "code"],
)
STORE_RETRIES = Counter("spacekeep_store_retries", "Requests that were sent again.", ["operation"])
STORE_SECONDS = Histogram(
    "spacekeep_store_request_seconds",
    "Seconds until the response, with retries, without reading its body.",
    ["operation"],
    buckets=(0.01, 0.05, 0.25, 1, 5, 30, 120),
)
TASK_SECONDS = Histogram(
    "spacekeep_task_seconds",
    "Seconds per run of a task; outcome: done, or failed by an unexpected error.",
    ["task", "outcome"],
    buckets=(0.1, 1, 5, 30, 120, 600),
)
MAILS = Counter("spacekeep_mails", "Mails handed to the mail server; outcome: sent, refused, unavailable.", ["outcome"])


def watch_store(events: Any) -> None:
    """Count the requests of a botocore client. `events` is the client's `meta.events`."""
    events.register("before-call.s3", _note_start, unique_id="metrics-before")
    events.register("after-call.s3", _count_answer, unique_id="metrics-after")
    events.register("after-call-error.s3", _count_error, unique_id="metrics-error")


def _note_start(context: dict[str, Any], **kwargs: Any) -> None:
    context["spacekeep_started"] = time.monotonic()


def _count_answer(event_name: str, parsed: dict[str, Any], context: dict[str, Any], **kwargs: Any) -> None:
    answer = parsed.get("ResponseMetadata", {})
    operation = _count(event_name, str(answer.get("HTTPStatusCode", "")), context)
    if retries := answer.get("RetryAttempts", 0):
        STORE_RETRIES.labels(operation).inc(retries)


def _count_error(event_name: str, exception: Exception, context: dict[str, Any], **kwargs: Any) -> None:
    _count(event_name, type(exception).__name__, context)


def _count(event_name: str, code: str, context: dict[str, Any]) -> str:
    """Count a request. Returns its operation, the last part of the event's name: after-call.s3.HeadObject."""
    operation = event_name.rpartition(".")[2]
    STORE_REQUESTS.labels(operation, code).inc()
    if (started := context.get("spacekeep_started")) is not None:
        STORE_SECONDS.labels(operation).observe(time.monotonic() - started)
    return operation
