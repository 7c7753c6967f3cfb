"""Notices to people, and the time zone that they read them in."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0006_volumes"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="time_zone",
            field=models.CharField(
                blank=True, help_text="IANA name, as the browser used last says it; empty: not known.", max_length=64
            ),
        ),
        migrations.CreateModel(
            name="Notice",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("bundle-ready", "bundle ready"),
                            ("bundle-failed", "bundle failed"),
                            ("flagged", "flagged"),
                            ("lifted", "violation lifted"),
                            ("appeal-denied", "appeal denied"),
                            ("due-7-days", "7 days before deletion"),
                            ("due-1-day", "1 day before deletion"),
                            ("deleted", "deleted"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        blank=True, help_text="Id of the bundle or violation; or the deadline.", max_length=64
                    ),
                ),
                (
                    "deadline",
                    models.DateTimeField(blank=True, help_text="The one that a reminder is about.", null=True),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("due", "to be sent"),
                            ("sent", "sent"),
                            ("page", "on the page only"),
                            ("dropped", "not sent: no longer true"),
                            ("failed", "could not be sent"),
                        ],
                        default="due",
                        max_length=16,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("sent_at", models.DateTimeField(blank=True, help_text="When the mail server took it.", null=True)),
                (
                    "seen_at",
                    models.DateTimeField(blank=True, help_text="When its reader put the note away.", null=True),
                ),
                (
                    "space",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="archive.space",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notices", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["user", "created_at", "id"], name="notice_of_user"),
                    models.Index(
                        condition=models.Q(("seen_at", None)), fields=["user", "created_at", "id"], name="notice_unseen"
                    ),
                    models.Index(fields=["space", "kind", "deadline"], name="notice_of_space"),
                    models.Index(condition=models.Q(("state", "due")), fields=["lease_until"], name="notice_at_work"),
                    models.Index(
                        condition=models.Q(("deadline__isnull", False), ("state", "dropped")),
                        fields=["deadline"],
                        name="notice_dropped_reminder",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "bundle-ready",
                                    "bundle-failed",
                                    "flagged",
                                    "lifted",
                                    "appeal-denied",
                                    "due-7-days",
                                    "due-1-day",
                                    "deleted",
                                ],
                            )
                        ),
                        name="notice_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["due", "sent", "page", "dropped", "failed"])),
                        name="notice_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("state", "sent")),
                            models.Q(models.Q(("state", "sent"), _negated=True), ("sent_at", None)),
                            _connector="OR",
                        ),
                        name="notice_sent_has_its_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["dropped", "failed"]), _negated=True),
                            models.Q(("problem", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="notice_unsent_has_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("deadline__isnull", False), ("kind__in", ["due-7-days", "due-1-day"])),
                            models.Q(
                                models.Q(("kind__in", ["due-7-days", "due-1-day"]), _negated=True), ("deadline", None)
                            ),
                            _connector="OR",
                        ),
                        name="notice_reminder_has_its_deadline",
                    ),
                    models.UniqueConstraint(fields=("kind", "user", "space", "subject"), name="notice_once"),
                ],
            },
        ),
    ]
