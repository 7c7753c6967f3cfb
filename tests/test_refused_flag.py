"""A refused flag keeps the form input and says why."""

import pytest
from django.test import Client
from pytest_django import Settings

from archive.models import User, Violation
from tests.support.factory import make_row


@pytest.mark.django_db
def test_the_form_keeps_its_input(client: Client, alice: User, admin: User) -> None:
    space = make_row(alice)
    client.force_login(admin)

    answer = client.post(f"/spaces/{space.pk}/flag", {"rule": "", "reason": "They sold <b>beans</b>."})

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "They sold &lt;b&gt;beans&lt;/b&gt;.</textarea>" in page
    assert "Choose a rule." in page
    assert 'aria-invalid="true" name="rule" required' in page
    assert 'maxlength="2000" name="reason" required aria-describedby' in page
    assert not Violation.objects.exists()


@pytest.mark.django_db
def test_the_footer_shows_the_current_policy(client: Client, settings: Settings) -> None:
    settings.RETENTION_DAYS = 14

    assert (
        "Recordings are kept 14 days after a Space ended, 90 days longer"
        in client.get("/accounts/login/").content.decode()
    )
