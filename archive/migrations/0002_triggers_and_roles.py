"""Create what every installation needs: roles, a first list of rules, the cache table, and the triggers that keep the
retention log and the certificates append-only."""

from typing import Any

from django.core.management import call_command
from django.db import migrations

ROLES = ("admins", "auditors")
RULES = [
    ("harassment", "Harassment", "Attacking, threatening or degrading somebody."),
    ("hate", "Hateful conduct", "Attacking people for what they are."),
    ("violence", "Violent speech", "Threatening, inciting or glorifying violence."),
    ("private-information", "Private information", "Publishing something about a person against their will."),
    ("impersonation", "Impersonation", "Pretending to be somebody else."),
    ("illegal", "Illegal content", "Content that the law forbids."),
    ("spam", "Spam or fraud", "Misleading people for gain."),
    ("other", "Other (see the reason)", "Anything else that is not allowed here. The reason of the flag says what."),
]

# The retention log and the certificates are evidence. Not even the application's own role may rewrite them.
APPEND_ONLY = """
CREATE FUNCTION archive_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the retention log is append-only: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER archive_log_append_only BEFORE UPDATE OR DELETE ON archive_logentry
    FOR EACH ROW EXECUTE FUNCTION archive_log_is_append_only();
CREATE TRIGGER archive_log_no_truncate BEFORE TRUNCATE ON archive_logentry
    FOR EACH STATEMENT EXECUTE FUNCTION archive_log_is_append_only();

CREATE FUNCTION archive_certificate_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a certificate of deletion is never changed: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER archive_certificate_immutable BEFORE UPDATE OR DELETE ON archive_deletioncertificate
    FOR EACH ROW EXECUTE FUNCTION archive_certificate_is_immutable();
CREATE TRIGGER archive_certificate_no_truncate BEFORE TRUNCATE ON archive_deletioncertificate
    FOR EACH STATEMENT EXECUTE FUNCTION archive_certificate_is_immutable();
"""
DROP_APPEND_ONLY = """
DROP TRIGGER archive_certificate_no_truncate ON archive_deletioncertificate;
DROP TRIGGER archive_certificate_immutable ON archive_deletioncertificate;
DROP FUNCTION archive_certificate_is_immutable();
DROP TRIGGER archive_log_no_truncate ON archive_logentry;
DROP TRIGGER archive_log_append_only ON archive_logentry;
DROP FUNCTION archive_log_is_append_only();
"""

# The time of an entry is the database's, whatever the INSERT says. Each entry waits in a queue until it is in the tree
# (archive/transparency/). A trigger fills the queue, so that no entry can bypass it. One trigger does both, because
# that is cheapest for a writer: a WHEN clause would be parsed for each statement, and a transition table created. For
# the same reason the queue has no index. An entry can be in it twice, which the sequencer expects.
RECEIVE = """
CREATE FUNCTION archive_log_receives_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.at IS DISTINCT FROM statement_timestamp() THEN
        NEW.at := statement_timestamp();
    END IF;
    INSERT INTO archive_logqueue VALUES (NEW.id);
    RETURN NEW;
END $$;
CREATE TRIGGER archive_log_receives_entry BEFORE INSERT ON archive_logentry
    FOR EACH ROW EXECUTE FUNCTION archive_log_receives_entry();
ALTER TABLE archive_logqueue DROP CONSTRAINT archive_logqueue_pkey;
"""
DROP_RECEIVE = """
ALTER TABLE archive_logqueue ADD CONSTRAINT archive_logqueue_pkey PRIMARY KEY (entry_id);
DROP TRIGGER archive_log_receives_entry ON archive_logentry;
DROP FUNCTION archive_log_receives_entry();
"""
TREE = (
    *("archive_logleaf", "archive_lognode", "archive_logcheckpoint", "archive_logcosignature"),
    "archive_signingkeyevent",
)
# Tables that say where copies of checkpoints are.
HELD = ("archive_checkpointcopy", "archive_checkpointtimestamp")


def protect(table: str) -> str:
    return f"""
    CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION archive_log_is_append_only();
    CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION archive_log_is_append_only();
    """


def unprotect(table: str) -> str:
    return f"DROP TRIGGER {table}_no_truncate ON {table}; DROP TRIGGER {table}_append_only ON {table};"


