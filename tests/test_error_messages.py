"""Each error and each stored problem has a code with a message, and passes the parameters that the message shows."""

import ast
import re
from functools import cache
from pathlib import Path

import portal.api.errors
from archive import error_messages, errors
from archive.errors import Refused, SpacekeepError, make_problem
from archive.log import events
from archive.models import WebhookEvent

ROOT = Path(__file__).parents[1]
RAISED = {
    name
    for module in (errors, portal.api.errors)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, SpacekeepError)
} | {"make_problem", "render_sentence", "lazy_sentence", "_nothing"}
ALWAYS = {"file"}  # the file's name, in front of any message
# Codes that are composed, or come from elsewhere: (file, the code as written in the source).
COMPUTED = {
    ("archive/moderation/recompute.py", "missing"),
    ("archive/intake/transcripts/__init__.py", "'transcript.wrong_ends' if draft.rescued else 'transcript.all_broken'"),
    ("archive/intake/transcripts/draft.py", "code"),
    ("archive/intake/transcripts/draft.py", "f'cue.at_{self.unit}'"),
    ("archive/intake/transcripts/draft.py", "f'cue.{self.unit}'"),
    ("archive/intake/transcripts/ttml.py", "cue.fault"),
    ("archive/notices/deliver.py", "untrue"),
    ("archive/notices/smtp.py", "code"),
    ("archive/own_lines.py", "code"),
    ("portal/forms/base.py", "code"),
}
# Parameters that are passed as **params, by code; tests/test_storage_errors.py has real responses.
SPREAD = {"storage.answer": {"what", "status", "reply"}}
# File names that look like codes.
FILES = {"space.json", "transcript.vtt"}
STANDALONE = "archive/transparency/verify_log.py"  # it runs without the archive, and has its own messages


@cache
def parse_once() -> tuple[list[tuple[str, ast.Call]], list[tuple[str, str]]]:
    """Return (file, call) of all errors and (file, text) of all strings in the code. Parsing takes seconds, so it is
    cached."""
    usages: list[tuple[str, ast.Call]] = []
    strings: list[tuple[str, str]] = []
    for folder in ("archive", "portal", "embedded"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            file = str(path.relative_to(ROOT))
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and name_of(node.func) in RAISED:
                    usages.append((file, node))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    strings.append((file, node.value))
    return usages, strings


def name_of(function: ast.expr) -> str:
    """Return the last part of `Refused` and of `errors.Refused`."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def code_of(call: ast.Call) -> str | None:
    code = call.args[0] if call.args else None
    return code.value if isinstance(code, ast.Constant) and isinstance(code.value, str) else None


def test_each_error_has_a_code_and_the_parameters_of_its_sentence() -> None:
    usages, _ = parse_once()
    assert len(usages) > 200
    computed = set()
    for file, call in usages:
        code = code_of(call)
        where = f"{file}:{call.lineno}"
        if code is None:
            assert call.args, f"{where} has no code"
            assert (file, ast.unparse(call.args[0])) in COMPUTED, f"{where}: {ast.unparse(call)}"
            computed.add((file, ast.unparse(call.args[0])))
            continue
        assert code in error_messages.CATALOG, f"{where}: there is no message {code}"
        given = {keyword.arg for keyword in call.keywords} - ALWAYS
        if None in given:
            given = given - {None} | SPREAD[code]
        wanted = set(error_messages.placeholders(str(error_messages.CATALOG[code])))
        assert given == wanted, f"{where}: {code} has {wanted}, not {given}"
    assert computed == COMPUTED


def test_each_string_in_the_form_of_a_code_is_one() -> None:
    """Codes in tables and default arguments are not part of the calls above."""
    areas = "|".join({code.split(".")[0] for code in error_messages.CATALOG})
    strings = [pair for pair in parse_once()[1] if pair[0] != STANDALONE]
    codes = [pair for pair in strings if re.fullmatch(rf"({areas})\.[a-z_]*[a-z]", pair[1])]

    assert len(codes) > 300

    assert [
        pair for pair in codes if pair[1] not in {*error_messages.CATALOG, *events.EVENTS, *FILES, *WebhookEvent.values}
    ] == []


def test_each_message_is_used() -> None:
    strings = {text for file, text in parse_once()[1] if "/error_messages/" not in file}
    units = re.findall(r'\bunit(?:: str)? ?= ?"(\w+)"', whole_text("archive/intake/transcripts"))

    assert {code for code in error_messages.CATALOG if code not in strings} == {
        f"cue.{at}{unit}" for unit in units for at in ("", "at_")
    }


def whole_text(folder: str) -> str:
    return "\n".join(path.read_text() for path in (ROOT / folder).rglob("*.py"))


def test_each_code_is_in_one_area() -> None:
    modules = {path.stem for path in (ROOT / "archive/error_messages").glob("*.py")} - {"__init__"}

    assert {area.__name__.rpartition(".")[2] for area in error_messages.AREAS} == modules
    assert sum(len(area.MESSAGES) for area in error_messages.AREAS) == len(error_messages.CATALOG)


def test_each_message_renders() -> None:
    """Each parameter gets a value that fits its format in the message."""
    sentences = {code: error_messages.render(make_problem(code, **sample(code))) for code in error_messages.CATALOG}

    assert len(sentences) > 400
    assert {
        code: sentence
        for code, sentence in sentences.items()
        if "{" in sentence or "?" in sentence.replace("When did the Space end?", "")
    } == {}


VALUES: dict[str, object] = {
    "": "abc",
    "appeal": "denied",
    "duration": 3787.5,
    "kind": "recording",
    "list": [1, 2, 3, 4, 5, 6],
    "message": make_problem("cue.no_text"),
    "messages": [make_problem("cue.at_line", number=14, reason=make_problem("cue.no_text"))],
    "number": 12345,
    "scope": "intake",
    "size": 84_200_000,
    "space": "available",
    "stop": "failing",
    "time": "2026-11-22T14:05:00+00:00",
    "upload": "aborted",
}


def sample(code: str) -> dict[str, object]:
    return {name: VALUES[spec] for name, spec in error_messages.placeholders(str(error_messages.CATALOG[code])).items()}


def test_parameters_are_formatted_when_the_sentence_is_shown() -> None:
    error = Refused("upload.too_large", kind="recording", size=84_200_000, limit=20_000_000, file="talk.m4a")
    sentence = "This file has 84,200,000 bytes. A recording may have at most 20,000,000 (20 MB)."
    assert str(error) == f"talk.m4a: {sentence}".replace(",", "\u202f")
    assert error.problem == {
        "code": "upload.too_large",
        "params": {"kind": "recording", "size": 84_200_000, "limit": 20_000_000, "file": "talk.m4a"},
    }


def test_an_unknown_code_is_shown_as_it_is() -> None:
    """A row may have been written by an older or a newer version."""
    assert error_messages.render(make_problem("upload.{eaten}", by="a dog")) == "upload.{eaten}"
    assert error_messages.render(make_problem("upload.too_large", size=1000)) == (
        "This file has 1\u202f000 bytes. A ? may have at most ? (?)."
    )
    assert error_messages.render({}) == ""


def test_text_from_strangers_is_no_template_and_fits_into_json() -> None:
    """PostgreSQL's JSON accepts neither NUL nor a lone surrogate."""
    error = Refused("upload.duplicate", file="{evil}\x00\ud800.m4a")
    assert str(error).startswith("{evil}\ufffd?.m4a: This recording is already")
