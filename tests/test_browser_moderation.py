"""A flag in a real browser: evidence, the host's appeal, the admin's decision, the deadline."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from archive import dbtime
from archive.models import Space, User
from tests.support import browser_sessions
from tests.support.deadlines import move_deadline
from tests.support.factory import make_row, make_user
from tests.support.playable_spaces import make_playable_space
from tests.support.player import ConsoleErrors
from tests.support.processes import Services
from tests.support.waiting import dispatch_until

LINE = "Seeds want to be seeds: a SEED that is not sown is a snack."


def in_as(page: Page, services: Services, name: str, path: str) -> None:
    browser_sessions.sign_out(page)
    browser_sessions.open_signed_in(page, services.url, name)
    page.goto(f"{services.url}{path}")


@pytest.mark.usefixtures("committed", "auditor", "second_admin")
def test_flag_appeal_lift_deletion_and_certificate(
    services: Services, page: Page, alice: User, admin: User, tmp_path: Path
) -> None:
    services.web()
    services.worker()
    space = make_playable_space(alice, deadline=dbtime.now() + timedelta(days=3))
    console_errors = ConsoleErrors(page)

    in_as(page, services, "ada", "/moderation/")
    page.get_by_role("link", name="The seed library room").click()
    uses_keys_of_the_queue(page)
    chooses_lines(page)
    expect(page.locator("#flag-until")).to_contain_text("The deadline would move from")
    page.get_by_label("Rule", exact=True).select_option("spam")
    page.get_by_label("Reason (the host reads it)").fill("They sold seeds.")
    page.get_by_role("button", name="Flag this Space").click()
    expect(page.get_by_text("Flagged “The seed library room”. The Space is kept until")).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing to review")).to_be_visible()

    in_as(page, services, "alice", f"/spaces/{space.pk}/")
    flagged = page.get_by_label("Flag", exact=True)
    expect(flagged.get_by_text(LINE)).to_be_visible()
    expect(page.get_by_text("92 days left")).to_be_visible()
    page.get_by_label("Why do you disagree?").fill("Nobody sold anything.")
    page.get_by_role("button", name="Send appeal").click()
    expect(page.get_by_text("The appeal is being reviewed.")).to_be_visible()

    in_as(page, services, "sven", "/moderation/appeals/")
    expect(page.get_by_text("Nobody sold anything.")).to_be_visible()
    expect(page.get_by_text("Bring a packet on Saturday")).to_have_count(0)  # more than 30 seconds away
    page.get_by_label("Reason for your decision").fill("So it is.")
    page.get_by_role("button", name="Grant: lift the flag").click()
    expect(page.get_by_text("granted: the flag is lifted. The Space is kept until")).to_be_visible()

    in_as(page, services, "alice", f"/spaces/{space.pk}/")
    expect(page.get_by_text("6 days left")).to_be_visible()
    expect(page.get_by_text("So it is.")).to_be_visible()
    space.refresh_from_db()
    lifted = space.violations.get().lifted_at
    assert lifted is not None
    assert space.expires_at == lifted + timedelta(days=7)
    assert console_errors.messages == []

    move_deadline(space, 1)  # the 7 days pass
    dispatch_until(lambda: Space.objects.get(pk=space.pk).state == "deleted", "a worker deletes it")
    in_as(page, services, "alice", f"/spaces/{space.pk}/")
    expect(page.get_by_role("heading", name="This Space was deleted")).to_be_visible()
    in_as(page, services, "otto", "/certificates/")
    verified(page, space, tmp_path)


def verified(page: Page, space: Space, folder: Path) -> None:
    """Check the downloaded certificate with the downloaded key and verifier, without any other code of ours."""
    page.get_by_role("link", name=f"Open the certificate of {space.pk}").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Signed file only (JSON)").click()
    download.value.save_as(folder / "certificate.json")
    with page.expect_download() as key:
        page.get_by_role("link", name="Public key").click()
    key.value.save_as(folder / "key.pem")
    with page.expect_download() as verifier:
        page.get_by_role("link", name="verify_certificate.py, for a terminal").click()
    copied = folder / "verify_certificate.py"
    verifier.value.save_as(copied)
    command = [sys.executable, "-I", str(copied), str(folder / "certificate.json"), "--key", str(folder / "key.pem")]
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(space.pk) in done.stdout


def chooses_lines(page: Page) -> None:
    """Choose lines by keyboard and by mouse; the ticks and the field with line numbers stay in sync."""
    field = page.get_by_label("Evidence (lines)")
    expect(page.get_by_label("Line 2 as evidence")).to_have_attribute("tabindex", "-1")  # the script has loaded
    stamp = page.get_by_role("link", name="Play from 0:09")
    stamp.focus()
    stamp.press("x")
    expect(field).to_have_value("3")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+X")
    expect(field).to_have_value("3-5")
    page.get_by_label("Line 5 as evidence").focus()
    page.keyboard.press("Space")  # toggles the focused line's tick
    expect(field).to_have_value("3-4")
    page.get_by_label("Line 7 as evidence").check()
    expect(field).to_have_value("3-4, 7")
    field.fill("5")
    page.evaluate("dispatchEvent(new Event('pageshow'))")  # a slow page finishes loading while somebody types
    field.blur()
    expect(page.get_by_label("Line 3 as evidence")).not_to_be_checked()
    expect(page.get_by_label("Line 5 as evidence")).to_be_checked()

    page.get_by_role("link", name="Rules and templates").click()
    page.get_by_role("heading", name="Add a rule").wait_for()
    page.go_back()
    expect(page.get_by_label("Line 5 as evidence")).to_be_checked()
    expect(field).to_have_value("5")


def uses_keys_of_the_queue(page: Page) -> None:
    """J and K move in the queue (which has no other Space here), even while the player has the focus."""
    play = page.get_by_role("button", name="Play", exact=True)
    expect(play).to_be_enabled()
    play.press("l")
    play.press("j")
    play.press("k")
    assert page.locator("audio").evaluate("audio => audio.paused")
    expect(page.get_by_role("slider", name="Playback position")).to_have_value("10")


@pytest.mark.long
@pytest.mark.usefixtures("committed")
def test_place_and_release_a_hold(services: Services, page: Page, alice: User, admin: User) -> None:
    services.web()
    make_user("sven", role="admins")
    space = make_row(alice, title="The case")

    in_as(page, services, "ada", f"/moderation/spaces/{space.pk}/")
    page.get_by_text("Place a legal hold").click()
    page.get_by_label("Who requested it, and why").fill("A court asked for it.")
    page.get_by_role("button", name="Place the hold").click()
    expect(page.get_by_text("On legal hold").first).to_be_visible()
    expect(page.get_by_text("a different admin must release it")).to_be_visible()

    in_as(page, services, "sven", "/moderation/holds/")
    expect(page.get_by_text("After the release, the deadline would be")).to_be_visible()
    page.get_by_text("Release", exact=True).click()
    page.get_by_label("Reason for the release").fill("The case is closed.")
    page.get_by_role("button", name="Release the hold").click()
    expect(page.get_by_text("is released. The Space is kept until")).to_be_visible()
    assert Space.objects.get(pk=space.pk).expires_at == space.ended_at + timedelta(days=30)


@pytest.mark.long
@pytest.mark.usefixtures("committed")
def test_flag_several_without_javascript(services: Services, chromium: Browser, alice: User, admin: User) -> None:
    services.web()
    for title in ("One", "Two", "Three"):
        make_row(alice, title=title)
    page = chromium.new_context(java_script_enabled=False).new_page()

    in_as(page, services, "ada", "/moderation/")
    page.get_by_label("Select One").check()
    page.get_by_label("Select Three").check()
    page.get_by_role("button", name="Flag selected").click()
    expect(page.get_by_text("The deadline would move from")).to_have_count(2)
    page.get_by_label("Rule", exact=True).select_option("spam")
    page.get_by_label("Reason (the host reads it)").fill("The same watches.")
    page.get_by_role("button", name="Flag 2 Spaces").click()

    expect(page.get_by_text("Flagged 2 Spaces.")).to_be_visible()
    assert Space.objects.filter(violations__rule__code="spam").count() == 2
