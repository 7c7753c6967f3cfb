"""Finding words in the transcript: every place is counted, marked in the text and on the waveform, and walked to."""

import pytest
from playwright.sync_api import Page, expect

from archive.models import User
from tests.support import browser_sessions as person
from tests.support.playable_spaces import SearchLine, make_heard
from tests.support.player import Complaints, in_view, lit, marked, ticks, wait_for_place
from tests.support.processes import Services, wait_until

# As many lines as an hour or two has, in the 88 seconds of the demo recording.
MANY = [(0.04 * n, 0.04 * n + 0.03, f"Voice {n // 10 % 12}", f"Line {n} of a long talk.") for n in range(2000)]


def opened(services: Services, page: Page, alice: User, lines: list[SearchLine] | None = None) -> Complaints:
    services.web()
    space = make_heard(alice, lines=lines)
    person.come_back(page, services.url, "alice")
    complaints = Complaints(page)
    page.goto(f"{services.url}/spaces/{space.pk}/")
    return complaints


@pytest.mark.usefixtures("committed")
def test_every_place_is_marked_and_walked_to(services: Services, page: Page, alice: User) -> None:
    complaints = opened(services, page, alice)
    field = page.get_by_label("Find in the transcript")

    field.fill("seed")
    expect(page.get_by_text("5 places")).to_be_visible()

    assert marked(page) == ["seed", "seed", "Seed", "seed", "SEED"]
    assert [round(x) for x in ticks(page)] == [4, 16, 37, 40, 41]
    for said in ("1 of 5", "2 of 5", "3 of 5"):
        field.press("Enter")
        expect(page.locator("[data-find-status]")).to_have_text(said)
    assert marked(page, "found-now") == ["Seed"]
    field.press("Shift+Enter")
    expect(page.locator("[data-find-status]")).to_have_text("2 of 5")
    page.get_by_role("button", name="The next place").click()
    expect(page.locator("[data-find-status]")).to_have_text("3 of 5")

    field.fill("(a|b)*.")
    expect(page.locator("[data-find-status]")).to_have_text("0 places")
    field.press("Escape")
    assert (marked(page), ticks(page)) == ([], [])
    assert complaints.heard == []


@pytest.mark.usefixtures("committed")
def test_a_talk_of_hours_is_walked_without_waiting(services: Services, page: Page, alice: User) -> None:
    complaints = opened(services, page, alice, MANY)
    field = page.get_by_label("Find in the transcript")

    field.fill("Line 1999")
    field.press("Enter")
    expect(page.locator("[data-find-status]")).to_have_text("1 of 1")
    expect(page.get_by_text("Line 1999 of a long talk.")).to_be_in_viewport()

    field.fill("long")
    expect(page.locator("[data-find-status]")).to_have_text("2000 places")
    assert len(marked(page)) == 2000
    assert 300 < len(ticks(page)) <= 400

    page.get_by_text("Keys", exact=True).click()
    page.keyboard.press("5")
    wait_until(lambda: lit(page) == "Line 1105 of a long talk.", "the line in the middle is lit")
    wait_until(lambda: in_view(page), "it is in view")
    assert complaints.heard == []


@pytest.mark.usefixtures("committed")
def test_whoever_reads_elsewhere_is_left_there(services: Services, page: Page, alice: User) -> None:
    opened(services, page, alice, MANY)
    page.evaluate("document.querySelector('[data-lines]').scrollIntoView({block: 'center'})")
    page.locator("[data-lines]").hover()
    page.mouse.wheel(0, 3000)
    wait_until(lambda: page.evaluate("document.querySelector('[data-lines]').scrollTop") > 2000, "it was scrolled")

    page.get_by_role("button", name="Play", exact=True).click()
    wait_for_place(page, 0.8, within=0.7)
    assert lit(page).startswith("Line ")

    assert page.evaluate("document.querySelector('[data-lines]').scrollTop") > 2000
