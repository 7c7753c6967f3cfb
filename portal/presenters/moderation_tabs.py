"""The tabs that all pages of moderation share, with capped numbers: counting a large table takes long."""

from collections import Counter
from typing import Any

from django.db.models import CharField, QuerySet, Value
from django.utils.translation import gettext as _

from archive.formatting import format_number
from archive.models import Appeal, Hold, Space, User
from archive.moderation import appeals, holds, reviews

MOST = 99


def moderation_tabs(user: User) -> dict[str, Any]:
    """`tab_counts`: how many there are, by the name of the tab; `overdue_holds`: how many holds are to be reviewed.
    In words: "" for none, "99+" for more than 99. One query."""
    counted: dict[str, QuerySet[Any]] = {
        "review": reviews.reviewable(Space.objects.all(), user),
        "reviewed": Space.objects.reviewed(flagged=False),
        "flagged": Space.objects.reviewed(flagged=True),
        "appeals": Appeal.objects.filter(state=Appeal.State.OPEN),
        "decided": appeals.decided_appeals(),
        "holds": Hold.objects.filter(state=Hold.State.STANDING),
        "overdue": holds.overdue_reviews(),
    }
    first, *others = (_names(name, rows) for name, rows in counted.items())
    counts = Counter(first.union(*others, all=True))
    words = {name: _in_words(count) for name, count in counts.items()}
    return {"tab_counts": words, "overdue_holds": words.get("overdue", "")}


def _names(name: str, rows: QuerySet[Any]) -> QuerySet[Any, str]:
    """The name once for each row, up to one more than MOST."""
    named: QuerySet[Any, str] = rows.order_by().annotate(tab=Value(name, CharField())).values_list("tab", flat=True)
    return named[: MOST + 1]


def _in_words(count: int) -> str:
    return _("{number}+").format(number=format_number(MOST)) if count > MOST else format_number(count)
