"""A virtual authenticator for Chromium, which confirms every request, and passkey rows for tests that use none."""

import hashlib
import json
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    RegistrationResponse,
)
from playwright.sync_api import CDPSession, Page

from archive.models import User


def add_authenticator(page: Page) -> tuple[CDPSession, str]:
    """Give the page's browser a platform authenticator. Return the arguments for `list_credentials`."""
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


def make_passkey(user: User, name: str) -> Authenticator:
    """Store a passkey as a registration does. Its private key is thrown away."""
    key = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())  # type: ignore[no-untyped-call]
    credential = AttestedCredentialData.create(Aaguid.NONE, name.encode(), key)
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT
    data = AuthenticatorData.create(hashlib.sha256(b"localhost").digest(), flags, 0, credential)
    response = AuthenticatorAttestationResponse(
        client_data=CollectedClientData.create("webauthn.create", b"challenge", "http://localhost"),
        attestation_object=AttestationObject.create("none", data, {}),
    )
    registered = json.loads(json.dumps(dict(RegistrationResponse(raw_id=name.encode(), response=response))))
    stored = {"name": name, "credential": registered}
    return Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=stored)
