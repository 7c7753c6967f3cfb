"""Log lines, security events, and every other `snake_case` name in the documentation exist in the code."""

import ast
import re
from collections.abc import Iterator
from itertools import chain

import pytest
from django.apps import apps

from portal import log_redaction
from tests.support.processes import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("archive/**/*.md")])
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text() for path in DOCUMENTS}
OPERATIONS = TEXTS["docs/operations.md"]
PYTHON = sorted(chain.from_iterable((ROOT / folder).rglob("*.py") for folder in ("archive", "portal", "embedded")))
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
NAME = re.compile(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)+)`")
# "`store_unusable` in the logs", "`a`, `b` and `c` in their logs", "its line `a`", "as `a` in the log of the worker"
NAMES = r"`[a-z0-9_]+`(?:(?:,| and|, and)\s+`[a-z0-9_]+`)*"
IN_LOGS = re.compile(rf"({NAMES})(?: \(\w+\))?\s+in\s+(?:the|their)\s+logs?\b|\blines?\s+({NAMES})")
# Names of other programs (PostgreSQL, its tools, Ceph, OpenTelemetry, allauth), and code that a guide tells the reader
# to write.
FOREIGN = {
    *("archive_command", "pg_restore", "pg_wal", "pg_basebackup", "ts_headline", "reclaim_age"),
    *("rgw_gc_obj_min_wait", "rgw_gc_processor_period", "archive_mode", "archive_timeout", "restore_command"),
    *("account_emailaddress", "capture_parameters", "test_each_kind_of_notice_is_sent"),
}


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def is_of_a_logger(function: ast.expr) -> bool:
    """Match logger.error, structlog.get_logger().error, (logger.error if ... else logger.warning)."""
    if isinstance(function, ast.IfExp):
        return is_of_a_logger(function.body)
    return isinstance(function, ast.Attribute) and function.attr in LEVELS and "logger" in ast.unparse(function.value)


def is_an_error(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr in {"error", "exception", "critical"}


def literal(call: ast.Call) -> str:
    """Return the first argument if it is a literal string, else ""."""
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def kinds(call: ast.Call) -> set[str]:
    """Return the name in the first argument, or both names of a conditional expression."""
    first = call.args[0]
    chosen = (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,)
    return {str(one.value) for one in chosen if isinstance(one, ast.Constant)}


CALLS = [call for path in PYTHON for call in calls(ast.parse(path.read_text()))]
# archive/transparency/sequence.py logs names that it gets as arguments.
PASSED_ON = {literal(call) for call in CALLS if ast.unparse(call.func) == "_alert"}
LOGGED = {literal(call) for call in CALLS if is_of_a_logger(call.func)} | PASSED_ON
ERRORS = {literal(call) for call in CALLS if is_of_a_logger(call.func) and is_an_error(call.func)} | PASSED_ON
SECURITY_EVENTS = {kind for call in CALLS if ast.unparse(call.func) == "log_event" for kind in kinds(call)}


def first_cells(heading: str) -> set[str]:
    """Return the names in the first column of the section's tables."""
    section = OPERATIONS.partition(f"{heading}\n")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall("`(\\w+)`", row)}


def test_names_are_found() -> None:
    assert {"work_retried", "dispatcher_silent", "log_entries_deleted", "log_bucket_failed"} <= LOGGED
    assert {"sign_in", "rate_limited"} <= SECURITY_EVENTS
    found = {
        name for text in TEXTS.values() for match in IN_LOGS.findall(text) for name in NAME.findall("".join(match))
    }
    assert {"store_unusable", "work_parked", "inbox_not_a_file", "dispatcher_silent"} <= found


@pytest.mark.parametrize("document", TEXTS)
def test_each_line_of_the_logs_that_a_document_names_is_written(document: str) -> None:
    named = {name for match in IN_LOGS.findall(TEXTS[document]) for name in NAME.findall("".join(match))}

    assert named - LOGGED == set()


def test_the_table_of_the_logs_checkpoints_has_every_error_about_them() -> None:
    """The documentation says that it explains all "lines that begin with `log_`"."""
    assert first_cells("\n## The log's checkpoints") == {
        *(name for name in ERRORS if name.startswith("log_")),
        *("database_was_restored", "log_bucket_failed"),
    }


def test_the_table_of_security_events_has_each_of_them() -> None:
    section = OPERATIONS.partition("**Security events** are lines")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]

    assert {name for row in rows for name in re.findall("`(\\w+)`", row)} == SECURITY_EVENTS


def test_traces_leave_out_the_links_that_let_in() -> None:
    """URLs that docs/how-to/trace-with-opentelemetry.md excludes: what our own logs redact must not appear in traces
    either."""
    text = TEXTS["docs/how-to/trace-with-opentelemetry.md"]
    (excluded,) = re.findall(r"OTEL_PYTHON_DJANGO_EXCLUDED_URLS=(\S+)$", text, re.MULTILINE)
    (parts,) = re.findall(r"\(\?:([^)]+)\)", log_redaction.SECRET_PART.pattern)

    assert {"download", "feeds", "accounts/password/reset/key"} <= set(parts.split("|"))
    for part in parts.split("|"):
        assert any(re.search(pattern, f"/{part}/") for pattern in excluded.split(",")), part


def known() -> set[str]:
    """Return every word of the code, and the names of tables."""
    suffixes = {".py", ".js", ".html", ".txt", ".sh", ".sql", ".yml", ".yaml", ".toml", ".json", ".template", ".env"}
    folders = (
        "archive",
        "portal",
        "embedded",
        "templates",
        "proxy",
        "compose",
        "ops",
        "tests/mutants",
        "tests/support",
    )
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in suffixes]
    files += [
        ROOT / name for name in ("Makefile", "docker-compose.yml", "pyproject.toml", "package.json", "Dockerfile")
    ]
    files += [*ROOT.glob("docs/*.py"), *ROOT.glob("*.py")]
    words = {word for path in files for word in re.findall(r"\w+", path.read_text())}
    words |= {word.removeprefix("copy_") for word in words}  # docs/recordings.md names codes without the prefix
    return words | {path.stem for path in files} | {model._meta.db_table for model in apps.get_models()}


def test_every_name_in_a_document_exists() -> None:
    missing = {(document, name) for document, text in TEXTS.items() for name in NAME.findall(text)}
    words = known() | FOREIGN

    assert {(document, name) for document, name in missing if name not in words} == set()
