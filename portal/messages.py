"""Which messages a worker reads: those that this archive's processes send.

Celery and kombu trust what is in a queue. A body that is no base64, an `expires` that is no time or a body of two items
ends the whole worker; some of these messages come back and end the next one. So a message that is not as Celery writes
it (https://docs.celeryq.dev/en/stable/internals/protocol.html, version 2) is dropped before they see it. That costs
nothing: the work is a row, and the dispatcher publishes it again. Names and ids are not checked here: tasks do that.
"""

import base64
import json
from collections.abc import Callable
from typing import Any

from celery.utils.time import maybe_iso8601

MAX_BYTES = 64 * 1024  # ours have about 1,000


class MalformedMessage(ValueError):
    """The text says which part of the message is not as it should be. It quotes nothing of the message."""


def check(item: bytes) -> None:
    """Raise MalformedMessage unless this entry of a queue is a whole message that calls a task, and nothing else."""
    if len(item) > MAX_BYTES:
        raise MalformedMessage("size")
    message = _read_json(item, "message")
    _check_fields(message, MESSAGE, "message")
    _check_fields(message["headers"], HEADERS, "headers")
    _check_fields(message["properties"], PROPERTIES, "properties")
    _check_fields(message["properties"]["delivery_info"], DELIVERY, "delivery_info")
    try:
        body = base64.b64decode(message["body"], validate=True)
    except ValueError:
        raise MalformedMessage("body") from None
    _check_body(_read_json(body, "body"))


def _check_body(body: Any) -> None:
    if not (isinstance(body, list) and len(body) == 3):
        raise MalformedMessage("body")
    args, kwargs, embed = body
    if not isinstance(args, list):
        raise MalformedMessage("args")
    if not isinstance(kwargs, dict):
        raise MalformedMessage("kwargs")
    # Callbacks, chains and chords, which we never use.
    if not isinstance(embed, dict) or any(embed.values()):
        raise MalformedMessage("embed")


def _read_json(data: bytes, name: str) -> Any:
    try:
        return json.loads(data, object_pairs_hook=_refuse_types)
    except (ValueError, RecursionError):
        raise MalformedMessage(name) from None


def _refuse_types(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """kombu reads such an object as a value of another type than JSON has, or raises."""
    values = dict(pairs)
    if "__type__" in values:
        raise ValueError("__type__")
    return values


def _check_fields(value: Any, fields: dict[str, Callable[[Any], bool]], name: str) -> None:
    """Each of the `fields` is as it should be; what has no other value may be missing. Other fields are another
    release's, and nobody reads them before the task runs."""
    if not isinstance(value, dict):
        raise MalformedMessage(name)
    for field, is_right in fields.items():
        if not is_right(value.get(field)):
            raise MalformedMessage(f"{name}.{field}")


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_optional_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_optional_time(value: Any) -> bool:
    if value is None:
        return True
    try:
        time = maybe_iso8601(value) if _is_text(value) else None
        return time is not None and time.tzinfo is not None
    except (ValueError, OverflowError):
        return False


def _is_none(value: Any) -> bool:
    return value is None


def _is_time_limits(value: Any) -> bool:
    """The hard one and the soft one, in seconds; None for those of the worker's settings."""
    pair = [None, None] if value is None else value
    return isinstance(pair, list) and len(pair) == 2 and all(one is None or _is_seconds(one) for one in pair)


def _is_seconds(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < 10**9


def _is_optional_count(value: Any) -> bool:
    return value is None or (type(value) is int and 0 <= value < 1000)


MESSAGE: dict[str, Callable[[Any], bool]] = {
    "body": _is_text,
    "content-type": lambda value: value == "application/json",
    "content-encoding": lambda value: value == "utf-8",
    "headers": _is_object,
    "properties": _is_object,
}
HEADERS: dict[str, Callable[[Any], bool]] = {
    "task": _is_text,
    "id": _is_text,
    "expires": _is_optional_time,
    "timelimit": _is_time_limits,
    "retries": _is_optional_count,
    "replaced_task_nesting": _is_optional_count,
    "ignore_result": lambda value: value is None or isinstance(value, bool),
    **dict.fromkeys(("root_id", "parent_id", "argsrepr", "kwargsrepr", "origin", "caused_by"), _is_optional_text),
    # What we never use.
    **dict.fromkeys(("eta", "shadow", "group", "group_index", "compression", "stamped_headers"), _is_none),
    "stamps": lambda value: value is None or value == {},
}
PROPERTIES: dict[str, Callable[[Any], bool]] = {
    "delivery_tag": _is_text,
    "delivery_info": _is_object,
    "body_encoding": lambda value: value == "base64",
    "priority": _is_optional_count,
    "correlation_id": _is_optional_text,
    "reply_to": _is_optional_text,
}
DELIVERY: dict[str, Callable[[Any], bool]] = {"exchange": _is_optional_text, "routing_key": _is_text}
