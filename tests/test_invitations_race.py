"""Several people open the same invitation at the same moment: only one account is created."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from archive.accounts import invitations
from archive.errors import Refused
from archive.models import LogEntry, User
from tests.support.factory import make_user


@pytest.mark.usefixtures("committed")
def test_one_of_several_acceptances_wins() -> None:
    admin = make_user("ada", "admins")
    _, token = invitations.invite("ines@example.org", "admin", 7, admin)

    def attempt(number: int) -> str:
        try:
            with transaction.atomic():
                invitation = invitations.lock_valid(token)
                user = User.objects.create(username=f"ines{number}", email=invitation.email)
                invitations.accept(invitation, user)
            return user.username
        except Refused as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(attempt, range(6)))

    (winner,) = [result for result in results if result.startswith("ines")]
    assert results.count("invitation.not_valid") == 5
    assert list(User.objects.exclude(username="ada").values_list("username", flat=True)) == [winner]
    assert LogEntry.objects.filter(event="invitation.accepted").count() == 1
