"""A crash after the account was created leaves no part of a sign-up behind."""

import pytest
from django.db import connection

from archive.accounts import invitations
from archive.models import Invitation, User
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("owner", "db")
NEW = {"first_name": "Ines", "username": "ines", "password1": "quagga-72-lantern"}


def test_a_crash_after_the_account_leaves_nothing_of_it(admin: User) -> None:
    _, token = invitations.invite("ines@example.org", "host", 7, admin)
    client = make_client(raise_request_exception=False)
    client.get(f"/invitation/{token}/")
    with connection.cursor() as cursor:  # the last write of the sign-up fails
        cursor.execute("ALTER TABLE account_emailaddress ADD CONSTRAINT broken CHECK (false) NOT VALID")

    assert client.post("/accounts/signup/", NEW).status_code == 500

    assert not User.objects.filter(username="ines").exists()
    assert Invitation.objects.get().state == "open"
