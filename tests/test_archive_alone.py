"""The archive renders the offline page, the index of an export part, and every mail without the site installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.test import override_settings

from archive import dbtime
from archive.models import Appeal, Bundle, Notice, Space, User
from archive.models.notice_kinds import REMINDERS
from archive.moderation.violations import flag
from tests.support import archive_settings
from tests.support.playable_spaces import make_playable_space
from tests.support.render_archive import render_all

ROOT = Path(__file__).parent.parent


@pytest.fixture
def space(committed: None, alice: User, admin: User) -> Space:
    """A Space with a recording, a transcript, an appealed flag, and one notice of each kind."""
    space = make_playable_space(alice, peaks=[0.25, 1.0])
    violation = flag(space.pk, "spam", "An advertisement.", admin)
    Appeal.objects.create(violation=violation, statement="It was a joke.", created_by=alice)
    state = {"state": Bundle.State.READY, "size": 1_000_000, "ready_at": dbtime.now(), "name": "seeds.zip"}
    bundle = Bundle.objects.create(space=space, key="bundle.zip", etag="etag", content_digest="0" * 64, **state)
    subjects = {Notice.Kind.BUNDLE_READY: bundle.pk, Notice.Kind.BUNDLE_FAILED: bundle.pk}
    for kind in Notice.Kind:
        Notice.objects.get_or_create(  # flagging has already created one
            kind=kind,
            user=alice,
            space=space,
            subject_id=str(subjects.get(kind, violation.pk)),
            deadline=dbtime.now() if kind in REMINDERS else None,
        )
    return space


def test_the_archive_renders_the_same_without_the_site(space: Space) -> None:
    database = os.environ["DATABASE_URL"].rpartition("/")[0]

    process = subprocess.run(
        [sys.executable, "-m", "tests.support.render_archive", str(space.pk)],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": archive_settings.__name__,
            "DATABASE_URL": f"{database}/{connection.settings_dict['NAME']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode == 0, process.stderr
    rendered = json.loads(process.stdout)
    assert set(rendered) == {"offline page", "export index", *(f"mail {kind}" for kind in Notice.Kind.values)}
    assert rendered == render_all(space.pk)
    assert "An advertisement." in rendered["offline page"]
    assert "It was a joke." in rendered["offline page"]
    assert "The seed library room" in rendered["export index"]


def test_without_the_site_its_templates_are_not_found() -> None:
    with override_settings(TEMPLATES=archive_settings.TEMPLATES):
        get_template("archive/mail/base.html")  # raises if the template does not exist
        with pytest.raises(TemplateDoesNotExist):
            get_template("base.html")
