"""A message about a section of a long page appears in that section, and the redirect leads there."""

import pytest
from django.test import Client

from archive.models import Space, User
from archive.moderation.violations import flag
from tests.support.editing import make_talk
from tests.support.html_forms import read_form
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(alice: User) -> Space:
    return make_talk(alice)


@pytest.fixture
def host(alice: User) -> Client:
    return make_client(alice)


def order(page: str, *parts: str) -> list[str]:
    """Return the parts in the order in which they appear in the page; each must appear once."""
    assert [page.count(part) for part in parts] == [1] * len(parts)
    return sorted(parts, key=page.index)


def test_speakers_are_reported_where_they_are(space: Space, host: Client) -> None:
    url = f"/spaces/{space.pk}/edit/speakers"
    page = host.get(f"/spaces/{space.pk}/edit/").content
    form = read_form(page, url)
    field = next(name for name, value in form.items() if value == "Tom" and name.startswith("name-"))

    saved = host.post(url, form | {field: "Tim"}, follow=True).content.decode()

    assert f'action="{url}#speakers"' in page.decode()
    parts = ['id="speakers"', "Saved as version 2", 'id="lines-title"']
    assert order(saved, *parts) == parts


def test_appeals_are_reported_at_their_flag(space: Space, host: Client, admin: User) -> None:
    first, second = (flag(space.pk, "spam", reason, admin) for reason in ("Watches.", "Handbags."))
    url = f"/spaces/{space.pk}/violations/{first.pk}/appeal"
    other, this = f'id="appeal-{second.pk}"', f'id="appeal-{first.pk}"'

    refused = host.post(url, {"statement": "x" * 2001}).content.decode()
    sent = host.post(url, {"statement": "No watch was sold."}, follow=True).content.decode()

    assert f'action="{url}#appeal-{first.pk}"' in refused
    for page, text in ((refused, "The appeal has"), (sent, "Your appeal was sent.")):
        assert order(page, other, text, this) == [this, text, other]


def test_flags_and_lifts_are_reported_in_the_part_of_admins(space: Space, admin: User) -> None:
    client, url = make_client(admin), f"/spaces/{space.pk}"

    refused = client.post(f"{url}/flag", {"rule": "spam", "reason": ""})
    flagged = client.post(f"{url}/flag", {"rule": "spam", "reason": "Watches."})
    page = client.get(f"{url}/").content.decode()

    assert refused.status_code == 422
    assert order(refused.content.decode(), 'role="status"><ul', 'id="moderation"')[0] == 'id="moderation"'
    assert flagged["Location"] == f"{url}/#moderation"
    assert order(page, "Flagged. ", 'id="moderation"')[0] == 'id="moderation"'
    assert 'class="stays"' not in page


def test_a_message_of_a_section_that_a_page_lacks_is_shown(space: Space, host: Client) -> None:
    """The Space has no recording, so its page has neither a player nor a transcript."""
    form = {"base": "1", "from_space": "1", "text-1": "Broad beans.", "speaker-1": "Nora"}
    page = host.post(f"/spaces/{space.pk}/edit/transcript/", form, follow=True).content.decode()

    assert page.count("Saved as version 2") == 1
    assert page.index('class="stays"') < page.index("Saved as version 2")
