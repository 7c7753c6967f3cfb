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
        ("archive", "0005_bundles"),
    ]

    operations = [
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
        migrations.AddIndex(
            model_name="certificate",
            index=models.Index(fields=["issued_at", "space_id"], name="certificate_newest"),
        ),
        migrations.RunSQL(IMMUTABLE, BACK),
    ]
