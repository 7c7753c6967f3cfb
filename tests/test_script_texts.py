"""Every text in a script is marked for translation: strings that people read are arguments of gettext or ngettext."""

import re
from collections.abc import Iterator

import pytest

from tests.support.processes import ROOT

FOLDERS = ("archive/static/archive", "portal/static/portal", "archive/display")
SCRIPTS = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.js") if ".bundle." not in path.name)

# Characters after which a regular expression or a string may begin.
TOKEN = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)"
    r"|(?P<regex>(?<=[(=,:!&|?{};\n])\s*/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*)"
    r'|(?P<text>"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|`(?:\\.|[^`\\])*`)',
    re.DOTALL,
)
MARKED = re.compile(r"\b(?:gettext|ngettext)\((?:\s*\"(?:\\.|[^\"\\])*\",?)*\s*$")
# Calls and attributes that show a string, even of one word, or have it read out.
SHOWN = re.compile(
    r"(?:\b(?:textContent|innerText|title|placeholder|ariaLabel)\s*=\s*(?:[^;=]*[?:]\s*)?"
    r"|setAttribute\(\s*\"(?:aria-label|aria-valuetext|title|placeholder|alt)\",\s*(?:[^;]*[?:]\s*)?"
    r"|\bannounce\(\s*(?:[^;]*[?:]\s*)?|\bnew UserError\(\s*)$"
)
# Errors for developers and browsers, selectors, media queries, and CSS classes.
NOT_READ = re.compile(
    r"(?:\bnew (?:Error|RangeError|DOMException)\(|\bclassName\s*="
    r"|\b(?:(?:get|find|closest)Elements?|querySelector(?:All)?|matches|closest|matchMedia|fillOf|make(?:Bar|Tick))\([^()]*)\s*$"
)
EXPRESSION = re.compile(r"\$\{(?:[^{}]|\{[^{}]*\})*\}|%\(\w+\)s")
# Two words that a person reads, and no selector, attribute, path or list of classes.
SENTENCE = re.compile(r"^[^\[\]<>#=_/{}]*\b[^\W\d_]{2,}[,;:.?!']*\s+[^\[\]<>#=_/{}]*\b[^\W\d_]{2,}")


def strings(source: str) -> Iterator[tuple[int, str]]:
    """Yield (position, content) of each string, without the expressions of template strings."""
    for match in TOKEN.finditer(source):
        if match["text"]:
            yield match.start("text"), EXPRESSION.sub(" ", match["text"][1:-1])


def unmarked_strings(source: str) -> list[str]:
    """Return the strings that people read but that are not translated."""
    unmarked = []
    for start, text in strings(source):
        before = source[max(0, start - 2000) : start]
        if MARKED.search(before) or NOT_READ.search(before):
            continue
        is_shown = SHOWN.search(before) and re.search(r"[^\W\d_]", text)
        if is_shown or SENTENCE.search(text):
            unmarked.append(text)
    return unmarked


def test_no_text_is_unmarked() -> None:
    unmarked = {str(path.relative_to(ROOT)): unmarked_strings(path.read_text()) for path in SCRIPTS}

    assert {path: texts for path, texts in unmarked.items() if texts} == {}


def test_makemessages_finds_each_text() -> None:
    """makemessages reads only string literals in double quotes, as Biome writes them."""
    call = re.compile(r"(?<!function )\bn?gettext\(\s*(.)")
    starts = {path.name: set(call.findall(path.read_text())) for path in SCRIPTS if path.name != "translate.js"}

    assert {name: characters for name, characters in starts.items() if not characters <= {'"'}} == {}


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('announce(gettext("Copied it."));', []),
        ('const text = ngettext("%(count)s line here", "%(count)s lines here", count);', []),
        ('throw new UserError("The file is damaged.");', ["The file is damaged."]),
        ("label = `Remove ${file.name} now`;", ["Remove   now"]),
        ('const NAMES = { gone: "It has passed" };', ["It has passed"]),
        ('button.title = "Play";', ["Play"]),
        ('button.setAttribute("aria-label", playing ? gettext("Pause") : "Play");', ["Play"]),
        ('announce("Copied.");', ["Copied."]),
        ('getElement(page, "ol.lines li"); // Two words here.', []),
        ('throw new Error("no such element");', []),
    ],
)
def test_unmarked_texts_are_found(source: str, texts: list[str]) -> None:
    assert unmarked_strings(source) == texts
