"""Read the texts that people see from the sources: gettext arguments in Python and scripts, and marked template
texts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.processes import ROOT

GETTEXT = {
    "_",
    "_lazy",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "npgettext",
}
OF_SCRIPT = re.compile(r"\bn?gettext\(\s*((?:\"(?:\\.|[^\"\\])*\",?\s*)+)")
QUOTED = re.compile(r"\"((?:\\.|[^\"\\])*)\"")
OF_TAG = re.compile(r"{% translate (\"[^\"]*\"|'[^']*')|\b_\((\"[^\"]*\"|'[^']*')\)")
BLOCK = re.compile(r"{% blocktranslate\b[^%]*%}(.*?){% endblocktranslate %}", re.DOTALL)
MARKUP = re.compile(r"<[^>]*>|{%.*?%}|{{.*?}}|{[^{}]*}|%\(\w+\)[sd]", re.DOTALL)


def marked_texts(path: Path) -> Iterator[str]:
    """Yield the texts of a source file, without markup and placeholders."""
    texts = {".py": _of_python, ".js": _of_script}.get(path.suffix, _of_template)(path.read_text())
    for text in texts:
        yield " ".join(MARKUP.sub(" ", text).split())


def sources() -> list[Path]:
    """Return every file with texts that people see: pages, mail, scripts, messages, labels, the offline page."""
    paths = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.txt")]
    for folder in ("archive", "portal"):
        paths += [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.js")]
    return sorted(path for path in paths if "migrations" not in path.parts and ".bundle." not in path.name)


def _of_python(source: str) -> Iterator[str]:
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in GETTEXT:
            yield from (one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str))


def _of_script(source: str) -> Iterator[str]:
    for call in OF_SCRIPT.finditer(source):
        yield from QUOTED.findall(call[1])


def _of_template(source: str) -> Iterator[str]:
    yield from ((one[1] or one[2])[1:-1] for one in OF_TAG.finditer(source))
    yield from (block[1] for block in BLOCK.finditer(source))
