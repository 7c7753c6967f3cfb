"""Sessions in the database, like Django's, with precompiled SQL for reading, because every request reads one."""

from datetime import datetime
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from archive.models.compiled_query import CompiledQuery


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Any:
        found = _LIVE.first(self.session_key, timezone.now())
        if found is None:
            self._session_key = None
        return found


def _live(key: str, now: datetime) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=now)


_LIVE = CompiledQuery(_live, str, datetime)
