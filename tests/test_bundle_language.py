"""A bundle has the same bytes whatever language is active in the process that builds it."""

import pytest
from django.utils.translation import gettext

from archive.bundles.contents import content_id, members
from archive.bundles.zip64 import Literal
from archive.display.export_index import render_export_index
from archive.models import Space, User
from archive.moderation.violations import flag
from tests.support.pseudo_locale import everything_translated


def generated_files(space: Space) -> dict[str, bytes]:
    """Return every file in a bundle except the recordings, and the page of an export."""
    files = {member.name: member.body.data for member in members(space, "") if isinstance(member.body, Literal)}
    return {**files, "export": render_export_index(1, 1, [(space, "seeds")], [space])}


@pytest.mark.parametrize("title", ["Seeds", ""])
def test_generated_files_are_in_english(seeds: Space, admin: User, title: str) -> None:
    flag(seeds.pk, "spam", "It sold watches.", admin)
    seeds.refresh_from_db()
    seeds.title = title
    files, digest = generated_files(seeds), content_id(seeds)

    with everything_translated():
        assert gettext("Skip to the content") == "⟦Skip to the content⟧"
        assert generated_files(seeds) == files
        assert content_id(seeds) == digest

    assert b"Skip to the content" in files["/data/index.html"]
