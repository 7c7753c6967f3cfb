"""Each error and each problem of a row has a code with a sentence, and names the parameters that the sentence shows."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import portal.api.errors
from archive import error_messages, errors
from archive.errors import Refused, SpacekeepError, make_problem

ROOT = Path(__file__).parents[1]
RAISED = {
    name
    for module in (errors, portal.api.errors)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, SpacekeepError)
} | {"make_problem", "render_sentence", "lazy_sentence"}
ALWAYS = {"file"}  # the file's name, in front of any sentence
# Codes that are put together, or come from elsewhere: (file, code as it stands in the source).
COMPUTED = {
    ("archive/intake/transcripts/draft.py", "f'cue.at_{self.unit}'"),
    ("archive/notices/deliver.py", "untrue"),
    ("archive/notices/smtp.py", "code"),
    ("archive/own_lines.py", "code"),
    ("portal/forms/base.py", "code"),
}


def calls() -> Iterator[tuple[str, ast.Call]]:
    for folder in ("archive", "portal", "embedded"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED:
                    yield str(path.relative_to(ROOT)), node


def code_of(call: ast.Call) -> str | None:
    code = call.args[0] if call.args else None
    return code.value if isinstance(code, ast.Constant) and isinstance(code.value, str) else None


def test_each_error_has_a_code_and_the_parameters_of_its_sentence() -> None:
    usages = list(calls())
    assert len(usages) > 150
    for file, call in usages:
        code = code_of(call)
        where = f"{file}:{call.lineno}"
        if code is None:
            assert call.args, f"{where} has no code"
            assert (file, ast.unparse(call.args[0])) in COMPUTED, f"{where}: {ast.unparse(call)}"
            continue
        assert code in error_messages.CATALOG, f"{where}: there is no message {code}"
        if any(keyword.arg is None for keyword in call.keywords):
            continue  # **params: of storage.answer, see the test below
        given = {keyword.arg for keyword in call.keywords} - ALWAYS
        wanted = set(error_messages.placeholders(str(error_messages.CATALOG[code])))
        assert given == wanted, f"{where}: {code} has {wanted}, not {given}"


def test_each_message_is_used() -> None:
    sources = [path.read_text() for path in (ROOT / "archive").rglob("*.py") if path.parent.name != "error_messages"]
    sources += [path.read_text() for path in (ROOT / "portal").rglob("*.py")]
    whole = "\n".join(sources)
    unused = [code for code in error_messages.CATALOG if f'"{code}"' not in whole and not code.startswith("cue.at_")]
    assert unused == []


def test_each_code_is_in_one_area() -> None:
    assert sum(len(area.MESSAGES) for area in error_messages.AREAS) == len(error_messages.CATALOG)


@pytest.mark.parametrize("code", sorted(error_messages.CATALOG))
def test_each_message_renders(code: str) -> None:
    """With a value for each parameter that fits how it is shown."""
    sentence = error_messages.render(make_problem(code, **sample(code)))
    assert "{" not in sentence
    assert "?" not in sentence.replace("When did the Space end?", "")


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
    """A row may be older than the code, or newer."""
    assert error_messages.render(make_problem("upload.{eaten}", by="a dog")) == "upload.{eaten}"
    assert error_messages.render(make_problem("upload.too_large", size=1000)) == (
        "This file has 1\u202f000 bytes. A ? may have at most ? (?)."
    )
    assert error_messages.render({}) == ""


def test_text_from_strangers_is_no_template_and_fits_into_json() -> None:
    """PostgreSQL keeps neither NUL nor half a surrogate pair in JSON."""
    error = Refused("upload.duplicate", file="{evil}\x00\ud800.m4a")
    assert str(error).startswith("{evil}\ufffd?.m4a: This recording is already")