# Two-person rules compare when a role was granted with when, and by whom, a Space was flagged. So these columns never
# change, and their times are the database's, whatever the INSERT says.
IMMUTABLE = """
CREATE FUNCTION archive_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'columns of % that decisions rest on never change', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER archive_role_is_immutable BEFORE UPDATE ON archive_rolemembership FOR EACH ROW
    WHEN ((OLD.id, OLD.user_id, OLD.group_id, OLD.granted_at)
        IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.group_id, NEW.granted_at))
    EXECUTE FUNCTION archive_is_immutable();
CREATE TRIGGER archive_flag_is_immutable BEFORE UPDATE ON archive_violation FOR EACH ROW
    WHEN ((OLD.id, OLD.space_id, OLD.flagged_by_id, OLD.flagged_at)
        IS DISTINCT FROM (NEW.id, NEW.space_id, NEW.flagged_by_id, NEW.flagged_at))
    EXECUTE FUNCTION archive_is_immutable();

CREATE FUNCTION archive_role_sets_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.granted_at := statement_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER archive_role_sets_time BEFORE INSERT ON archive_rolemembership
    FOR EACH ROW EXECUTE FUNCTION archive_role_sets_time();
CREATE FUNCTION archive_flag_sets_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.flagged_at := statement_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER archive_flag_sets_time BEFORE INSERT ON archive_violation
    FOR EACH ROW EXECUTE FUNCTION archive_flag_sets_time();
"""
DROP_IMMUTABLE = """
DROP TRIGGER archive_flag_sets_time ON archive_violation;
DROP FUNCTION archive_flag_sets_time();
DROP TRIGGER archive_role_sets_time ON archive_rolemembership;
DROP FUNCTION archive_role_sets_time();
DROP TRIGGER archive_flag_is_immutable ON archive_violation;
DROP TRIGGER archive_role_is_immutable ON archive_rolemembership;
DROP FUNCTION archive_is_immutable();
"""

# A Space has no deadline if and only if it is on legal hold. A check constraint can't compare two tables, so deferred
# constraint triggers do at commit.
NO_DEADLINE_IFF_HELD = """
CREATE FUNCTION archive_no_deadline_iff_held() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked_id uuid := (to_jsonb(coalesce(NEW, OLD)) ->> TG_ARGV[0])::uuid;
    has_no_deadline boolean;
BEGIN
    SELECT expires_at IS NULL INTO has_no_deadline FROM archive_space WHERE id = checked_id;
    IF has_no_deadline <> EXISTS (SELECT FROM archive_hold WHERE space_id = checked_id AND state = 'standing') THEN
        RAISE EXCEPTION 'new row violates check constraint "space_no_deadline_iff_held" of Space %', checked_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'space_no_deadline_iff_held';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER archive_space_inserted_without_deadline AFTER INSERT ON archive_space
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.expires_at IS NULL)
    EXECUTE FUNCTION archive_no_deadline_iff_held('id');
CREATE CONSTRAINT TRIGGER archive_space_deadline_nullness_changed AFTER UPDATE OF expires_at ON archive_space
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.expires_at IS NULL) <> (NEW.expires_at IS NULL))
    EXECUTE FUNCTION archive_no_deadline_iff_held('id');
CREATE CONSTRAINT TRIGGER archive_hold_changed AFTER INSERT OR DELETE OR UPDATE OF state, space_id ON archive_hold
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION archive_no_deadline_iff_held('space_id');
"""
DROP_NO_DEADLINE_IFF_HELD = """
DROP TRIGGER archive_hold_changed ON archive_hold;
DROP TRIGGER archive_space_deadline_nullness_changed ON archive_space;
DROP TRIGGER archive_space_inserted_without_deadline ON archive_space;
DROP FUNCTION archive_no_deadline_iff_held();
"""

# Lists filter by two columns of a Space that follow from its violations. A trigger writes them, so they are right even if
# a process of an older release, which may not know the columns, changes a violation. Concurrent changes of violations of
# the same Space wait for the lock, and the statement after it sees what was committed.
SHOW_VIOLATIONS = """
CREATE FUNCTION archive_space_shows_violations() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed_id uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.space_id ELSE NEW.space_id END;
BEGIN
    PERFORM FROM archive_space WHERE id = changed_id FOR NO KEY UPDATE;
    UPDATE archive_space SET is_flagged = shown.is_flagged, is_appealed = shown.is_appealed
    FROM (
        SELECT coalesce(bool_or(state <> 'lifted'), false) AS is_flagged,
            coalesce(bool_or(state = 'appealed'), false) AS is_appealed
        FROM archive_violation WHERE space_id = changed_id
    ) AS shown
    WHERE id = changed_id
        AND (archive_space.is_flagged, archive_space.is_appealed) <> (shown.is_flagged, shown.is_appealed);
    RETURN NULL;
END $$;
CREATE TRIGGER archive_space_shows_violations AFTER INSERT OR DELETE OR UPDATE OF state ON archive_violation
    FOR EACH ROW EXECUTE FUNCTION archive_space_shows_violations();
"""
DROP_SHOW_VIOLATIONS = """
DROP TRIGGER archive_space_shows_violations ON archive_violation;
DROP FUNCTION archive_space_shows_violations();
"""

