from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0004_index_lines"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="bundle",
            name="bundle_unready_has_no_object",
        ),
        migrations.AddField(
            model_name="bundle",
            name="cleared",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="bundle",
            name="fetched_at",
            field=models.DateTimeField(help_text="When a download of it began last.", null=True),
        ),
        migrations.AddField(
            model_name="bundle",
            name="sha256",
            field=models.CharField(
                blank=True, help_text="Of the whole, hex; known once it was read back.", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="bundle",
            name="upload_id",
            field=models.CharField(
                blank=True, help_text="The multipart upload that it is composed in.", max_length=1024
            ),
        ),
        migrations.AddField(
            model_name="bundle",
            name="upload_plan",
            field=models.CharField(blank=True, help_text="SHA-256 of the parts that go into it.", max_length=64),
        ),
        migrations.AlterField(
            model_name="bundle",
            name="bytes_total",
            field=models.PositiveBigIntegerField(default=0, help_text="0: not known yet."),
        ),
        migrations.AlterField(
            model_name="bundle",
            name="content",
            field=models.CharField(help_text="SHA-256 of what goes in: same content, same bytes.", max_length=64),
        ),
        migrations.AddIndex(
            model_name="bundle",
            index=models.Index(
                condition=models.Q(("sha256", ""), ("state", "ready")), fields=["lease_until"], name="bundle_unproven"
            ),
        ),
        migrations.AddIndex(
            model_name="bundle",
            index=models.Index(
                condition=models.Q(("state", "ready")), fields=["fetched_at", "ready_at"], name="bundle_unfetched"
            ),
        ),
        migrations.AddIndex(
            model_name="bundle",
            index=models.Index(
                condition=models.Q(("cleared", False), ("state__in", ["failed", "removed"])),
                fields=["lease_until"],
                name="bundle_uncleared",
            ),
        ),
        migrations.AddConstraint(
            model_name="bundle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["requested", "building", "failed"]), _negated=True),
                    models.Q(("etag", ""), ("key", ""), ("ready_at", None), ("sha256", ""), ("size", None)),
                    _connector="OR",
                ),
                name="bundle_unready_has_no_object",
            ),
        ),
        migrations.AddConstraint(
            model_name="bundle",
            constraint=models.CheckConstraint(
                condition=models.Q(("sha256__regex", "^([0-9a-f]{64})?$")), name="bundle_sha256_hex"
            ),
        ),
        migrations.AddConstraint(
            model_name="bundle",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["failed", "removed"]), ("cleared", False), _connector="OR"),
                name="bundle_live_is_not_cleared",
            ),
        ),
    ]
