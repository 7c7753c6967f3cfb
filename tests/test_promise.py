"""Changing the retention policy in the settings moves no stored deadline, and pages show the stored one."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from archive.bundles.contents import content_id, facts
from archive.models import Space, User
from archive.moderation.violations import flag
from archive.policy import Reason
from tests.support.factory import make_space


@pytest.mark.django_db
def test_a_policy_change_keeps_stored_deadlines(client: Client, alice: User, settings: Settings) -> None:
    space = make_space(alice, ended_ago=timedelta(days=6))
    before = content_id(space)
    settings.RETENTION_DAYS = 60
    client.force_login(alice)

    space = Space.objects.get(pk=space.pk)
    page = client.get(f"/spaces/{space.pk}/").content.decode()

    assert "Every recording is kept for 30 days after its Space ended." in page
    assert facts(space)["deadline_reasons"] == [
        {"code": "base", "days": 30, "text": "Every recording is kept for 30 days after its Space ended."}
    ]
    assert space.expires_at == space.ended_at + timedelta(days=30)
    assert content_id(space) == before


@pytest.mark.django_db
def test_the_next_flag_uses_the_new_policy(alice: User, admin: User, settings: Settings) -> None:
    space = make_space(alice, ended_ago=timedelta(days=6))
    settings.RETENTION_DAYS = 60

    flag(space.pk, "spam", "An advertisement.", admin)

    space.refresh_from_db()
    assert space.expires_at == space.ended_at + timedelta(days=150)
    assert space.stored_deadline().reasons[0] == Reason("base", days=60)
