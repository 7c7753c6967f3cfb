"""Read typed settings from the environment.

NAME_COMMAND is a command that prints the value of NAME, and NAME_FILE names a file with it: for secrets, which don't
belong into the environment of a container. Missing or invalid values do not raise here. They are collected in
`problems`, and the system check in portal/checks.py reports all of them at once, each with an id and a hint. `warnings`
has values that are valid but unwise.
"""

import base64
import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from portal import log_lines, processes, secret_sources


@dataclass(frozen=True)
class Problem:
    id: str
    message: str
    hint: str


problems: list[Problem] = []
warnings: list[Problem] = []


def raw(name: str) -> str:
    """Return the value of `name`, or the output of the command NAME_COMMAND, or the content of the file NAME_FILE, in
    this order.

    White space around it is stripped. Empty if not set.

    Does not read secrets that this process does not need: their files may be missing here.
    """
    value, command, file = (_variable(name + source) for source in ("", "_COMMAND", "_FILE"))
    if value or not processes.is_needed(name, PROCESS):
        return value
    try:
        if command:
            return secret_sources.run_command(command)
        return _read_file(name, Path(file)) if file else ""
    except secret_sources.SecretUnreadable as error:
        number, source = ("E145", "COMMAND") if command else ("E091", "FILE")
        problems.append(Problem(f"spacekeep.{number}", f"{name}_{source} {error.reason}.", error.remedy))
        return ""


def _variable(name: str) -> str:
    return os.environ.get(name, "").strip()


def _read_file(name: str, path: Path) -> str:
    if processes.is_secret(name) and secret_sources.is_open_to_others(path):
        hint = f"chmod 600 {path}, and make the user of this process its owner."
        warnings.append(Problem("spacekeep.W130", f"{name}_FILE can be read by every user of this machine.", hint))
    return secret_sources.read_file(path).strip()


def sources_of(name: str) -> list[str]:
    """The variables that give `name` a value which this process can read."""
    given = [variable for variable in (name, f"{name}_COMMAND") if _variable(variable)]
    file = _variable(f"{name}_FILE")
    return [*given, f"{name}_FILE"] if file and os.access(file, os.R_OK) else given


def text(name: str, default: str | None = None, *, id: str = "", hint: str = "") -> str:
    """Read a text. Without a `default` it is required (of this process: portal/processes.py), and `id` and `hint` are
    those of the problem."""
    value = raw(name)
    if value:
        return value
    if default is None and processes.is_needed(name, PROCESS):
        problems.append(Problem(id, f"{name} is not set.", hint))
    return default or ""


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


def choice(name: str, allowed: tuple[str, ...], *, id: str) -> str:
    """Read one of `allowed`, by default the first."""
    value = os.environ.get(name, "").strip()
    if not value or value in allowed:
        return value or allowed[0]
    problems.append(
        Problem(
            id,
            f"{name} is {value!r}.",
            f"It is {' or '.join(filter(None, allowed))}; by default {allowed[0] or 'empty'}.",
        )
    )
    return allowed[0]


PROCESS = choice("PROCESS", ("", *processes.ALL), id="spacekeep.E092")


def log_level(*, id: str) -> None:
    """Report an unknown LOG_LEVEL. log_lines reads the variable itself, because gunicorn and Celery log before settings
    are loaded."""
    value = os.environ.get("LOG_LEVEL", "").strip()
    if value and value.upper() not in log_lines.LEVELS:
        problems.append(Problem(id, f"LOG_LEVEL is {value!r}.", f"It is {' or '.join(log_lines.LEVELS)}."))


