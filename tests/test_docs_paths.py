"""Every file that the documentation names exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("archive/**/*.md")]
)
# `archive/log/events.py` and `tests/faults/`: a path from the root, in backquotes.
PATH = re.compile(
    r"`((?:\.ci|\.github|archive|docs|embedded|portal|requirements|templates|tests)/[\w./-]*\w/?)(?:::\w+)?`"
)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[\w-]*)?\)")
# Files that the guides tell the reader to create.
CREATED = {
    *("archive/intake/importers/roomtape.py", "tests/test_import_roomtape.py"),
    *("portal/views/rules.py", "templates/rules/list.html", "tests/test_rules_page.py"),
    *("templates/archive/mail/transcript-ready.txt", "templates/notices/text/transcript-ready.html"),
}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_names_exists(document: str) -> None:
    text = (ROOT / document).read_text()
    folder = (ROOT / document).parent
    named = [path for path in PATH.findall(text) if path not in CREATED]
    linked = LINK.findall(text)

    missing = [path for path in named if not (ROOT / path).exists()]
    missing += [path for path in linked if not (folder / path).exists()]

    assert missing == []


def test_files_that_guides_create_do_not_exist() -> None:
    assert [path for path in sorted(CREATED) if (ROOT / path).exists()] == []


def test_the_documents_are_found() -> None:
    assert {"README.md", "docs/architecture.md", "docs/how-to/add-a-page.md"} <= set(DOCUMENTS)
