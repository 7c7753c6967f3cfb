"""Keys can be replaced: what former keys signed stays valid as long as the settings name them."""

import base64
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from allauth.account.app_settings import PASSWORD_RESET_TOKEN_GENERATOR
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from archive import dbtime, feeds, recorders
from archive.accounts import invitations
from archive.accounts.send_invitation import send_invitation
from archive.errors import Refused
from archive.models import Bundle, DeletionCertificate, Feed, Space, User, WebhookEndpoint
from archive.notices.unsubscribe import one_click_url
from archive.retention.purge import purge
from archive.retention.verify_certificate import main
from archive.webhooks import endpoints
from archive.webhooks.signing import active_secrets
from portal.downloads import download_path
from portal.feed_links import calendar_url
from portal.search_words import PARAMETER, decrypt, encrypt
from portal.sign_in import limits
from portal.sign_in.mfa_adapter import MFAAdapter
from tests.support.api_client import ApiClient
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client
from tests.support.mail_server import Mailbox, text_body
from tests.support.totp import set_up_app

pytestmark = pytest.mark.usefixtures("db")
NEW = "another-secret-key-" + "y" * 50
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
# The seeds of CERTIFICATE_KEY in the tests and of a new one, and their public keys:
# { printf PREFIX; printf SEED; } | openssl pkey -inform DER -pubout -outform DER | tail -c 32
# PREFIX is in compose/make-secrets.sh.
OLD_PUBLIC = base64.b64decode("RILERG5IjJWJ11ATJlsK1cMvEfYXqui67R1+RguSLXA=")
NEW_SEED, NEW_PUBLIC = (
    b"another key, also of 32 bytes...",
    base64.b64decode("GNXzHGS97FOCqG1itspgrp2CpVUf/Gy907l3SXEn15U="),
)


class Issued:
    """Everything that is made with SECRET_KEY for one host, with a check of each whether it still works."""

    def __init__(self, host: User, space: Space, admin: User, invited: str) -> None:
        self.host = User.objects.get(pk=host.pk)
        self.bundle = Bundle.objects.get(space=space)
        self.client = make_client(self.host)
        self.known_device = HttpResponse()
        limits.remember_device(RequestFactory().get("/"), self.known_device, self.host)
        self.download = download_path(self.bundle, self.host)
        self.feed = path_of(calendar_url(feeds.create_calendar(self.host)))
        self.unsubscribe = path_of(one_click_url(self.host, "flagged"))
        self.search = {PARAMETER: encrypt("runner beans", self.host)}
        address, _ = EmailAddress.objects.get_or_create(user=host, email="alice@example.org", verified=False)
        self.confirmation = EmailConfirmationHMAC(address).key
        self.reset = PASSWORD_RESET_TOKEN_GENERATOR().make_token(self.host)
        _, self.invitation = invitations.invite(invited, "host", 7, admin)

    def working(self) -> set[str]:
        checks: dict[str, Callable[[], bool]] = {
            "session": lambda: self.client.get("/").status_code == 200,
            "known device": self._is_known,
            "download link": lambda: make_client().get(self.download).status_code == 302,
            "feed address": lambda: make_client().get(self.feed).status_code == 200,
            "unsubscribe link": lambda: make_client().post(self.unsubscribe, ONE_CLICK).status_code == 200,
            "search URL": self._is_search_readable,
            "link for a new password": lambda: PASSWORD_RESET_TOKEN_GENERATOR().check_token(self.host, self.reset),
            "link for a new address": lambda: EmailConfirmationHMAC.from_key(self.confirmation) is not None,
            "invitation": lambda: make_client().get(f"/invitation/{self.invitation}/").status_code == 302,
        }
        return {name for name, check in checks.items() if check()}

    def _is_known(self) -> bool:
        """For an unknown browser, the second attempt is over the limit."""
        request = RequestFactory().post("/")
        request.COOKIES = {name: cookie.value for name, cookie in self.known_device.cookies.items()}
        cache.clear()
        used = [limits.count_for_account(request, "alice", self.host) for _ in range(2)]
        return used[1] is not None

    def _is_search_readable(self) -> bool:
        try:
            return decrypt(self.search, self.host) == "runner beans"
        except Refused:
            return False


EVERYTHING = {
    *("session", "known device", "download link", "feed address", "unsubscribe link", "search URL"),
    *("link for a new password", "link for a new address", "invitation"),
}


def path_of(url: str) -> str:
    return urlsplit(url).path


@pytest.fixture
def space(alice: User, settings: Settings) -> Space:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed_account": "1/h/key"}
    space = make_row(alice)
    make_contents(space)
    return space


