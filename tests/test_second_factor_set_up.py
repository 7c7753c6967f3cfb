"""Setting up a second factor keeps the session; removing the last one ends it.

allauth reports both after the commit, so the tests commit.
"""

import pytest
from allauth.mfa.models import Authenticator
from pytest_django import Settings

from tests.support.factory import make_user
from tests.support.http_clients import make_client
from tests.support.totp import set_up_app


@pytest.mark.usefixtures("committed")
def test_the_session_that_sets_it_up_goes_on_until_it_is_removed(settings: Settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    client = make_client(make_user("ada", role="admins"))
    assert client.get("/")["Location"] == "/accounts/2fa/"

    set_up_app(client)
    assert client.get("/").status_code == 200
    assert client.get("/api/v1/uploads").status_code == 200

    client.post("/accounts/2fa/totp/deactivate/")
    assert client.get("/")["Location"] == "/accounts/2fa/"
    assert not Authenticator.objects.exists()