# ANALYZE copies common values of a column to pg_statistic, where they remain after their rows are deleted. So it skips
# columns with what people said and wrote, or with what identifies it (keys, digests). Queries by them use an index.
WITHOUT_STATISTICS = {
    "archive_space": (
        *("title", "title_key", "audience", "started_at", "duration_ms", "salt", "fingerprint", "problem"),
    ),
    "archive_spaceindex": ("vector",),
    "archive_participant": ("name", "account"),
    "archive_recording": ("key", "sha256", "etag", "outline", "notes", "chapters"),
    "archive_transcript": ("key", "sha256", "etag", "cues", "notes"),
    "archive_searchline": ("vector",),
    "archive_derived": ("key", "sha256", "etag"),
    "archive_bundle": ("name", "key", "sha256", "etag", "content_digest", "parts_digest", "upload_id", "problem"),
    "archive_exportpart": ("name", "key", "sha256", "etag", "content_digest", "parts_digest", "upload_id", "problem"),
    "archive_uploadsession": ("name", "speaker_names", "key", "sha256", "etag", "upload_id", "problem"),
    "archive_uploadpart": ("sha256",),
    "archive_transcription": ("cues", "problem"),
    "archive_arrival": ("source_id", "path", "version", "sha256", "etag", "problem"),
    "archive_livekitroom": ("sid", "name", "description"),
    "archive_livekitparticipant": ("sid", "identity", "name", "account"),
    "archive_violation": ("reason", "lift_reason", "evidence"),
    "archive_appeal": ("statement", "decision_reason"),
    "archive_hold": ("reason", "release_reason", "case_number"),
    "archive_webhookdelivery": ("subject_id", "data", "problem"),
    "archive_accountmail": ("content", "problem"),
    "archive_invitation": ("email", "token_sha256", "problem"),
    "archive_user": ("username", "first_name", "last_name", "email", "password"),
}


# Indexes have their own statistics about expressions. Values: the number of the index column.
INDEXES_WITHOUT_STATISTICS = {"invitation_one_waiting": 1, "user_name_once_in_any_case": 1}


def set_statistics(target: int) -> list[str]:
    """Return the statements that set the statistics target: 0 for none, -1 for the database's default."""
    indexes = INDEXES_WITHOUT_STATISTICS.items()
    return [f"ALTER INDEX {name} ALTER COLUMN {number} SET STATISTICS {target}" for name, number in indexes] + [
        f"ALTER TABLE {table} {', '.join(f'ALTER COLUMN {column} SET STATISTICS {target}' for column in columns)}"
        for table, columns in WITHOUT_STATISTICS.items()
    ]


def create_roles_and_rules(apps: Any, schema_editor: Any) -> None:
    for name in ROLES:
        apps.get_model("auth", "Group").objects.get_or_create(name=name)
    for code, name, text in RULES:
        apps.get_model("archive", "Rule").objects.get_or_create(code=code, defaults={"name": name, "text": text})


def create_cache_table(apps: Any, schema_editor: Any) -> None:
    """Create the table of Django's cache, in which allauth counts failed sign-ins."""
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("archive", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.RunPython(create_roles_and_rules, migrations.RunPython.noop),
        migrations.RunPython(create_cache_table, migrations.RunPython.noop),
        migrations.RunSQL(APPEND_ONLY, DROP_APPEND_ONLY),
        migrations.RunSQL(RECEIVE, DROP_RECEIVE),
        *(migrations.RunSQL(protect(table), unprotect(table)) for table in (*TREE, *HELD)),
        migrations.RunSQL(IMMUTABLE, DROP_IMMUTABLE),
        migrations.RunSQL(NO_DEADLINE_IFF_HELD, DROP_NO_DEADLINE_IFF_HELD),
        migrations.RunSQL(SHOW_VIOLATIONS, DROP_SHOW_VIOLATIONS),
        migrations.RunSQL(set_statistics(0), set_statistics(-1)),
    ]
