"""Texts that people see use one word for one thing, as in docs/glossary.md, and none of the words listed here."""

import re
from pathlib import Path

import pytest

from tests.support.marked_texts import marked_texts, sources
from tests.support.processes import ROOT

# Used instead of: upload, download, bundle, export, flag, deadline, deleted, transcript, line, speaker, participant,
# recorder, history, dismiss, revoke, resume, cancel, retry. Checked in pages, mail, messages, and documents.
ANYWHERE = re.compile(
    r"\b(bring(s|ing)? (it )?in|brought in|take along|hand(s|ed|ing)? (\w+ )?(over|out)|let stand"
    r"|(made|written) by (a )?machine|who spoke|who could talk|put(s|ting)? (all )?away|go(es|ing)? on\b(?! pages)"
    r"|g[ia]ve[sn]? (it )?up|look(s|ed|ing)? (again|into)|is tried again|anew|whoever|cancell(ed|ing)|as the rule says"
    r"|its time has (passed|come)|time of this Space has passed|nothing of (it|them))\b",
    re.IGNORECASE,
)
# Names in the code for which pages have other words.
ON_PAGES = re.compile(
    r"\b(packages?|volumes?|collections?|violations?|rule that it broke|cues?|voices?|machines?|story|promised?"
    r"|download all|clock|late|reads? back|taken? in|gone|arriv\w+|stands?|standing)\b",
    re.IGNORECASE,
)
# The player's volume, the result of a review, Python's packages, the clock of a recorder, a command, and idioms.
ALLOWED = re.compile(
    r"^volume$|\bno violation\b|without a violation|its package\b|own clock|clock of the recording|gone for good"
    r"|too late|early or late|manage\.py arrivals",
    re.IGNORECASE,
)
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "portal" / "api").glob("*.py")]


def banned(text: str, *patterns: re.Pattern[str]) -> list[str]:
    text = ALLOWED.sub("", text)
    return [match[0] for pattern in patterns for match in pattern.finditer(text)]


def test_texts_use_one_word_for_one_thing() -> None:
    texts = [(path, text) for path in sources() for text in marked_texts(path)]

    assert len(texts) > 1800
    assert [
        (str(path.relative_to(ROOT)), text, words)
        for path, text in texts
        if (words := banned(text, ANYWHERE, ON_PAGES))
    ] == []


def test_documents_use_the_same_words() -> None:
    words = {str(path.relative_to(ROOT)): banned(path.read_text(), ANYWHERE) for path in DOCUMENTS}

    assert {path: others for path, others in words.items() if others} == {}


@pytest.mark.parametrize(
    ("name", "source", "texts"),
    [
        ("a.py", 'from x import _\nA = {"b": _("Story of {name}, and more")}\n', ["Story of , and more"]),
        ("a.js", 'const text = ngettext("%(count)s cue", "%(count)s cues", count);', ["cue", "cues"]),
        ("a.html", '<p title="{% translate "Late" %}">{% if a %}{{ _("Gone") }}{% endif %}</p>', ["Late", "Gone"]),
        (
            "a.txt",
            "{% blocktranslate with a=b %}Kept for <b>{{ a }}</b> days{% endblocktranslate %}",
            ["Kept for days"],
        ),
    ],
)
def test_marked_texts_are_collected(tmp_path: Path, name: str, source: str, texts: list[str]) -> None:
    path = tmp_path / name
    path.write_text(source)

    assert list(marked_texts(path)) == texts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The flag was lifted.", []),
        ("The violation was lifted.", ["violation"]),
        ("No violation, next", []),
        ("Nothing of it is handed out.", ["Nothing of it", "handed out"]),
        ("The upload was cancelled.", ["cancelled"]),
    ],
)
def test_other_words_are_found(text: str, words: list[str]) -> None:
    assert sorted(banned(text, ANYWHERE, ON_PAGES)) == sorted(words)
