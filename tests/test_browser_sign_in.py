"""Signing in with a real browser under the real Content-Security-Policy: passkeys, an authenticator app, another
provider."""

import re
from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import Page, expect

from archive.models import User
from tests.support.factory import PASSWORD, make_user
from tests.support.oidc_provider import CLIENT, SECRET, oidc_provider
from tests.support.passkeys import add_authenticator, list_credentials
from tests.support.processes import Services
from tests.support.totp import forget_used_codes, fresh_totp


@pytest.fixture
def site(services: Services) -> str:
    """The portal with required second factors, at a domain name, because passkeys need one."""
    services.web(REQUIRE_SECOND_FACTOR="1", ALLOWED_HOSTS="localhost,127.0.0.1")
    return f"http://localhost:{services.port}"


@pytest.fixture
def problems(page: Page) -> Iterator[list[str]]:
    """Collect the console's complaints, such as scripts that the policy blocks."""
    texts: list[str] = []
    page.on("console", lambda message: texts.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: texts.append(str(error)))
    yield texts
    assert texts == []


def enter_password(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("User name or e-mail").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.mark.usefixtures("problems")
def test_sign_in_with_a_passkey_alone(page: Page, site: str) -> None:
    """An admin's first sign-in leads to setting up a passkey; the next one needs only the passkey. Then it confirms the
    identity."""
    make_user("ada", role="admins")
    cdp, authenticator = add_authenticator(page)

    enter_password(page, site, "ada")
    expect(page.get_by_text("Your role requires a second factor.")).to_be_visible()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name of the passkey").fill("Phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert [credential["isResidentCredential"] for credential in list_credentials(cdp, authenticator)] == [True]
    page.goto(f"{site}/")
    expect(page.get_by_text("Account: Ada")).to_be_visible()

    page.context.clear_cookies()
    page.goto(f"{site}/accounts/login/?next=/log/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(f"{site}/log/")

    page.context.clear_cookies()
    enter_password(page, site, "ada")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("Account: Ada")).to_be_visible()

    confirm_with_the_passkey(page, site)


def confirm_with_the_passkey(page: Page, site: str) -> None:
    """Create a token long after the sign-in: the passkey confirms the identity, and the typed form is submitted."""
    make_sessions_stale()
    page.goto(f"{site}/recorders/")
    page.get_by_label("Name of the device").fill("Studio 7")
    page.get_by_label("All hosts:").check()
    page.get_by_role("button", name="Create a token").click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("Studio 7").first).to_be_visible()
    expect(page.get_by_text(re.compile(r"skr_[0-9a-f]{12}_"))).to_be_visible()


def make_sessions_stale() -> None:
    """Date every sign-in back by an hour."""
    from django.contrib.sessions.backends.db import SessionStore
    from django.contrib.sessions.models import Session

    for row in Session.objects.all():
        session = SessionStore(row.session_key)
        records = session.get("account_authentication_methods", [])
        session["account_authentication_methods"] = [{**record, "at": record["at"] - 3600} for record in records]
        session.save()


@pytest.mark.usefixtures("problems")
def test_first_sign_in_with_an_app(page: Page, site: str) -> None:
    """An auditor sets up an authenticator app and signs in with its code."""
    make_user("otto", role="auditors")

    enter_password(page, site, "otto")
    page.get_by_role("link", name="Set up an app").click()
    expect(page.get_by_alt_text("QR code with the key below")).to_be_visible()
    secret = page.locator(".sheet code").inner_text()
    page.get_by_label("Code that the app shows now").fill(fresh_totp(secret))
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert re.fullmatch(r"(\d{8}\n){10}\n?", download.value.path().read_text())

    forget_used_codes()
    page.context.clear_cookies()
    enter_password(page, site, "otto")
    page.get_by_label("Code of your app, or a recovery code").fill(fresh_totp(secret))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("Account: Otto")).to_be_visible()


@pytest.mark.long
def test_a_device_is_signed_out_from_another(chromium: object, page: Page, site: str, alice: User) -> None:
    phone = page.context.browser.new_page()  # type: ignore[union-attr]  # it has one
    for device in (phone, page):
        enter_password(device, site, "alice")
        expect(device.get_by_text("Account: Alice")).to_be_visible()

    page.goto(f"{site}/accounts/sessions/")
    page.get_by_role("button", name="Sign out", exact=True).last.click()
    expect(page.get_by_text("That device is signed out.")).to_be_visible()

    phone.reload()
    expect(phone.get_by_role("heading", name="Sign in")).to_be_visible()


def test_sign_in_at_another_provider(page: Page, services: Services, alice: User) -> None:
    """The page's policy allows the form to redirect to the provider."""
    EmailAddress.objects.create(user=alice, email="alice@example.org", verified=True, primary=True)
    with oidc_provider() as provider:
        provider.person = {"sub": "1", "email": "alice@example.org", "email_verified": True}
        client = {"OIDC_CLIENT_ID": CLIENT, "OIDC_CLIENT_SECRET": SECRET, "OIDC_NAME": "Example ID"}
        services.web(OIDC_ISSUER=provider.url, **client)

        page.goto(f"{services.url}/accounts/login/")
        page.get_by_role("button", name="Sign in with Example ID").click()
        expect(page.get_by_text("Account: Alice")).to_be_visible()
