"""Every text in a template is marked for translation: no readable text or attribute is outside of `translate` and
`blocktranslate`."""

import re
from html.parser import HTMLParser

import pytest

from tests.support.processes import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html")) + sorted((ROOT / "templates").rglob("*.txt"))
READ_ALOUD = {"alt", "aria-label", "aria-description", "placeholder", "title", "data-announce"}
UNTRANSLATABLE = {"script", "style", "code", "pre", "kbd"}
# Names and codes that are the same in every language.
NAMES = {"Spacekeep", "en"}

COMMENTS = re.compile(r"{#.*?#}|{% comment %}.*?{% endcomment %}", re.DOTALL)
MARKED = re.compile(r"{% blocktranslate\b.*?{% endblocktranslate %}", re.DOTALL)
# Blocks with a CSS class, a color or a part of a URL.
VALUES = re.compile(r"{% block (tone|color|body_class|anchor) %}.*?{% endblock %}|(?<=}})#[a-z]+")
TAGS = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
WORD = re.compile(r"[^\W\d_]+")


class Texts(HTMLParser):
    """Collects what readers see or hear of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in UNTRANSLATABLE
        self.texts += [value for name, value in attrs if name in READ_ALOUD and value]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in UNTRANSLATABLE

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.texts.append(data)


def unmarked_words(source: str) -> list[str]:
    """Return the words of a template that are not translated."""
    for pattern in (COMMENTS, MARKED, VALUES, TAGS):
        source = pattern.sub("", source)
    parser = Texts()
    parser.feed(source)
    parser.close()
    return [word for text in parser.texts for word in WORD.findall(text) if word not in NAMES]


def test_no_text_is_unmarked() -> None:
    unmarked = {str(path.relative_to(ROOT)): unmarked_words(path.read_text()) for path in TEMPLATES}

    assert len(unmarked) > 250
    assert {path: words for path, words in unmarked.items() if words} == {}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<p>{% translate 'Upload' %}</p>", []),
        ("{% blocktranslate with name=user %}By {{ name }}{% endblocktranslate %}", []),
        ("{# why #}{% if a %}<i title='{% translate 'Due' %}'>{{ b }}</i>{% endif %}", []),
        ("<p>Upload {{ count }} files</p>", ["Upload", "files"]),
        ("<button aria-label='Close'>x1</button>", ["Close", "x"]),
        ("<script>const text = 1</script><p>Spacekeep</p>", []),
    ],
)
def test_unmarked_words_are_found(source: str, words: list[str]) -> None:
    assert unmarked_words(source) == words