def test_what_the_former_secret_key_made_works_until_it_is_removed(
    alice: User, admin: User, space: Space, settings: Settings
) -> None:
    early, former = Issued(alice, space, admin, "ines@example.org"), settings.SECRET_KEY
    api = ApiClient(token=recorders.create_token("studio", 30, admin, [alice])[1])
    assert early.working() == EVERYTHING

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [former]
    fresh = Issued(alice, space, admin, "jan@example.org")
    assert early.working() == fresh.working() == EVERYTHING
    # A process that knows the new key only as a fallback accepts what the others sign with it.
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = former, [NEW]
    assert fresh.working() == EVERYTHING
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [former]
    assert early.working() == fresh.working() == EVERYTHING

    settings.SECRET_KEY_FALLBACKS = []
    assert early.working() == {"session"}  # use moved the session to the new key
    assert fresh.working() == EVERYTHING
    assert api.announce(host="alice").status == 201  # the database stores only the token's SHA-256
    assert Feed.objects.filter(user=alice).count() == 1  # and its page shows the new URL


def test_without_the_former_key_all_sessions_end(alice: User, settings: Settings) -> None:
    client = make_client(alice)
    settings.SECRET_KEY = NEW

    assert client.get("/").status_code == 302


def test_an_invitation_outlives_the_secret_key_in_every_state(
    admin: User, mailbox: Mailbox, settings: Settings, alice: User
) -> None:
    """A pending invitation gets a link signed with the new key; for a sent one, admins see why its link became
    invalid."""
    sent, _ = invitations.invite("ines@example.org", "host", 7, admin)
    assert send_invitation(sent.pk)
    waiting, _ = invitations.invite("jan@example.org", "host", 7, admin)
    former, settings.SECRET_KEY = settings.SECRET_KEY, NEW

    assert send_invitation(waiting.pk)
    (message,) = mailbox.to("jan@example.org")
    token = text_body(message).partition("/invitation/")[2].partition("/")[0]
    assert invitations.find_valid(token) == waiting
    assert states(admin) == ["sent", "its link became invalid when the site's secret key was replaced"]
    settings.SECRET_KEY_FALLBACKS = [former]
    assert states(admin) == ["sent", "sent"]


def states(admin: User) -> list[str]:
    """Return the states of all invitations as admins see them, newest first."""
    return [str(row["state"].label) for row in make_client(admin).get("/people/invitations/").context["rows"]]


def test_what_is_stored_is_encrypted_again_and_then_needs_the_former_key_no_more(
    alice: User, admin: User, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    code = set_up_app(make_client(alice))
    endpoint, secret = endpoints.create("Desk", "https://example.org/", ["space.flagged"], admin)
    newer = endpoints.replace_secret(endpoint.pk, admin)
    former, settings.SECRET_KEY = settings.SECRET_KEY, NEW

    with pytest.raises(CommandError, match=r"Second factors .* read: 2\. .* Webhooks whose secret .* read: 1\. "):
        call_command("reencrypt_secrets")
    settings.SECRET_KEY_FALLBACKS = [former]
    capsys.readouterr()
    call_command("reencrypt_secrets")
    call_command("reencrypt_secrets")
    assert capsys.readouterr().out.splitlines() == [
        "Encrypted again. Second factors: 2; webhooks: 1.",
        "Encrypted again. Second factors: 0; webhooks: 0.",
    ]

    settings.SECRET_KEY_FALLBACKS = []
    stored = {row.type: row.data for row in Authenticator.objects.filter(user=alice)}
    assert MFAAdapter().decrypt(stored["totp"]["secret"]) == code
    assert MFAAdapter().decrypt(stored["recovery_codes"]["seed"])
    assert active_secrets(WebhookEndpoint.objects.get(), dbtime.now()) == [newer, secret]


def test_certificates_of_a_former_key_verify_with_the_published_keys(
    alice: User, settings: Settings, tmp_path: Path
) -> None:
    first, second = delete(alice), make_row(alice, title="Later")
    settings.CERTIFICATE_KEY = NEW_SEED
    settings.CERTIFICATE_PUBLIC_KEYS = [NEW_PUBLIC, OLD_PUBLIC]
    make_due(second)
    assert purge(second.pk)
    keys = tmp_path / "keys.pem"

    settings.CERTIFICATE_KEY = b""  # as in the web process
    keys.write_bytes(make_client().get("/certificates/key.pem").content)

    assert keys.read_text().count("BEGIN PUBLIC KEY") == 2
    assert [verify(space, tmp_path, keys) for space in (first, second)] == [0, 0]

    settings.CERTIFICATE_PUBLIC_KEYS = [NEW_PUBLIC]
    keys.write_bytes(make_client().get("/certificates/key.pem").content)
    assert [verify(space, tmp_path, keys) for space in (first, second)] == [1, 0]


def test_the_own_key_is_published_without_being_listed(settings: Settings, tmp_path: Path, alice: User) -> None:
    settings.CERTIFICATE_PUBLIC_KEYS = [NEW_PUBLIC]
    space, keys = delete(alice), tmp_path / "keys.pem"

    keys.write_bytes(make_client().get("/certificates/key.pem").content)

    assert verify(space, tmp_path, keys) == 0


def delete(host: User) -> Space:
    space = make_row(host)
    make_due(space)
    assert purge(space.pk)
    return space


def verify(space: Space, folder: Path, keys: Path) -> int:
    file = folder / f"{space.pk}.json"
    file.write_text(DeletionCertificate.objects.get(pk=space.pk).document)
    return main([str(file), "--key", str(keys)])
