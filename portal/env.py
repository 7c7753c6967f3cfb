"""Typed readers for the environment. What is missing or wrong does not raise here: it is collected, and the system
check in portal/checks.py says all of it at once, with an id and a hint each."""

import base64
import os
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Problem:
    id: str
    message: str
    hint: str


problems: list[Problem] = []


def text(name: str, default: str | None = None, *, id: str = "", hint: str = "") -> str:
    """The variable's text. Without a `default` it is required: then `id` and `hint` say what to do when it is not
    set."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        problems.append(Problem(id, f"{name} is not set.", hint))
        return ""
    return default


def number(name: str, default: int, *, least: int, most: int = 10**9, id: str) -> int:
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if value.isascii() and value.isdigit() and least <= int(value) <= most:
        return int(value)
    upto = f" and at most {most}" if most != 10**9 else ""
    hint = f"It is a whole number, at least {least}{upto}; by default {default}."
    problems.append(Problem(id, f"{name} is {value!r}.", hint))
    return default


def flag(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value in ("", "0", "1", "true", "false", "yes", "no", "on", "off"):
        return value in ("1", "true", "yes", "on") if value else default
    problems.append(Problem("spacekeep.E010", f"{name} is {value!r}.", "It is 1 or 0."))
    return default


def words(name: str, default: list[str]) -> list[str]:
    value = os.environ.get(name, "")
    return [word.strip() for word in value.split(",") if word.strip()] or default


def address(name: str, schemes: tuple[str, ...], *, id: str, hint: str) -> str:
    """An address of an engine. It may hold a password, so a wrong one is not repeated."""
    value = text(name, id=id, hint=hint)
    if value and not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        starts = " or ".join(f"{scheme}://" for scheme in schemes)
        problems.append(Problem(id, f"{name} does not start with {starts}.", f"It looks like {hint}"))
        return ""
    return value


def seed(name: str, *, id: str, hint: str) -> bytes:
    """32 bytes, in base64. It is a secret, so a wrong one is not repeated."""
    value = text(name, id=id, hint=hint)
    try:
        found = base64.b64decode(value, validate=True)
    except ValueError:
        found = b""
    if value and len(found) != 32:
        problems.append(Problem(id, f"{name} is not 32 bytes in base64.", hint))
    return found if len(found) == 32 else b""


def origin(name: str, default: str | None = None, *, id: str, hint: str) -> str:
    """scheme://host[:port], without a path."""
    value = text(name, default, id=id, hint=hint).rstrip("/")
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path):
        problems.append(
            Problem(id, f"{name} is {value!r}.", "It looks like https://example.org or http://127.0.0.1:8000.")
        )
        return ""
    return value
