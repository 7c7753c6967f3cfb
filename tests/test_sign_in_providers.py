"""Sign-in with other providers: known people are linked, everybody else is refused."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory
from pytest_django import Settings

from archive.accounts import invitations
from archive.models import Invitation, User
from portal.sign_in.providers import verified_emails
from tests.support.http_clients import fetch, make_client
from tests.support.oidc_provider import Provider, oidc_provider
from tests.support.totp import set_up_app

pytestmark = pytest.mark.django_db

ALICE = {"sub": "4711", "email": "alice@example.org", "email_verified": True, "name": "Alice"}


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    with oidc_provider() as running:
        running.person = dict(ALICE)
        settings.SOCIALACCOUNT_PROVIDERS = running.settings
        yield running


@pytest.fixture
def address(alice: User) -> EmailAddress:
    return EmailAddress.objects.create(user=alice, email="alice@example.org", verified=True, primary=True)


def start(client: Client, process: str = "login") -> str:
    """Start a sign-in with the provider. Returns the URL of the redirect."""
    return str(client.post(f"/accounts/oidc/oidc/login/?process={process}")["Location"])


def sign_in(client: Client, process: str = "login") -> object:
    """Sign in at the provider and return. Returns the last response."""
    status, headers, _ = fetch(start(client, process))
    assert status == 302
    back = urlsplit(headers["Location"])
    return client.get(f"{back.path}?{back.query}")


def user_of(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


def test_a_verified_address_signs_in_and_links(provider: Provider, alice: User, address: EmailAddress) -> None:
    client = make_client()
    sign_in(client)

    assert user_of(client) == str(alice.pk)
    linked = SocialAccount.objects.get()
    assert (linked.user_id, linked.provider, linked.uid) == (alice.pk, "oidc", "4711")
    # From now on the link counts, and not the address.
    provider.person["email"] = "other@example.org"
    again = make_client()
    sign_in(again)
    assert user_of(again) == str(alice.pk)


@pytest.mark.parametrize(
    ("claims", "verified_here"),
    [
        ({"email": "stranger@example.org"}, True),
        ({"email_verified": False}, True),
        ({"email_verified": "yes"}, True),
        ({}, False),
    ],
)
def test_everybody_else_is_refused(
    claims: dict[str, object], verified_here: bool, provider: Provider, alice: User, address: EmailAddress
) -> None:
    """These include people who entered the address of another person in their account, here or at the provider."""
    EmailAddress.objects.update(verified=verified_here)
    User.objects.update(email="alice@example.org")
    provider.person |= claims
    client = make_client()

    answer = sign_in(client)

    assert answer.status_code == 403  # type: ignore[attr-defined]
    assert "socialaccount/not_invited.html" in [t.name for t in answer.templates]  # type: ignore[attr-defined]
    assert user_of(client) is None
    assert (User.objects.count(), SocialAccount.objects.count()) == (1, 0)
    assert client.get("/accounts/3rdparty/signup/").status_code == 404


def test_an_invited_address_becomes_an_account(provider: Provider, admin: User) -> None:
    """The account gets the role of the invitation. Its link is not needed, because the provider has verified the
    address."""
    invitations.invite("Eva@example.org", "auditor", 7, admin)
    provider.person |= {"email": "eva@example.org", "preferred_username": "eva", "name": "Eva"}
    client = make_client()

    sign_in(client)

    eva = User.objects.get(username="eva")
    assert (user_of(client), eva.is_auditor, eva.has_usable_password()) == (str(eva.pk), True, False)
    assert EmailAddress.objects.get(user=eva).verified
    assert Invitation.objects.get().state == "accepted"
    # Only once: the next sign-in with this address requests a link to the account, and creates none.
    provider.person["sub"] = "4712"
    sign_in(make_client())
    assert User.objects.filter(email__iexact="eva@example.org").count() == 1


def test_a_name_of_the_provider_that_looks_like_another_is_left_out(provider: Provider, admin: User) -> None:
    invitations.invite("eva@example.org", "host", 7, admin)
    provider.person |= {"email": "eva@example.org", "preferred_username": "\u0435va", "given_name": "\u0415va"}

    sign_in(make_client())

    eva = User.objects.get(email="eva@example.org")
    assert (eva.username.isascii(), eva.first_name) == (True, "")


@pytest.mark.parametrize("change", ["unverified", "revoked"])
def test_an_invitation_does_not_help_without_its_address(change: str, provider: Provider, admin: User) -> None:
    invitation, _ = invitations.invite("eva@example.org", "host", 7, admin)
    provider.person["email"] = "eva@example.org"
    if change == "unverified":
        provider.person["email_verified"] = False
    else:
        invitations.revoke(invitation.pk, admin)

    assert sign_in(make_client()).status_code == 403  # type: ignore[attr-defined]
    assert User.objects.count() == 1


def test_the_request_has_pkce_and_the_callback(provider: Provider) -> None:
    query = {name: value[0] for name, value in parse_qs(urlsplit(start(make_client())).query).items()}

    assert query["redirect_uri"] == "http://testserver/accounts/oidc/oidc/login/callback/"
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert set(query["scope"].split()) == {"openid", "profile", "email"}
    assert len(query["state"]) >= 16


def test_the_code_of_another_browser_is_useless(provider: Provider, address: EmailAddress) -> None:
    """An attacker's code in a victim's browser, and a stolen code in the attacker's browser."""
    _, headers, _ = fetch(start(make_client()))
    back = urlsplit(headers["Location"])
    thief = make_client()
    start(thief)

    thief.get(f"{back.path}?{back.query}")

    assert user_of(thief) is None


