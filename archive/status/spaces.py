"""Count Spaces. Large numbers are PostgreSQL's own estimates: counting a million rows takes a second."""

from dataclasses import dataclass

from django.db import connection

from archive.models import Space, UploadSession
from archive.models.space_queries import count_up_to
from archive.status.work import MAX_COUNTED

# VACUUM and ANALYZE write these numbers; -1: not yet. Each of the two indexes has exactly the rows to count.
ESTIMATES = "SELECT relname, reltuples FROM pg_class WHERE relname = ANY(%s) AND pg_table_is_visible(oid)"
KEPT, DELETED = "space_newest", "space_deleted"


@dataclass(frozen=True)
class Spaces:
    """`kept` and `deleted` are estimates, as of the last VACUUM or ANALYZE; None before the first. The others are
    counted up to MAX_COUNTED."""

    kept: int | None
    deleted: int | None
    flagged: int
    appealed: int
    to_review: int
    open_uploads: int


def read_spaces() -> Spaces:
    with connection.cursor() as cursor:
        cursor.execute(ESTIMATES, [[KEPT, DELETED]])
        estimates = {name: int(count) if count >= 0 else None for name, count in cursor.fetchall()}
    served = Space.objects.served()
    counts = count_up_to(
        MAX_COUNTED,
        {
            "flagged": served.flagged(),
            "appealed": served.appealed(),
            "to_review": Space.objects.to_review(),
            "open_uploads": UploadSession.objects.filter(state=UploadSession.State.OPEN),
        },
    )
    return Spaces(kept=estimates.get(KEPT), deleted=estimates.get(DELETED), **counts)
