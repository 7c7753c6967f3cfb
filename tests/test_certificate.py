"""A deleted Space has one certificate: what was stored, the reasons for its deadline, what was deleted, and when the
store was seen empty."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from archive import log
from archive.bundles.build import build, request
from archive.log import SYSTEM
from archive.models import DeletionCertificate, LogEntry, Space, User
from archive.moderation.appeals import appeal, decide
from archive.moderation.holds import place, release
from archive.moderation.violations import flag, lift
from archive.retention import certificate
from archive.retention.purge import purge
from archive.storage import keys, store
from tests.support.deadlines import make_due
from tests.support.factory import make_row
from tests.support.log_entries import event_detail

pytestmark = pytest.mark.usefixtures("db")


def read_certificate(space: Space) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DeletionCertificate.objects.get(pk=space.pk).document)
    return document


def test_a_certificate_names_reasons_and_deleted_objects(zebrafish: Space, admin: User) -> None:
    flag(zebrafish.pk, "spam", "An axolotl.", admin)
    lift(zebrafish.pk, "A pangolin.", admin)
    bundle = request(zebrafish.pk, SYSTEM)
    build(bundle.pk)
    bundle.refresh_from_db()
    client, bucket, prefix = store().client, store().bucket, keys.prefix(zebrafish.pk)
    client.put_object(Bucket=bucket, Key=f"{prefix}zz/stray", Body=b"four")
    client.create_multipart_upload(Bucket=bucket, Key=f"{prefix}open")
    sound, words, peaks = zebrafish.recordings.get(), zebrafish.transcripts.get(), zebrafish.derived.get()
    make_due(zebrafish)
    zebrafish.refresh_from_db()

    assert purge(zebrafish.pk)

    result = read_certificate(zebrafish)
    assert (result["format"], result["version"]) == ("spacekeep/certificate-of-deletion", 1)
    assert (result["space"], result["key"]) == (str(zebrafish.pk), certificate.key_id())
    assert result["policy"] == {"lift_grace_days": 7, "retention_days": 30, "violation_extra_days": 90}
    assert result["deadline"] == {"at": log.rfc3339(zebrafish.expires_at), "deadline_reasons": ["base", "lifted"]}
    assert [(d["event"], d["entry"]) for d in result["decisions"]] == [
        (e.event, e.pk) for e in LogEntry.objects.order_by("id") if e.event in DECISIONS
    ]
    assert [d["event"] for d in result["decisions"]] == [
        *("space.registered", "violation.flagged", "deadline.moved", "violation.lifted", "deadline.moved")
    ]
    deletion = result["deletion"]
    assert deletion["removed"] == [
        {"key": bundle.key, "size": bundle.size, "etag": bundle.etag},
        {"key": peaks.key, "size": peaks.size, "sha256": peaks.sha256},
        {"key": sound.key, "size": sound.size, "sha256": sound.sha256},
        {"key": words.key, "size": words.size, "sha256": words.sha256},
        {"key": f"{prefix}zz/stray", "size": 4},
    ]
    (listed,) = deletion["found"]
    counts = [listed[name] for name in ("object_count", "old_versions", "delete_markers", "open_uploads")]
    assert counts == [5, 0, 0, 1]
    assert (deletion["why"], deletion["attempts"]) == ("deadline", 1)
    assert deletion["listed_by"].count("/") == 1


def test_a_certificate_lists_holds_and_granted_appeals(
    zebrafish: Space, alice: User, admin: User, second_admin: User
) -> None:
    violation = flag(zebrafish.pk, "spam", "An axolotl.", admin)
    hold = place(zebrafish.pk, "A court asked for it.", admin)
    release(hold.pk, "It was withdrawn.", second_admin)
    decide(appeal(violation.pk, "It was a newt.", alice).pk, "So it was.", second_admin, granted=True)
    make_due(zebrafish)

    assert purge(zebrafish.pk)

    decisions = read_certificate(zebrafish)["decisions"]
    assert [d["event"] for d in decisions] == [
        *("space.registered", "violation.flagged", "deadline.moved", "hold.placed", "deadline.moved"),
        *("hold.released", "deadline.moved", "violation.lifted", "deadline.moved"),
    ]
    moved = [(d["detail"]["before"], d["detail"]["after"]) for d in decisions if d["event"] == "deadline.moved"]
    assert (moved[1][1], moved[2][0]) == (None, None), "none while it stood"


DECISIONS = ("space.registered", "violation.flagged", "violation.lifted", "deadline.moved")


def test_the_log_names_the_certificate(zebrafish: Space) -> None:
    make_due(zebrafish)
    purge(zebrafish.pk)

    document = DeletionCertificate.objects.get().document.encode()
    assert event_detail(zebrafish, "space.deleted")["certificate"] == hashlib.sha256(document).hexdigest()


def test_no_certificate_before_the_deletion(zebrafish: Space) -> None:
    assert not purge(zebrafish.pk)

    assert not DeletionCertificate.objects.exists()


def test_each_deleted_space_has_one_certificate(alice: User) -> None:
    space = make_row(alice)
    make_due(space)
    assert purge(space.pk)

    assert not purge(space.pk)
    assert DeletionCertificate.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        DeletionCertificate.objects.bulk_create([DeletionCertificate.objects.get()])


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


TAMPERING: dict[str, Callable[[], object]] = {
    "update": lambda: DeletionCertificate.objects.update(document="{}"),
    "delete": lambda: DeletionCertificate.objects.get().delete(),
    "raw delete": lambda: DeletionCertificate.objects.all()._raw_delete("default"),
    "TRUNCATE": lambda: sql("TRUNCATE archive_deletioncertificate"),
}


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("how", TAMPERING)
def test_not_even_the_owner_changes_a_certificate(alice: User, how: str) -> None:
    space = make_row(alice)
    make_due(space)
    purge(space.pk)
    before = DeletionCertificate.objects.get().document

    with pytest.raises(IntegrityError, match="a certificate of deletion is never changed"), transaction.atomic():
        TAMPERING[how]()

    assert DeletionCertificate.objects.get().document == before
