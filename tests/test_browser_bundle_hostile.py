"""Hostile titles, names and lines are shown as text on the offline page of a bundle."""

import html
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from archive.models import Participant, Space, User
from archive.moderation.violations import flag
from tests.support.bundles import unpack_bundle
from tests.support.offline_page import OfflinePage
from tests.support.playable_spaces import make_playable_space

HACK = "window.__hacked=1;alert(1)"
CODE = f"<script>{HACK}</script>"
TITLE = f"</title></style></script>{CODE}<img src=x onerror={HACK}>{{{{ 7|add:7 }}}}{{% now 'Y' %}}]]>\u2028end"
SAID = [
    CODE,
    f'</script><img src="x" onerror="{HACK}">',
    f"</span></p></li></ol><svg onload={HACK}>",
    f'" onmouseover="{HACK}" x="',
    f"' autofocus onfocus='{HACK}",
    f'<a href="javascript:{HACK}">here</a>',
    f'<iframe srcdoc="<script>parent.{HACK}</script>"></iframe>',
    f"<script src=//hostile.invalid/x.js></script><!--<script>{HACK}",
    "<style>* { display: none !important }</style><base href=//hostile.invalid/>",
    "{{ space.host.email }} {% include 'base.html' %} \u2028\u2029 ]]> &lt;b&gt; &amp;",
]
LINES = [(8.0 * n, 8.0 * n + 7, f"Voice <b>{n}</b> {SAID[0]}", text) for n, text in enumerate(SAID)]


@pytest.fixture
def folder(committed: None, alice: User, admin: User, tmp_path: Path) -> Path:
    User.objects.filter(pk=alice.pk).update(first_name=f"<img src=x onerror={HACK}>"[:150])
    space = make_playable_space(alice, lines=LINES, peaks=[0.5, 1.0] * 50)
    Space.objects.filter(pk=space.pk).update(title=TITLE)
    Participant.objects.create(space=space, role="host", seat=1, name=f"<svg onload={HACK}>")
    flag(space.pk, "spam", SAID[1], admin)
    return unpack_bundle(Space.objects.get(pk=space.pk), tmp_path)


def text_of(page: Page, selector: str) -> list[str]:
    return [one.strip() for one in page.locator(selector).all_text_contents()]


def hacked(page: Page) -> bool:
    """Return whether any script ran, after late events have had time."""
    page.wait_for_timeout(500)
    return bool(page.evaluate("window.__hacked !== undefined"))


def test_hostile_text_is_shown_as_text(chromium: Browser, folder: Path) -> None:
    offline = OfflinePage(chromium, folder)
    page = offline.page
    page.wait_for_selector(".track.waved")

    for line in page.locator("[data-lines] > li").all():
        line.hover()

    assert not hacked(page)
    assert (offline.dialogs, offline.console, offline.other_requests) == ([], [], [])
    assert text_of(page, "h1") == [TITLE]
    assert page.title() == f"{TITLE} · Spacekeep"
    assert text_of(page, "[data-lines] > li > p > span") == SAID
    assert text_of(page, "[data-lines] .voice")[9] == LINES[9][2]
    page.context.close()


def test_the_csp_blocks_scripts_even_without_escaping(chromium: Browser, folder: Path) -> None:
    """The test removes the escaping of all hostile texts from the page."""
    index = folder / "data" / "index.html"
    page_text = index.read_text()
    for text in (TITLE, *SAID):
        escaped = html.escape(text)
        assert escaped in page_text
        page_text = page_text.replace(escaped, text)
    index.write_text(page_text)

    offline = OfflinePage(chromium, folder)

    scripts = "[...document.scripts].filter(script => script.text.includes('__hacked')).length"
    assert offline.page.evaluate(scripts) > 0
    assert not hacked(offline.page)
    assert offline.dialogs == []
    assert set(offline.other_requests) == set(offline.blocked) != set()
    assert any("Content Security Policy" in line for line in offline.console)
    offline.page.context.close()
