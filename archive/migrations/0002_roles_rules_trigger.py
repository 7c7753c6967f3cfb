"""What every installation starts with: the two roles, a first list of rules, a log that nobody can rewrite, and the
table in which failed sign-ins are counted."""

from typing import Any

from django.core.management import call_command
from django.db import migrations

RULES = [
    ("harassment", "Harassment", "Attacking, threatening or degrading somebody."),
    ("hate", "Hateful conduct", "Attacking people for what they are."),
    ("violence", "Violent speech", "Threatening, inciting or glorifying violence."),
    ("private-information", "Private information", "Telling what somebody did not want to be told."),
    ("impersonation", "Impersonation", "Pretending to be somebody else."),
    ("illegal", "Illegal content", "Content that the law forbids."),
    ("spam", "Spam or fraud", "Misleading people for gain."),
    ("other", "Another rule", "Named in the reason."),
]


def create(apps: Any, schema_editor: Any) -> None:
    for name in ("admins", "auditors"):
        apps.get_model("auth", "Group").objects.get_or_create(name=name)
    for code, name, text in RULES:
        apps.get_model("archive", "Rule").objects.get_or_create(code=code, defaults={"name": name, "text": text})


def create_cache_table(apps: Any, schema_editor: Any) -> None:
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


APPEND_ONLY = """
CREATE FUNCTION archive_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the retention log is append-only: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER archive_log_append_only BEFORE UPDATE OR DELETE ON archive_logentry
    FOR EACH ROW EXECUTE FUNCTION archive_log_is_append_only();
CREATE TRIGGER archive_log_no_truncate BEFORE TRUNCATE ON archive_logentry
    FOR EACH STATEMENT EXECUTE FUNCTION archive_log_is_append_only();
"""
BACK = """
DROP TRIGGER archive_log_append_only ON archive_logentry;
DROP TRIGGER archive_log_no_truncate ON archive_logentry;
DROP FUNCTION archive_log_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("archive", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.RunPython(create, migrations.RunPython.noop),
        migrations.RunPython(create_cache_table, migrations.RunPython.noop),
        migrations.RunSQL(APPEND_ONLY, BACK),
    ]
