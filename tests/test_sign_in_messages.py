"""Errors of sign-in, accounts and second factors have this site's own texts."""

from collections.abc import Mapping
from typing import Any

import pytest
from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.core.internal.adapter import BaseAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.adapter import get_adapter as get_social_adapter

from archive.models import User
from tests.support.http_clients import make_client


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (get_adapter, DefaultAccountAdapter),
        (get_mfa_adapter, DefaultMFAAdapter),
        (get_social_adapter, DefaultSocialAccountAdapter),
    ],
)
def test_every_message_of_the_library_has_words_of_ours(ours: Any, theirs: type[BaseAdapter]) -> None:
    messages: Mapping[str, Any] = ours().error_messages

    assert {code for code, message in theirs.error_messages.items() if messages.get(code, message) == message} == set()
    for code, message in theirs.error_messages.items():
        assert str(messages[code]).count("%") == str(message).count("%"), code


@pytest.mark.parametrize("login", ["alice", "nobody", "alice@example.org"])
@pytest.mark.usefixtures("db", "alice")
def test_a_wrong_password_and_an_unknown_name_read_the_same(login: str) -> None:
    page = make_client().post("/accounts/login/", {"login": login, "password": "not this one"}).content.decode()

    assert "No account has this name and password. Check both, and try again." in page


@pytest.mark.usefixtures("db")
def test_a_wrong_current_password_is_called_wrong(alice: User) -> None:
    fields = {"oldpassword": "not this one", "password1": "a new one of mine", "password2": "a new one of mine"}

    page = make_client(alice).post("/accounts/password/change/", fields).content.decode()

    assert "This is not your current password. Try again." in page