@pytest.mark.parametrize("forged", [{"iss": "http://127.0.0.1:1"}, {"aud": "another client"}, {"exp": 1}])
def test_wrong_id_tokens_are_refused(forged: dict[str, object], provider: Provider, address: EmailAddress) -> None:
    provider.forged = forged
    client = make_client()

    answer = sign_in(client)

    assert "socialaccount/authentication_error.html" in [t.name for t in answer.templates]  # type: ignore[attr-defined]
    assert user_of(client) is None


def test_a_second_factor_is_asked_for_after_the_provider(
    provider: Provider, alice: User, address: EmailAddress
) -> None:
    set_up_app(make_client(alice))
    client = make_client()

    answer = sign_in(client)

    assert answer["Location"] == "/accounts/2fa/authenticate/"  # type: ignore[index]
    assert user_of(client) is None


def test_an_account_that_is_switched_off_stays_off(provider: Provider, alice: User, address: EmailAddress) -> None:
    User.objects.update(is_active=False)
    client = make_client()

    answer = sign_in(client)

    assert answer["Location"] == "/accounts/inactive/"  # type: ignore[index]
    assert user_of(client) is None


def test_a_user_links_any_account_and_unlinks_it(provider: Provider, bob: User) -> None:
    client = make_client(bob)

    sign_in(client, "connect")
    linked = SocialAccount.objects.get()
    assert linked.user_id == bob.pk
    client.post("/accounts/3rdparty/", {"account": linked.pk})
    assert not SocialAccount.objects.exists()


def test_without_settings_there_is_no_provider(client: Client) -> None:
    assert client.post("/accounts/oidc/oidc/login/").status_code == 404
    assert client.post("/accounts/twitter_oauth2/login/").status_code == 404
    assert "/login/?process=login" not in client.get("/accounts/login/").content.decode()


def test_x_is_asked_for_the_verified_address(settings: Settings, client: Client) -> None:
    """X itself cannot be tested here, only our request, and how we read its response."""
    app = {"client_id": "an id of X", "secret": "a secret of X"}
    settings.SOCIALACCOUNT_PROVIDERS = {
        "twitter_oauth2": {**settings.SOCIALACCOUNT_PROVIDERS["twitter_oauth2"], "APPS": [app]}
    }

    url = urlsplit(client.post("/accounts/twitter_oauth2/login/?process=login")["Location"])

    query = {name: value[0] for name, value in parse_qs(url.query).items()}
    assert (url.scheme, url.netloc, url.path) == ("https", "x.com", "/i/oauth2/authorize")
    assert query["redirect_uri"] == "http://testserver/accounts/twitter_oauth2/login/callback/"
    assert set(query["scope"].split()) == {"users.read", "tweet.read", "users.email"}
    assert query["code_challenge_method"] == "S256"
    assert query["client_id"] == "an id of X"


def test_the_confirmed_address_of_x_counts(alice: User, address: EmailAddress) -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    account = SocialAccount(provider="twitter_oauth2", uid="1", extra_data={"confirmed_email": "alice@example.org"})

    assert verified_emails(SocialLogin(account=account)) == ["alice@example.org"]
    assert verified_emails(SocialLogin(account=SocialAccount(provider="twitter_oauth2", extra_data={}))) == []
