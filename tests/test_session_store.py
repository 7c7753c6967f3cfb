"""Our session store (portal/sign_in/session_store.py), which uses precompiled SQL, reads sessions as Django's does."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.sign_in.session_store import SessionStore

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@dataclass
class Clock:
    """Replaces Django's `timezone`, with a time set by the test."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def make_session(**data: str) -> str:
    session = SessionStore()
    session.update(data)
    session.create()
    assert session.session_key
    return session.session_key


def load(store: Any) -> tuple[dict[str, Any], str | None]:
    """Return the session's data, and its key afterwards."""
    return store.load(), store.session_key


def change(key: str, **columns: object) -> None:
    assert Session.objects.filter(session_key=key).update(**columns) == 1


def test_each_key_gives_its_own_session_as_djangos_does() -> None:
    keys = {name: make_session(name=name) for name in ("live", "another", "expired", "tampered with", "deleted")}
    change(keys["expired"], expire_date=timezone.now() - timedelta(seconds=1))
    change(keys["tampered with"], session_data="eyJuYW1lIjoibGl2ZSJ9:x:y")
    Session.objects.filter(session_key=keys["deleted"]).delete()
    keys |= {"unknown": "0" * 32, "with a %": "100% sure %s", "with a '": "' OR '1' = '1"}
    asked = [*keys.values(), keys["live"]]

    read = [load(SessionStore(key)) for key in asked]

    assert read == [load(db.SessionStore(key)) for key in asked]
    nothing: tuple[Any, None] = ({}, None)
    assert dict(zip(keys, read, strict=False)) == {
        "live": ({"name": "live"}, keys["live"]),
        "another": ({"name": "another"}, keys["another"]),
        "expired": nothing,
        "tampered with": ({}, keys["tampered with"]),
        **dict.fromkeys(("deleted", "unknown", "with a %", "with a '"), nothing),
    }


def test_a_session_ends_at_its_time_however_long_the_process_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SQL is compiled earlier, and must not contain a time."""
    key, start = make_session(name="live"), timezone.now()
    change(key, expire_date=start + HOUR)
    clock = Clock(start)
    monkeypatch.setattr("portal.sign_in.session_store.timezone", clock)

    for hours, data in ((0, {"name": "live"}), (1, {}), (2, {})):
        clock.at = start + hours * HOUR
        assert SessionStore(key).load() == data


def test_a_change_is_read_at_once() -> None:
    key = make_session(name="before")
    assert SessionStore(key).load() == {"name": "before"}
    session = SessionStore(key)
    session["name"] = "after"
    session.save()

    with CaptureQueriesContext(connection) as queries:
        assert SessionStore(key)["name"] == "after"
    assert len(queries) == 1

    session.flush()
    assert SessionStore(key).load() == {}
