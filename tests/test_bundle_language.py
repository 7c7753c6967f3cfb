"""A bundle has the same bytes whatever language the process that builds it speaks."""

import re
from pathlib import Path

import pytest
from django.utils.translation import gettext

from archive.bundles.contents import members
from archive.bundles.zip64 import Literal
from archive.display.export_index import render_export_index
from archive.models import Space, User
from archive.moderation.violations import flag
from tests.support.processes import ROOT
from tests.support.pseudo_locale import pseudo_locale

MARKED = re.compile(r'{% translate "([^"]+)" %}')


@pytest.fixture
def sentences() -> set[str]:
    """Those of the templates that bundles are made from."""
    sources = [path.read_text() for path in (ROOT / "templates" / "archive").rglob("*.html")]
    return {sentence for source in sources for sentence in MARKED.findall(source)}


def generated_files(space: Space) -> dict[str, bytes]:
    """Everything in a bundle but the recordings, and the page of an export."""
    files = {member.name: member.body.data for member in members(space, "") if isinstance(member.body, Literal)}
    return {**files, "export": render_export_index(1, 1, [(space, "seeds")], [])}


def test_generated_files_are_in_english(seeds: Space, admin: User, sentences: set[str], tmp_path: Path) -> None:
    flag(seeds.pk, "spam", "It sold watches.", admin)
    seeds.refresh_from_db()
    files = generated_files(seeds)
    assert len([sentence for sentence in sentences if sentence.encode() in b"".join(files.values())]) > 5

    with pseudo_locale(tmp_path, sentences):
        assert {gettext(sentence) for sentence in sentences} == {f"⟦{sentence}⟧" for sentence in sentences}
        assert generated_files(seeds) == files
