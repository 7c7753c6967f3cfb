"""The tabs that all pages of moderation share, with capped numbers: counting a large table takes long."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from archive.formatting import format_number
from archive.models import Hold, Space, User
from archive.models.compiled_query import CompiledCounts
from archive.moderation import appeals, holds

MOST = 99


def moderation_tabs(user: User) -> dict[str, Any]:
    """Return `tab_counts`, the counts by the name of the tab, and `overdue_holds`, the number of holds due for review,
    as text: "" for none, "99+" for more than 99. Uses one query."""
    words = {name: _in_words(count) for name, count in _COUNTS.count(user.pk).items() if count}
    return {"tab_counts": words, "overdue_holds": words.get("overdue", "")}


def _counted(user_id: int) -> dict[str, QuerySet[Any]]:
    return {
        "review": Space.objects.to_review().exclude(host=user_id),
        "reviewed": Space.objects.reviewed(flagged=False),
        "flagged": Space.objects.reviewed(flagged=True),
        "appeals": appeals.open_appeals(),
        "decided": appeals.decided_appeals(),
        "holds": Hold.objects.filter(state=Hold.State.STANDING),
        "overdue": holds.overdue_reviews(),
    }


# Cached, because Django takes ten times as long to compile the query as PostgreSQL to answer it.
_COUNTS = CompiledCounts(_counted, MOST + 1, int)


def _in_words(count: int) -> str:
    return _("{number}+").format(number=format_number(MOST)) if count > MOST else format_number(count)
