import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# A Space has no deadline if, and only if, a hold stands. Looked at when the transaction commits, since a hold and the
# deadline are written one after the other; and only where one of them came or went.
HELD = """
CREATE FUNCTION archive_no_deadline_iff_held() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    subject uuid := (to_jsonb(coalesce(NEW, OLD)) ->> TG_ARGV[0])::uuid;
    endless boolean;
BEGIN
    SELECT expires_at IS NULL INTO endless FROM archive_space WHERE id = subject;
    IF endless <> EXISTS (SELECT FROM archive_hold WHERE space_id = subject AND state = 'standing') THEN
        RAISE EXCEPTION 'new row violates check constraint "space_no_deadline_iff_held" of Space %', subject
            USING ERRCODE = 'check_violation', CONSTRAINT = 'space_no_deadline_iff_held';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER archive_space_made_endless AFTER INSERT ON archive_space
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.expires_at IS NULL)
    EXECUTE FUNCTION archive_no_deadline_iff_held('id');
CREATE CONSTRAINT TRIGGER archive_space_turned_endless AFTER UPDATE OF expires_at ON archive_space
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.expires_at IS NULL) <> (NEW.expires_at IS NULL))
    EXECUTE FUNCTION archive_no_deadline_iff_held('id');
CREATE CONSTRAINT TRIGGER archive_hold_changed AFTER INSERT OR DELETE OR UPDATE OF state, space_id ON archive_hold
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION archive_no_deadline_iff_held('space_id');
"""
BACK = """
DROP TRIGGER archive_hold_changed ON archive_hold;
DROP TRIGGER archive_space_turned_endless ON archive_space;
DROP TRIGGER archive_space_made_endless ON archive_space;
DROP FUNCTION archive_no_deadline_iff_held();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0007_notices"),
    ]

    operations = [
        migrations.CreateModel(
            name="Appeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "being looked at"), ("denied", "denied"), ("granted", "granted")],
                        default="open",
                        max_length=16,
                    ),
                ),
                ("words", models.CharField(blank=True, max_length=2000)),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ("decision", models.TextField(blank=True, help_text="The reason of whoever decided.")),
                ("decided_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("standing", "stands"), ("released", "released")], default="standing", max_length=16
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                (
                    "placed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("release_reason", models.TextField(blank=True)),
                ("released_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="violation",
            name="evidence",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Lines of the transcript as they were: [{line, start_ms, end_ms, ...}].",
            ),
        ),
        migrations.AddField(
            model_name="violation",
            name="evidence_of",
            field=models.PositiveSmallIntegerField(
                help_text="The number of the transcript that they are of.", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="space",
            index=models.Index(
                condition=models.Q(("state", "available")), fields=["ended_at", "id"], name="space_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="space",
            index=models.Index(
                condition=models.Q(("listeners_total__isnull", False), ("state", "available")),
                fields=["listeners_total", "id"],
                name="space_most_listened",
            ),
        ),
        migrations.AddIndex(
            model_name="violation",
            index=models.Index(condition=models.Q(("state", "appealed")), fields=["space"], name="violation_appealed"),
        ),
        migrations.AddConstraint(
            model_name="violation",
            constraint=models.CheckConstraint(
                condition=models.Q(("evidence", []), ("evidence_of__isnull", False), _connector="OR"),
                name="violation_evidence_is_of_a_transcript",
            ),
        ),
        migrations.AddField(
            model_name="appeal",
            name="decided_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="appeal",
            name="made_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="appeal",
            name="violation",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="appeal", to="archive.violation"
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="placed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="released_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="space",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="holds", to="archive.space"
            ),
        ),
        migrations.AddConstraint(
            model_name="appeal",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "denied", "granted"])), name="appeal_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="appeal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("decided_by", None), ("state", "open")),
                    models.Q(
                        models.Q(("state", "open"), _negated=True),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="appeal_decided_by_somebody_at_a_time",
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("state", "standing")), fields=["placed_at", "id"], name="hold_standing"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["standing", "released"])), name="hold_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("released_at", None), ("released_by", None), ("state", "standing")),
                    models.Q(
                        models.Q(("state", "standing"), _negated=True),
                        ("released_at__isnull", False),
                        ("released_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="hold_released_by_somebody_at_a_time",
            ),
        ),
        migrations.RunSQL(HELD, BACK),
    ]
