"""Account names that could be mistaken for others are refused, by the same rule wherever a name is set."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from archive import names
from archive.accounts import invitations, profile
from archive.errors import Refused
from archive.models import User
from tests.support.factory import make_user
from tests.support.http_clients import make_client

CYRILLIC_A = "\u0430"
REFUSED = [
    (f"{CYRILLIC_A}da", "account.name_mixes_scripts"),
    ("ad\u03b1", "account.name_mixes_scripts"),  # a Greek alpha
    ("\u0438\u0432\u0430\u043dn", "account.name_mixes_scripts"),
    ("\u30a2\u30c0\u0430", "account.name_mixes_scripts"),  # Katakana and Cyrillic
    ("\uc544\u30a2", "account.name_mixes_scripts"),  # Hangul and Katakana
    ("room1\u0662", "account.name_mixes_scripts"),  # digits of two scripts
    ("ada\u200b", "account.name_invisible"),  # zero width space
    ("ada\u202e", "account.name_invisible"),  # right-to-left override
    ("a\u00adda", "account.name_invisible"),  # soft hyphen
    ("ada\u3164", "account.name_invisible"),  # Hangul filler
    ("a\u034fda", "account.name_invisible"),  # combining grapheme joiner
    ("ada\ue000", "account.name_invisible"),  # private use
    ("a\u0334\u0335\u0336\u0337da", "account.name_has_marks"),
]
DISPLAY_NAMES = [
    ("Ada", "Ada"),
    ("  Ada   Lovelace ", "Ada Lovelace"),
    ("Zo\u0065\u0308 \u00d8rsted-Nguy\u1ec5n", "Zo\u00eb \u00d8rsted-Nguy\u1ec5n"),
    ("\uff21\uff44\uff41", "Ada"),  # full-width letters
    (
        "\u0418\u0432\u0430\u043d \u041f\u0435\u0442\u0440\u043e\u0432",
        "\u0418\u0432\u0430\u043d \u041f\u0435\u0442\u0440\u043e\u0432",
    ),
    ("\u5c71\u7530\u30ea\u30fc \u3055\u3093 (Lee)", "\u5c71\u7530\u30ea\u30fc \u3055\u3093 (Lee)"),  # Japanese
    ("\ud64d\u5409\u6771 Hong", "\ud64d\u5409\u6771 Hong"),  # Korean
    ("\u0905\u0926\u093f\u0924\u093f", "\u0905\u0926\u093f\u0924\u093f"),  # Hindi, with vowel signs
    ("\u0639\u0627\u062f\u0644 7", "\u0639\u0627\u062f\u0644 7"),
    ("Kealoha \u02bbOhana", "Kealoha \u02bbOhana"),
    ("Nora \u2764\ufe0f \U0001f331", "Nora \u2764 \U0001f331"),
    ("", ""),
]
USERNAMES = [
    "ada",
    "Ada.L-2+x_y@z",
    "zo\u00eb",
    "nguy\u1ec5n",
    "\u5c71\u7530\u30bf\u30ed\u30a6",
    "\ud64d\uae38\ub3d9",
    "\u05d3\u05e0\u05d4",
]
LOOK_LATIN = ["\u0441\u043e\u0440\u0430", "\u03bf\u03c1\u03b1", "\u0251da", "\u1d00da", "\u0531\u054d"]


@pytest.mark.parametrize(("name", "code"), REFUSED)
@pytest.mark.parametrize("clean", [names.clean_display_name, names.clean_username])
def test_names_that_look_like_others_are_refused(clean: object, name: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        clean(name)  # type: ignore[operator]

    assert refused.value.code == code


@pytest.mark.parametrize(("typed", "name"), DISPLAY_NAMES)
def test_names_that_others_see(typed: str, name: str) -> None:
    assert names.clean_display_name(typed) == name


@pytest.mark.parametrize("name", USERNAMES)
def test_user_names(name: str) -> None:
    assert names.clean_username(name) == name
    names.validate_username(name)


@pytest.mark.parametrize("name", LOOK_LATIN)
def test_a_user_name_has_no_script_that_looks_latin(name: str) -> None:
    with pytest.raises(Refused) as refused:
        names.clean_username(name)

    assert refused.value.code == "account.username_script"


def invite(admin: User) -> str:
    _, token = invitations.invite("new@example.org", "host", 7, admin)
    return token


def sign_up(token: str, username: str, name: str = "") -> dict[str, list[str]]:
    """Accept an invitation on its page. Returns the error codes by field."""
    client = make_client()
    client.get(f"/invitation/{token}/")
    form = {"first_name": name, "username": username, "password1": "stapled violet harbour quince"}
    answer = client.post("/accounts/signup/", form)
    if answer.status_code == 302:
        return {}
    return {
        field: [error.code for error in errors] for field, errors in answer.context["form"].errors.as_data().items()
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("username", "name", "problems"),
    [
        (f"{CYRILLIC_A}da", "Ada", {"username": ["account.name_mixes_scripts"]}),
        ("ADA", "Ada", {"username": ["username_taken"]}),
        ("\uff41da", "Ada", {"username": ["username_taken"]}),
        ("anna", f"{CYRILLIC_A}da", {"first_name": ["account.name_mixes_scripts"]}),
        ("anna", "Ada\u202e", {"first_name": ["account.name_invisible"]}),
        ("anna", "\u0410\u043d\u043d\u0430", {}),
    ],
)
def test_at_the_acceptance_of_an_invitation(
    username: str, name: str, problems: dict[str, list[str]], admin: User
) -> None:
    assert sign_up(invite(admin), username, name) == problems
    assert User.objects.filter(username="anna", first_name="\u0410\u043d\u043d\u0430").exists() == (problems == {})


@pytest.mark.django_db
def test_the_domain_accepts_no_account_with_such_a_name(admin: User) -> None:
    token = invite(admin)
    user = make_user(f"{CYRILLIC_A}da")

    with transaction.atomic():
        invitation = invitations.lock_valid(token)
        with pytest.raises(Refused) as refused:
            invitations.accept(invitation, user)

    assert refused.value.code == "account.name_mixes_scripts"
    assert invitations.find_valid(token) is not None


@pytest.mark.django_db
def test_on_the_account_page(alice: User) -> None:
    answer = make_client(alice).post("/account/", {"display_name": f"{CYRILLIC_A}da", "time_zone": ""})

    alice.refresh_from_db()
    assert (answer.status_code, alice.first_name) == (422, "Alice")
    profile.update_profile(alice, display_name="\u0410\u043d\u043d\u0430", time_zone="", mailed_kinds=[])
    assert alice.display_name == "\u0410\u043d\u043d\u0430"


@pytest.mark.django_db
@pytest.mark.parametrize("name", [f"{CYRILLIC_A}da", "ad\u200ba", "\u0441\u043e\u0440\u0430", "ADA"])
def test_in_the_command(name: str, admin: User) -> None:
    with pytest.raises(CommandError):
        call_command("createsuperuser", "--noinput", "--username", name, "--email", "", stdout=StringIO())

    assert not User.objects.filter(is_superuser=True).exists()


@pytest.mark.django_db
def test_in_djangos_admin(admin: User, alice: User) -> None:
    User.objects.filter(pk=admin.pk).update(is_superuser=True, is_staff=True)
    client = make_client(User.objects.get(pk=admin.pk))
    page = f"/admin/archive/user/{alice.pk}/change/"
    form = {"username": "alice", "first_name": f"{CYRILLIC_A}da", "last_name": "", "time_zone": ""}

    for changes in ({}, {"username": "ADA", "first_name": ""}, {"username": f"{CYRILLIC_A}da", "first_name": ""}):
        answer = client.post(page, {**form, **changes})
        assert re.search('class="errorlist', answer.content.decode()), changes

    alice.refresh_from_db()
    assert (alice.username, alice.first_name) == ("alice", "Alice")


@pytest.mark.django_db
def test_the_database_has_each_user_name_once(admin: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_user("ADA")
