"""Every kind of notice is complete: a declaration, its templates, and an existing icon."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from django.template.loader import get_template

from archive import error_messages
from archive.errors import make_problem
from archive.log import events
from archive.models import Notice
from archive.models.notice_kinds import REMINDERS, SPACE_GONE, NoticeKind
from portal.templatetags.spacekeep import note_template

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_kind_has_its_templates(kind: NoticeKind) -> None:
    mail = "reminder" if kind in REMINDERS else kind
    for name in (f"archive/mail/{mail}.txt", f"archive/mail/{mail}.html", note_template(Notice(kind=kind))):
        get_template(name)


def test_no_template_without_a_kind() -> None:
    notes = {path.stem for path in (ROOT / "templates/notices/text").iterdir()}

    assert notes == set(NoticeKind)


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_kind_has_an_icon_a_severity_and_a_subject(kind: NoticeKind) -> None:
    details = kind.details

    assert f'id="{details.icon}"' in (ROOT / "archive/static/archive/icons.svg").read_text()
    assert details.severity in ("", "soon", "urgent", "kept")
    assert str(details.subject).format(title="Seeds", deadline_day="1 May", ended_day="1 April")
    assert str(kind.label)
    assert re.fullmatch(r"[a-z0-9-]{1,16}", kind)  # as stored in the column


def test_events_of_kinds_exist_and_each_has_one_kind() -> None:
    named = [kind.details.event for kind in NoticeKind if kind.details.event]

    assert set(named) <= set(events.EVENTS)
    assert len(set(named)) == len(named)


def test_every_reason_for_being_obsolete_has_a_message() -> None:
    codes = {reason.code for kind in NoticeKind for reason in kind.details.obsolete_when}

    assert [code for code in codes if not error_messages.render(make_problem(code))] == []


def test_only_the_news_of_the_deletion_outlives_the_space() -> None:
    assert [kind for kind in NoticeKind if SPACE_GONE not in kind.details.obsolete_when] == [NoticeKind.DELETED]


def test_the_windows_of_reminders_do_not_overlap() -> None:
    windows = sorted(kind.details.remind_within for kind in REMINDERS if kind.details.remind_within)

    assert all(earlier[1] <= later[0] for earlier, later in pairwise(windows))
