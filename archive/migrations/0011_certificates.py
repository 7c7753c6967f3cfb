import django.db.models.functions.datetime
from django.db import migrations, models

IMMUTABLE = """
CREATE FUNCTION archive_certificate_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a certificate of deletion is never changed: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER archive_certificate_stays BEFORE UPDATE OR DELETE ON archive_certificate
    FOR EACH ROW EXECUTE FUNCTION archive_certificate_stays();
CREATE TRIGGER archive_certificate_no_truncate BEFORE TRUNCATE ON archive_certificate
    FOR EACH STATEMENT EXECUTE FUNCTION archive_certificate_stays();
"""
BACK = """
DROP TRIGGER archive_certificate_stays ON archive_certificate;
DROP TRIGGER archive_certificate_no_truncate ON archive_certificate;
DROP FUNCTION archive_certificate_stays();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0010_appeals"),
    ]

    operations = [
        migrations.CreateModel(
            name="Relisting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "attempts",
                    models.PositiveIntegerField(
                        default=0, help_text="Counted at the claim, so that a crash counts too."
                    ),
                ),
                (
                    "fence",
                    models.PositiveBigIntegerField(default=0, help_text="Rises at each claim; later writes carry it."),
                ),
                ("lease_until", models.DateTimeField(blank=True, help_text="Until when the claim holds.", null=True)),
                ("retry_at", models.DateTimeField(blank=True, help_text="Not to be tried again before.", null=True)),
                ("problem", models.TextField(blank=True, help_text="Why the last attempt failed, for people.")),
                ("state", models.CharField(default="listing", max_length=16)),
                (
                    "marker",
                    models.CharField(
                        blank=True, help_text="Where the store's listing goes on; blank: anew.", max_length=1024
                    ),
                ),
                (
                    "finished_at",
                    models.DateTimeField(help_text="When the last look came to its end, with nothing left.", null=True),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Certificate",
            fields=[
                ("space_id", models.UUIDField(primary_key=True, serialize=False)),
                ("key_id", models.CharField(help_text="SHA-256 of the public key, hex.", max_length=64)),
                (
                    "document",
                    models.TextField(
                        help_text="Canonical JSON (RFC 8785), byte for byte what was signed and handed out."
                    ),
                ),
                ("issued_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["issued_at", "space_id"], name="certificate_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("key_id__regex", "^[0-9a-f]{64}$")), name="certificate_key_id_hex"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("document", ""), _negated=True), name="certificate_says_something"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Sighting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("orphan", "object without a row"), ("ghost", "row without its object")], max_length=8
                    ),
                ),
                ("key", models.CharField(max_length=1024)),
                ("etag", models.CharField(blank=True, help_text="Another one is another object.", max_length=100)),
                (
                    "first_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("last_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "key"), name="sighting_once"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["orphan", "ghost"])), name="sighting_kind_known"
                    ),
                ],
            },
        ),
        migrations.RunSQL(IMMUTABLE, BACK),
    ]
