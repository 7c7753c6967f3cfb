"""docs/imports.md and the help of `ingest` name every tool whose files the importers read."""

import re
from pathlib import Path

from archive.intake.importers import SOURCES
from archive.management.commands.ingest import Command

DOCUMENT = Path(__file__).parent.parent / "docs" / "imports.md"


def test_the_document_has_a_row_for_each_source() -> None:
    first_cells = re.findall(r"^\| ([^|]+?) \|", DOCUMENT.read_text(), re.MULTILINE)

    assert first_cells[:1] == ["source"]
    assert sorted(first_cells[1:]) == sorted([*SOURCES, "any recording"])


def test_the_help_of_ingest_lists_each_source() -> None:
    assert [source for source in SOURCES if source not in Command.help] == []