def flag(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value in ("", "0", "1", "true", "false", "yes", "no", "on", "off"):
        return value in ("1", "true", "yes", "on") if value else default
    problems.append(Problem("spacekeep.E010", f"{name} is {value!r}.", "It is 1 or 0."))
    return default


def comma_list(name: str, default: list[str]) -> list[str]:
    value = raw(name)
    return [word.strip() for word in value.split(",") if word.strip()] or default


def address(name: str, schemes: tuple[str, ...], default: str | None = None, *, id: str, hint: str) -> str:
    """Read an engine's URL. It may contain a password, so the problem does not repeat it."""
    value = text(name, default, id=id, hint=hint)
    if value and not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        starts = " or ".join(f"{scheme}://" for scheme in schemes)
        problems.append(Problem(id, f"{name} does not start with {starts}.", f"It looks like {hint}"))
        return ""
    return value


def contact(name: str, *, id: str) -> str:
    """Read an e-mail address, or the address of a page (https:// or http://). Empty if not set."""
    value = raw(name)
    is_page = value.startswith(("https://", "http://")) and bool(urlsplit(value).hostname)
    if not value or is_page or re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        return value
    problems.append(
        Problem(id, f"{name} is {value!r}.", "It is an e-mail address, or a page: https://example.org/contact.")
    )
    return ""


def seed(name: str, *, id: str, hint: str) -> bytes:
    """Read 32 bytes in base64. They are secret, so the problem does not repeat them."""
    return _decode_key(name, text(name, id=id, hint=hint), id=id, hint=hint)


def optional_seed(name: str, *, id: str, hint: str) -> bytes:
    """`seed`, or b"" if it is not set."""
    return _decode_key(name, raw(name), id=id, hint=hint)


def log_origin(name: str, site_url: str, *, id: str) -> str:
    """Read the name of the log: an address without a scheme. By default `<host of the site>/log`."""
    value = raw(name) or f"{urlsplit(site_url).netloc or 'localhost'}/log"
    if not re.fullmatch(r"[!-*,-~]{1,200}", value):
        problems.append(Problem(id, f"{name} is {value!r}.", "ASCII without spaces and +: archive.example.org/log."))
    return value


def witnesses(name: str, *, id: str) -> list[tuple[str, str]]:
    """Read witnesses of the log, comma-separated: the address and the public key of each, with a space in between."""
    pairs = []
    for value in comma_list(name, []):
        url, _, key = value.partition(" ")
        if url.startswith(("https://", "http://")) and re.fullmatch(r"[!-*,-~]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}", key):
            pairs.append((url, key))
        else:
            hint = "https://witness.example.org witness.example.org+0a1b2c3d+BAAA...; several with a comma."
            problems.append(Problem(id, f"{name} has {value!r}.", hint))
    return pairs


def page_address(name: str, *, id: str) -> str:
    """Read an address of HTTP, with a path. Empty if not set."""
    value = raw(name)
    if value and not (value.startswith(("https://", "http://")) and urlsplit(value).hostname):
        problems.append(Problem(id, f"{name} is {value!r}.", "It looks like https://tsa.example.org/tsr."))
        return ""
    return value


def mail_addresses(name: str, *, id: str) -> list[str]:
    """Read e-mail addresses, comma-separated."""
    addresses = comma_list(name, [])
    wrong = [address for address in addresses if not re.fullmatch(r"[^@\s]+@[^@\s]+", address)]
    hint = "E-mail addresses; several with a comma."
    problems.extend(Problem(id, f"{name} has {address!r}.", hint) for address in wrong)
    return [address for address in addresses if address not in wrong]


def keys(name: str, *, id: str, hint: str) -> list[bytes]:
    """Read a comma-separated list of 32 bytes each, in base64."""
    decoded = [_decode_key(name, value, id=id, hint=hint) for value in comma_list(name, [])]
    return [key for key in decoded if key]


def networks(name: str, *, id: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Read a comma-separated list of networks: 10.0.0.0/8, fd00::/8, or single addresses."""
    found = []
    for value in comma_list(name, []):
        try:
            found.append(ipaddress.ip_network(value))
        except ValueError:
            problems.append(
                Problem(id, f"{name} has {value!r}.", "It is a network such as 10.20.0.0/16 or an address.")
            )
    return found


def hosts(name: str, *, id: str) -> list[str]:
    """Read a comma-separated list of host names, addresses and networks."""
    values = comma_list(name, [])
    for value in values:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", value) and not _is_network(value):
            hint = "It is a host name, an address, or a network such as 10.20.0.0/16."
            problems.append(Problem(id, f"{name} has {value!r}.", hint))
    return values


def _is_network(value: str) -> bool:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        return False
    return True


def _decode_key(name: str, value: str, *, id: str, hint: str) -> bytes:
    try:
        key = base64.b64decode(value, validate=True)
    except ValueError:
        key = b""
    if value and len(key) != 32:
        problems.append(Problem(id, f"{name} is not 32 bytes in base64.", hint))
    return key if len(key) == 32 else b""


def origin(name: str, default: str | None = None, *, id: str, hint: str) -> str:
    """Read an origin: scheme://host[:port], without a path."""
    value = text(name, default, id=id, hint=hint).rstrip("/")
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path):
        problems.append(
            Problem(id, f"{name} is {value!r}.", "It looks like https://example.org or http://127.0.0.1:8000.")
        )
        return ""
    return value


@dataclass(frozen=True)
class Mail:
    """Django's settings for a mail server or a folder. The default sends no mail."""

    backend: str = "django.core.mail.backends.dummy.EmailBackend"
    folder: str = ""
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False


MAIL_HINT = "smtp://user:password@host:587?tls=True, smtps://user:password@host:465, or file:///folder"


def mail(name: str, *, id: str) -> Mail:
    """Read the mail server's address.

    smtp://[user:password@]host[:port][?tls=True] (STARTTLS), smtps:// (TLS from the first byte) or file:///folder;
    empty for no mail. It may contain a password, so the problem does not repeat it.
    """
    value = raw(name)
    if not value:
        return Mail()
    try:
        return _parse_mail(value)
    except ValueError as error:
        problems.append(Problem(id, f"{name} {error}.", f"It looks like {MAIL_HINT}"))
        return Mail()


def _parse_mail(value: str) -> Mail:
    """Parse the URL. Raises ValueError with the rest of a sentence that repeats no part of `value`."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ValueError("can't be read as an address") from error
    if parts.scheme == "file":
        if parts.netloc or not parts.path.startswith("/"):
            raise ValueError("names a folder that is not absolute")
        return Mail(backend="portal.mail_folder.MailFolderBackend", folder=unquote(parts.path))
    if parts.scheme not in ("smtp", "smtps"):
        raise ValueError("does not start with smtp://, smtps:// or file://")
    if not parts.hostname or parts.path.strip("/") or parts.fragment:
        raise ValueError("names no host, or more than a host")
    options: dict[str, Any] = dict(parse_qsl(parts.query, keep_blank_values=True))
    wanted = options.pop("tls", "0").lower()
    if options or wanted not in ("0", "1", "true", "false"):
        raise ValueError("asks for something else than tls=True")
    starttls, tls = wanted in ("1", "true"), parts.scheme == "smtps"
    if starttls and tls:
        raise ValueError("asks for TLS twice: smtps:// has it from the first byte")
    if bool(parts.username) != bool(parts.password):
        raise ValueError("has a user without a password, or the other way round")
    if parts.password and not (starttls or tls) and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("would send its password unencrypted: add ?tls=True, or use smtps://")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    usual = 465 if tls else 587 if starttls else 25
    backend = "portal.mail_server.MailServerBackend"
    return Mail(backend, "", parts.hostname, port or usual, user, password, starttls, tls)
