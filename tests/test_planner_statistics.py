"""PostgreSQL's planner statistics outlive the rows, so no text of a Space may reach them."""

import pytest
from django.db import connection, models

from archive.models import (
    Arrival,
    ExportPart,
    LiveKitParticipant,
    LiveKitRoom,
    SearchLine,
    Space,
    UploadPart,
    User,
)
from archive.moderation.violations import flag
from archive.retention import tombstone
from tests.support.factory import make_row
from tests.support.transcripts import make_transcript

# Columns of deleted or scrubbed rows that contain one of a few codes, or an id.
CODES = {
    *("role", "kind", "state", "source", "config", "language", "model", "reason", "grantee", "processing_step"),
    *("codec", "content_type", "extension", "event", "part_checksums", "verified_by", "reported_cause"),
}
# Rows that are deleted with a Space, but not through tombstone.CONTENT.
OTHERS: set[type[models.Model]] = {Arrival, LiveKitRoom, LiveKitParticipant, ExportPart}
# Rows that are erased with an account.
NAMES = {("archive_user", name) for name in ("username", "first_name", "last_name", "email", "password")}
NAMES |= {("archive_accountmail", name) for name in ("content", "problem")}
NAMES |= {("archive_invitation", name) for name in ("email", "token_sha256", "problem")}
TEXTUAL = "data_type IN ('text', 'character varying', 'jsonb', 'tsvector', 'bytea', 'ARRAY')"


def rows(statement: str, *params: list[str]) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())


def with_cascades(contents: set[type[models.Model]]) -> set[type[models.Model]]:
    """Return the models whose rows are deleted when a row of `contents` is."""
    below = {
        relation.related_model
        for content in contents
        for relation in content._meta.related_objects
        if relation.on_delete is models.CASCADE and not isinstance(relation.related_model, str)
    }
    return contents if below <= contents else with_cascades(contents | below)


def scrubbed() -> set[tuple[str, str]]:
    """Return (table, column) of everything that a purge removes from the database, except codes."""
    contents = with_cascades({*tombstone.CONTENT, *OTHERS})
    assert {SearchLine, UploadPart} <= contents
    tables = [model._meta.db_table for model in contents]
    columns = f"SELECT table_name, column_name FROM information_schema.columns WHERE {TEXTUAL} AND table_name = ANY(%s)"
    removed = {(table, column) for table, column in rows(columns, tables) if column not in CODES}
    blanked: set[tuple[type[models.Model], str]] = {(Space, field) for field in set(tombstone.SCRUBBED) - CODES}
    blanked |= {(model, field) for model, _, texts in tombstone.MODERATION_TEXTS for field in texts}
    return removed | {(model._meta.db_table, field) for model, field in blanked}


@pytest.mark.usefixtures("db")
def test_every_scrubbed_column_is_without_statistics() -> None:
    off = rows(
        "SELECT attrelid::regclass::text, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
        " WHERE attstattarget = 0 AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
    )

    assert set(off) == scrubbed() | NAMES


@pytest.mark.usefixtures("db")
def test_no_index_has_statistics_of_an_expression_over_them() -> None:
    tables = sorted({table for table, _ in scrubbed() | NAMES})

    indexes = rows(
        "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_attribute ON attrelid = indexrelid"
        " WHERE indexprs IS NOT NULL AND attstattarget IS DISTINCT FROM 0 AND indrelid::regclass::text = ANY(%s)",
        tables,
    )
    assert indexes == []


@pytest.mark.usefixtures("owner", "db")
def test_analyze_copies_no_words(zebrafish: Space, admin: User) -> None:
    flag(zebrafish.pk, "spam", "An axolotl.", admin)
    make_transcript(make_row(zebrafish.host), [f"quokka number {n}" for n in range(300)])
    Space.objects.bulk_create(
        Space(
            host=zebrafish.host,
            title="Zebrafish again",
            ended_at=zebrafish.ended_at,
            deadline_reasons=[],
            expires_at=zebrafish.expires_at,
        )
        for _ in range(20)
    )

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    words = ["zebrafish", "axolotl", "quokka", "narwhal", "okapi", "alice"]
    analyzed = "SELECT tablename, attname FROM pg_stats WHERE schemaname = 'public'"
    stats = "concat(most_common_vals::text, histogram_bounds::text, most_common_elems::text) ILIKE ANY (%s)"
    assert ("archive_space", "state") in rows(analyzed)
    assert rows(f"{analyzed} AND {stats}", [f"%{word}%" for word in words]) == []
