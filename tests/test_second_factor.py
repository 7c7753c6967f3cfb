"""Second factors: authenticator apps, recovery codes, and roles that require one."""

import json
import re
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from archive import recorders
from archive.models import LogEntry, User
from portal.sign_in.mfa_adapter import MFAAdapter
from tests.support.api_client import ApiClient
from tests.support.factory import PASSWORD, make_user
from tests.support.http_clients import age_sign_in, make_client
from tests.support.totp import fresh_totp, set_up_app, totp

pytestmark = pytest.mark.django_db


@pytest.fixture
def required(settings: Settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = True


def sign_in(client: Client, name: str) -> str:
    """Give the password. Returns the path of the redirect."""
    return str(client.post("/accounts/login/", {"login": name, "password": PASSWORD})["Location"])


def test_the_function_of_the_tests_computes_the_codes_of_the_standard() -> None:
    """RFC 6238, appendix B, for SHA-1: the last six of its eight digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890", from the RFC
    assert [totp(secret, at) for at in (59, 1111111109, 20000000000)] == ["287082", "081804", "353130"]


def test_sign_in_with_an_app_needs_its_code(alice: User, client: Client) -> None:
    secret = set_up_app(make_client(alice))

    assert sign_in(client, "alice") == "/accounts/2fa/authenticate/"
    assert client.get("/")["Location"].startswith("/accounts/login/")
    assert client.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert "_auth_user_id" not in client.session
    client.post("/accounts/2fa/authenticate/", {"code": fresh_totp(secret)})
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_a_code_works_once(alice: User) -> None:
    secret = set_up_app(make_client(alice))
    code = fresh_totp(secret, 15)
    clients = [make_client(), make_client()]

    for client in clients:
        sign_in(client, "alice")
        client.post("/accounts/2fa/authenticate/", {"code": code})

    assert ["_auth_user_id" in client.session for client in clients] == [True, False]


def test_the_code_of_the_set_up_does_not_sign_in(alice: User) -> None:
    owner, client = make_client(alice), make_client()
    page = owner.get("/accounts/2fa/totp/activate/").content.decode()
    code = fresh_totp(re.findall(r"<code[^>]*>([A-Z2-7]{32})<", page)[0], 15)

    owner.post("/accounts/2fa/totp/activate/", {"code": code})
    sign_in(client, "alice")
    answer = client.post("/accounts/2fa/authenticate/", {"code": code})

    assert Authenticator.objects.filter(user=alice, type="totp").exists()
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_recovery_code_works_once(alice: User) -> None:
    owner = make_client(alice)
    set_up_app(owner)
    codes = re.findall(r"<li><code>(\d{8})</code>", owner.get("/accounts/2fa/recovery-codes/").content.decode())
    assert len(codes) == 10
    clients = [make_client(), make_client()]

    for client in clients:
        sign_in(client, "alice")
        client.post("/accounts/2fa/authenticate/", {"code": codes[3]})

    assert ["_auth_user_id" in client.session for client in clients] == [True, False]
    assert codes[3] not in owner.get("/accounts/2fa/recovery-codes/download/").content.decode()


@pytest.mark.usefixtures("required")
@pytest.mark.parametrize("role", ["admins", "auditors", "staff", "superuser"])
def test_a_role_leads_to_the_set_up_before_anything_else(role: str) -> None:
    user = make_user("eva", role=role if role in ("admins", "auditors") else "")
    User.objects.filter(pk=user.pk).update(is_staff=role == "staff", is_superuser=role == "superuser")
    client = make_client(user)

    for path in ("/", "/log/", "/admin/", "/accounts/password/change/", "/accounts/sessions/", "/moderation/"):
        assert client.get(path)["Location"] == "/accounts/2fa/", path
    assert client.post("/recorders/", {"name": "Studio"})["Location"] == "/accounts/2fa/"
    assert client.get("/", headers={"HX-Request": "true"})["HX-Redirect"] == "/accounts/2fa/"
    answer = client.get("/api/v1/uploads")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (403, "api.second_factor")
    assert client.get("/accounts/2fa/").status_code == 200


@pytest.mark.usefixtures("required")
def test_hosts_and_recorders_need_none(alice: User, admin: User) -> None:
    _, token = recorders.create_token("studio", 30, admin, for_anybody=True)

    assert make_client(alice).get("/").status_code == 200
    assert ApiClient(token=token).get("/uploads").status == 200


@pytest.mark.usefixtures("required")
def test_another_session_gives_the_factor_before_it_goes_on(admin: User) -> None:
    """A session that was opened with a stolen password before the app was set up gains nothing."""
    older = make_client(admin)
    secret = set_up_app(make_client(admin))

    assert older.get("/log/")["Location"] == "/accounts/2fa/reauthenticate/?next=%2Flog%2F"
    older.post("/accounts/2fa/reauthenticate/", {"code": fresh_totp(secret), "next": "/log/"})
    assert older.get("/log/").status_code == 200


def test_identity_is_confirmed_with_the_factor_not_with_the_password(admin: User) -> None:
    """Somebody with the password and an open session need not be the owner."""
    client = make_client(admin)
    secret = set_up_app(client)
    age_sign_in(client, 3600)
    question = client.get("/account/close/", follow=True).redirect_chain[-1][0]

    assert question == "/accounts/2fa/reauthenticate/?next=%2Faccount%2Fclose%2F"
    assert (
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})["Location"] == "/accounts/2fa/reauthenticate/"
    )
    assert client.get("/account/close/").status_code == 302
    client.post(question, {"code": fresh_totp(secret), "next": "/account/close/"})
    assert client.get("/account/close/").status_code == 200


def test_secrets_are_encrypted_in_the_database(alice: User) -> None:
    secret = set_up_app(make_client(alice))

    stored = {row.type: row.data for row in Authenticator.objects.all()}

    assert secret not in json.dumps(stored)
    assert stored["totp"]["secret"].startswith("gAAAA")
    assert stored["recovery_codes"]["seed"].startswith("gAAAA")


def test_secrets_survive_a_new_secret_key_while_the_old_one_is_known(settings: Settings) -> None:
    old = settings.SECRET_KEY
    stored = MFAAdapter().encrypt("JBSWY3DPEHPK3PXP")
    settings.SECRET_KEY = "another-key-" + "y" * 50

    with pytest.raises(ImproperlyConfigured):
        MFAAdapter().decrypt(stored)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert MFAAdapter().decrypt(stored) == "JBSWY3DPEHPK3PXP"


def test_a_factor_whose_key_was_lost_gets_a_page_and_an_alert(
    alice: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    secret = set_up_app(make_client(alice))
    settings.SECRET_KEY = "another-key-" + "y" * 50
    client = make_client()
    sign_in(client, "alice")

    answer = client.post("/accounts/2fa/authenticate/", {"code": totp(secret)})

    assert (answer.status_code, "read your second factor" in answer.content.decode()) == (500, True)
    assert "Nothing was changed" in answer.content.decode()
    alerts = [record.msg for record in caplog.records if record.levelname == "ERROR" and isinstance(record.msg, dict)]
    assert [(alert["event"], alert["what"]) for alert in alerts if "what" in alert] == [
        ("unavailable", "second_factor")
    ]
    assert secret not in caplog.text
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "path",
    ["totp/activate/", "webauthn/add/", "recovery-codes/generate/", "recovery-codes/", "recovery-codes/download/"],
)
def test_changes_of_second_factors_need_a_fresh_sign_in(path: str, alice: User) -> None:
    client = make_client(alice)
    set_up_app(client)
    if path == "totp/activate/":
        client.post("/accounts/2fa/totp/deactivate/")
    session = client.session
    session["account_authentication_methods"] = []
    session.save()

    assert "/reauthenticate/?next=%2Faccounts%2F2fa%2F" in client.get(f"/accounts/2fa/{path}")["Location"]


@pytest.mark.parametrize("page", ["edit", "remove"])
def test_passkeys_of_others_are_404(page: str, alice: User, bob: User) -> None:
    key = Authenticator.objects.create(user=bob, type=Authenticator.Type.WEBAUTHN, data={"name": "Phone"})
    client = make_client(alice)

    for answer in (client.get, client.post):
        assert answer(f"/accounts/2fa/webauthn/keys/{key.pk}/{page}/").status_code == 404
    assert Authenticator.objects.get().data == {"name": "Phone"}


def test_an_operator_resets_lost_factors(alice: User, admin: User, client: Client) -> None:
    set_up_app(make_client(alice))
    client.post("/accounts/login/", {"login": "ada", "password": PASSWORD})
    out = StringIO()

    call_command("reset_second_factors", "alice", "--by", "ada", "--json", stdout=out)

    assert json.loads(out.getvalue()) == {"user": alice.pk, "second_factors": 1, "sessions": 0}
    assert sign_in(make_client(), "alice") == "/"
    entry = LogEntry.objects.get(event="account.second_factors_reset")
    assert (entry.detail["account"], entry.actor_id) == (alice.pk, admin.pk)
    assert client.get("/").status_code == 200  # other users' sessions stay


def test_only_superusers_reset_the_factors_of_a_superuser(alice: User, admin: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    set_up_app(make_client(alice))

    with pytest.raises(CommandError):
        call_command("reset_second_factors", "alice", "--by", "ada")
    assert Authenticator.objects.filter(user=alice, type="totp").exists()


def test_no_passkey_is_offered_to_who_has_none(alice: User) -> None:
    set_up_app(make_client(alice))
    client = make_client()
    sign_in(client, "alice")

    assert "use-passkey" not in client.get("/accounts/2fa/authenticate/").content.decode()
