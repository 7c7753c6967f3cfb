"""The player remembers position, speed and volume of each Space in this browser, until the Space is gone."""

import pytest
from playwright.sync_api import Page

from archive.models import User
from tests.support import browser_sessions
from tests.support.deadlines import make_due
from tests.support.playable_spaces import make_playable_space
from tests.support.player import ConsoleErrors, wait_for_time
from tests.support.processes import Services
from tests.support.waiting import wait_until

STORED = "Object.keys(localStorage).filter(key => key.startsWith('player:'))"
SPEED = "[document.querySelector('audio').playbackRate, document.querySelector('.player select').value]"

VOLUME = "[document.querySelector('audio').volume, document.querySelector('.volume input').value]"


@pytest.mark.long
@pytest.mark.usefixtures("committed")
def test_position_speed_and_volume_are_remembered(services: Services, page: Page, alice: User) -> None:
    services.web()
    space, other = make_playable_space(alice), make_playable_space(alice)
    browser_sessions.open_signed_in(page, services.url, "alice")
    errors = ConsoleErrors(page)
    address = f"{services.url}/spaces/{space.pk}/"
    page.goto(address)
    page.get_by_label("Speed").select_option("1.5")
    page.get_by_text("Bring a packet on Saturday").click()
    wait_for_time(page, 81.09)
    page.keyboard.press("k")
    page.keyboard.press("ArrowLeft")
    page.get_by_role("slider", name="Volume").press("ArrowLeft")  # changes the volume and does not seek

    page.goto(f"{services.url}/spaces/{other.pk}/")
    wait_for_time(page, 0, within=0.1)
    assert page.evaluate(SPEED) == [1, "1"]
    assert page.evaluate(VOLUME) == [1, "1"]
    page.goto(address)

    wait_for_time(page, 76.2)
    assert page.evaluate(SPEED) == [1.5, "1.5"]
    assert page.evaluate(VOLUME) == [0.95, "0.95"]
    page.goto(f"{address}?t=15")
    wait_for_time(page, 15.36, within=0.1)  # the time in a link has precedence
    assert errors.messages == []
    assert page.evaluate(STORED) == [f"player:{space.pk}"]

    make_due(space)
    page.goto(address)
    wait_until(lambda: page.evaluate(STORED) == [], "the stored position is deleted")
