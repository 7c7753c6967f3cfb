import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0005_bundles"),
    ]

    operations = [
        migrations.AddField(
            model_name="derived",
            name="missing_at",
            field=models.DateTimeField(blank=True, help_text="When the store was found not to have it.", null=True),
        ),
        migrations.AddField(
            model_name="recording",
            name="missing_at",
            field=models.DateTimeField(blank=True, help_text="When the store was found not to have it.", null=True),
        ),
        migrations.AddField(
            model_name="transcript",
            name="missing_at",
            field=models.DateTimeField(blank=True, help_text="When the store was found not to have it.", null=True),
        ),
        migrations.CreateModel(
            name="Collection",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "volume_size",
                    models.BigIntegerField(
                        choices=[(2000000000, "2 GB"), (10000000000, "10 GB"), (50000000000, "50 GB")]
                    ),
                ),
                (
                    "requested_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "host",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="collections",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Volume",
            fields=[
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
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "content",
                    models.CharField(help_text="SHA-256 of what goes in: same content, same bytes.", max_length=64),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "waiting for a worker"),
                            ("building", "being prepared"),
                            ("ready", "ready"),
                            ("failed", "failed"),
                            ("removed", "removed"),
                        ],
                        default="requested",
                        max_length=16,
                    ),
                ),
                (
                    "requested_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("bytes_done", models.PositiveBigIntegerField(default=0)),
                ("bytes_total", models.PositiveBigIntegerField(default=0, help_text="0: not known yet.")),
                (
                    "upload_id",
                    models.CharField(
                        blank=True, help_text="The multipart upload that it is composed in.", max_length=1024
                    ),
                ),
                (
                    "upload_plan",
                    models.CharField(blank=True, help_text="SHA-256 of the parts that go into it.", max_length=64),
                ),
                ("name", models.CharField(blank=True, help_text="The file name that a download gets.", max_length=200)),
                ("key", models.CharField(blank=True, max_length=200)),
                ("size", models.PositiveBigIntegerField(null=True)),
                ("etag", models.CharField(blank=True, max_length=100)),
                (
                    "sha256",
                    models.CharField(
                        blank=True, help_text="Of the whole, hex; known once it was read back.", max_length=64
                    ),
                ),
                ("ready_at", models.DateTimeField(null=True)),
                ("fetched_at", models.DateTimeField(help_text="When a download of it began last.", null=True)),
                ("cleared", models.BooleanField(default=False)),
                ("number", models.PositiveIntegerField()),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="volumes", to="archive.collection"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="VolumeSpace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("left_out", models.BooleanField(default=False)),
                (
                    "space",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="archive.space"
                    ),
                ),
                (
                    "volume",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="places", to="archive.volume"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddIndex(
            model_name="collection",
            index=models.Index(fields=["host", "requested_at"], name="collection_newest"),
        ),
        migrations.AddConstraint(
            model_name="collection",
            constraint=models.CheckConstraint(
                condition=models.Q(("volume_size__in", [2000000000, 10000000000, 50000000000])),
                name="collection_volume_size_known",
            ),
        ),
        migrations.AddIndex(
            model_name="volume",
            index=models.Index(
                condition=models.Q(("state__in", ["requested", "building"])),
                fields=["lease_until"],
                name="volume_at_work",
            ),
        ),
        migrations.AddIndex(
            model_name="volume",
            index=models.Index(
                condition=models.Q(("sha256", ""), ("state", "ready")), fields=["lease_until"], name="volume_unproven"
            ),
        ),
        migrations.AddIndex(
            model_name="volume",
            index=models.Index(
                condition=models.Q(("state", "ready")), fields=["fetched_at", "ready_at"], name="volume_unfetched"
            ),
        ),
        migrations.AddIndex(
            model_name="volume",
            index=models.Index(
                condition=models.Q(("cleared", False), ("state__in", ["failed", "removed"])),
                fields=["lease_until"],
                name="volume_uncleared",
            ),
        ),
        migrations.AddConstraint(
            model_name="volume",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["requested", "building", "ready", "failed", "removed"])),
                name="volume_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="volume",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "ready"), _negated=True),
                    models.Q(
                        ("ready_at__isnull", False),
                        ("size__gt", 0),
                        ("size__isnull", False),
                        models.Q(("key", ""), _negated=True),
                        models.Q(("etag", ""), _negated=True),
                        models.Q(("name", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="volume_ready_is_complete",
            ),
        ),
        migrations.AddConstraint(
            model_name="volume",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["requested", "building", "failed"]), _negated=True),
                    models.Q(("etag", ""), ("key", ""), ("ready_at", None), ("sha256", ""), ("size", None)),
                    _connector="OR",
                ),
                name="volume_unready_has_no_object",
            ),
        ),
        migrations.AddConstraint(
            model_name="volume",
            constraint=models.CheckConstraint(
                condition=models.Q(("sha256__regex", "^([0-9a-f]{64})?$")), name="volume_sha256_hex"
            ),
        ),
        migrations.AddConstraint(
            model_name="volume",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "failed"), _negated=True),
                    models.Q(("problem", ""), _negated=True),
                    _connector="OR",
                ),
                name="volume_failed_has_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="volume",
            constraint=models.CheckConstraint(
                condition=models.Q(("bytes_done__lte", models.F("bytes_total"))), name="volume_progress_within_total"
            ),
        ),
        migrations.AddConstraint(
            model_name="volume",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["failed", "removed"]), ("cleared", False), _connector="OR"),
                name="volume_live_is_not_cleared",
            ),
        ),
        migrations.AddConstraint(
            model_name="volume",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["requested", "building", "ready"])),
                fields=("collection", "number"),
                name="volume_one_live_for_a_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="volume",
            constraint=models.CheckConstraint(condition=models.Q(("number__gte", 1)), name="volume_numbered_from_1"),
        ),
        migrations.AddConstraint(
            model_name="volumespace",
            constraint=models.UniqueConstraint(fields=("volume", "space"), name="volume_space_once"),
        ),
    ]
