"""A virtual authenticator for Chromium: a phone's passkeys, unlocked by its owner at every request."""

from typing import Any

from playwright.sync_api import CDPSession, Page


def add_authenticator(page: Page) -> tuple[CDPSession, str]:
    """Give the page's browser a platform authenticator. Returns what `list_credentials` needs."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return cdp, made["authenticatorId"]


def list_credentials(cdp: CDPSession, authenticator: str) -> list[dict[str, Any]]:
    credentials: list[dict[str, Any]] = cdp.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})[
        "credentials"
    ]
    return credentials
