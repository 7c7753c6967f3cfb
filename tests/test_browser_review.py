"""The moderation queue in a real browser: ten Spaces by keyboard, and a claim that ends with its page."""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from archive.models import LogEntry, ReviewClaim, Space, User
from archive.moderation import reason_templates, violations
from tests.support import browser_sessions
from tests.support.factory import make_row
from tests.support.playable_spaces import make_playable_space
from tests.support.player import ConsoleErrors
from tests.support.processes import Services
from tests.support.waiting import wait_until

IN_SIGHT = """button => {
  const { left, right, top, bottom } = button.getBoundingClientRect();
  const corners = [[left + 4, top + 4], [right - 4, top + 4], [left + 4, bottom - 4], [right - 4, bottom - 4]];
  return corners.every(([x, y]) => button.contains(document.elementFromPoint(x, y)));
}"""
pytestmark = pytest.mark.usefixtures("committed")


def test_the_queue_by_keyboard_from_ten_to_none(services: Services, page: Page, alice: User, admin: User) -> None:
    services.web()
    for number in range(10):
        make_row(alice, title=f"Space {number}")
    reason_templates.add_template("spam", "Watches", "They sold watches.", admin)
    console_errors = ConsoleErrors(page)
    browser_sessions.open_signed_in(page, services.url, "ada")
    page.goto(f"{services.url}/moderation/")
    selects_several(page)
    page.get_by_role("button", name="Start reviewing").press("Enter")

    def is_open(title: str) -> None:
        expect(page.locator("article h2")).to_have_text(title)
        page.wait_for_load_state()  # from here on the shortcuts work

    is_open("Space 0")
    page.keyboard.press("j")
    is_open("Space 1")
    page.keyboard.press("k")
    is_open("Space 0")
    button = page.get_by_role("button", name="No violation, next")
    place = button.bounding_box()
    page.keyboard.press("f")
    expect(page.get_by_label("Rule", exact=True)).to_be_focused()
    page.get_by_label("Template").select_option("Watches")
    expect(page.get_by_label("Rule", exact=True)).to_have_value("spam")
    expect(page.get_by_text("Misleading people for gain.")).to_be_visible()
    reason = page.get_by_label("Reason (the host reads it)")
    expect(reason).to_have_value("They sold watches.")
    reason.press("End")
    reason.press("n")  # typed text, not a shortcut
    expect(reason).to_have_value("They sold watches.n")
    page.get_by_role("button", name="Flag this Space").press("Enter")
    is_open("Space 1")
    page.keyboard.press("n")
    is_open("Space 2")
    page.keyboard.press("u")
    is_open("Space 1")
    expect(page.get_by_role("status").filter(has_text="“Space 1” is back in the queue.")).to_be_visible()
    page.keyboard.press("n")
    is_open("Space 2")
    page.get_by_role("button", name="Undo").click()
    for number in range(1, 10):
        is_open(f"Space {number}")
        shown = "Space 1" if number == 1 else f"Space {number - 1}"  # undone a second time
        expect(page.get_by_role("status").filter(has_text=shown)).to_be_visible()
        assert button.bounding_box() == place  # no message shifts the layout
        page.keyboard.press("n")
    expect(page.get_by_role("heading", name="Nothing to review")).to_be_visible()

    assert LogEntry.objects.filter(event="space.reviewed", actor_id=admin.pk).count() == 11
    assert list(Space.objects.reviewed(flagged=True).values_list("title", flat=True)) == ["Space 0"]
    assert not Space.objects.to_review().exists()
    assert console_errors.messages == []


def selects_several(page: Page) -> None:
    """The buttons are enabled once a Space is ticked, and show how many are ticked."""
    buttons = [page.get_by_role("button", name=name) for name in ("Flag selected", "Hold selected")]
    for button in buttons:
        expect(button).to_be_disabled()
    page.get_by_label("Select Space 3").check()
    expect(page.get_by_text("1 selected.")).to_be_visible()
    for button in buttons:
        expect(button).to_be_enabled()
    page.get_by_label("Select all").check()
    expect(page.get_by_text("10 selected.")).to_be_visible()
    expect(page.get_by_label("Select Space 9")).to_be_checked()
    page.get_by_label("Select all").uncheck()
    for button in buttons:
        expect(button).to_be_disabled()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720), (360, 780)])
def test_no_button_of_the_review_is_cut_off(
    width: int, height: int, services: Services, page: Page, alice: User, admin: User
) -> None:
    services.web()
    space = make_playable_space(alice)
    reason_templates.add_template("spam", "Watches", "They sold watches.", admin)
    page.set_viewport_size({"width": width, "height": height})
    browser_sessions.open_signed_in(page, services.url, "ada")
    url = f"{services.url}/moderation/spaces/{space.pk}/"
    page.goto(url)
    flag, hold = (page.get_by_role("button", name=name) for name in ("Flag this Space", "Place the hold"))
    if width == 360:
        assert in_sight(flag, scroll=True)
    else:
        assert in_sight(flag)
        page.get_by_label("Rule", exact=True).select_option("spam")
        expect(page.get_by_text("Misleading people for gain.")).to_be_visible()
        assert in_sight(flag)
        page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")  # it reads the lines
        assert in_sight(flag)
        assert in_sight(page.get_by_label("Rule", exact=True))
    page.get_by_role("link", name="Legal hold").click()
    expect(page.get_by_label("Who requested it, and why")).to_be_visible()
    expect(flag).to_be_hidden()  # only one is open at a time
    assert in_sight(hold, scroll=width == 360)

    violations.flag(space.pk, "spam", "They sold watches.", admin)
    page.goto(f"{url}?tab=flagged#lift")
    assert in_sight(page.get_by_role("button", name="Lift all flags"), scroll=width == 360)


def in_sight(button: Locator, *, scroll: bool = False) -> bool:
    """Return whether the whole element is in the window and nothing covers or clips it. `scroll`: scroll to it
    first."""
    expect(button).to_be_visible()
    if scroll:
        button.scroll_into_view_if_needed()
    return bool(button.evaluate(IN_SIGHT))


@pytest.mark.long
def test_a_claim_ends_with_its_page(
    services: Services, page: Page, chromium: Browser, alice: User, admin: User, second_admin: User
) -> None:
    services.web()
    space = make_row(alice, title="The only one")
    other = chromium.new_context().new_page()
    for who, tab in (("ada", page), ("sven", other)):
        browser_sessions.open_signed_in(tab, services.url, who)
        tab.goto(f"{services.url}/moderation/spaces/{space.pk}/")

    expect(page.get_by_role("button", name="No violation, next")).to_be_visible()
    expect(other.get_by_text("Being reviewed by Ada since")).to_be_visible()
    page.goto(f"{services.url}/moderation/holds/")
    wait_until(lambda: not ReviewClaim.objects.exists(), "the page that closed released its claim")
    other.reload()
    expect(other.get_by_role("button", name="No violation, next")).to_be_visible()
