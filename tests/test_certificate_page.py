"""Auditors and admins may download all certificates, hosts those of their own Spaces. The public key is public."""

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from django.urls import reverse
from pytest_django import Settings

from archive.models import DeletionCertificate, LogEntry, Space, User
from archive.moderation.violations import flag
from archive.retention import certificate
from archive.retention.purge import purge
from tests.support.deadlines import make_due
from tests.support.factory import make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def deleted(alice: User, admin: User) -> Space:
    space = make_row(alice)
    flag(space.pk, "hate", "An axolotl.", admin)
    make_due(space)
    assert purge(space.pk)
    return space


@pytest.mark.parametrize(
    ("who", "status"),
    [("alice", 200), ("ada", 200), ("otto", 200), ("bob", 404)],
    ids=["host", "admin", "auditor", "stranger"],
)
def test_who_may_download_a_certificate(
    deleted: Space, admin: User, auditor: User, bob: User, who: str, status: int
) -> None:
    answer = make_client(User.objects.get(username=who)).get(reverse("certificate", args=[deleted.pk]))

    assert answer.status_code == status
    if status == 200:
        assert answer.content.decode() == DeletionCertificate.objects.get().document
        assert answer["Content-Disposition"] == f'attachment; filename="deletion-of-{deleted.pk}.json"'
        assert answer["Content-Type"] == "application/json"
    assert make_client(User.objects.get(username=who)).get(f"/certificates/{deleted.pk}/").status_code == status
    assert (
        make_client(User.objects.get(username=who)).get(f"/spaces/{deleted.pk}/certificate.zip").status_code == status
    )


@pytest.mark.parametrize("name", ["certificates", "certificate"])
def test_anonymous_users_are_asked_to_sign_in(deleted: Space, name: str) -> None:
    url = reverse(name, args=[deleted.pk] if name == "certificate" else [])

    answer = make_client().get(url)

    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={url}")
    assert make_client().post(url).status_code == 302


def test_no_certificate_before_the_deletion(alice: User, admin: User) -> None:
    space = make_row(alice)

    for user in (alice, admin):
        assert make_client(user).get(reverse("certificate", args=[space.pk])).status_code == 404
    assert make_client(admin).get(reverse("certificate", args=[UUID(int=0)])).status_code == 404


def test_the_410_page_links_it_for_the_host(deleted: Space, alice: User, bob: User) -> None:
    answer = make_client(alice).get(reverse("space", args=[deleted.pk]))

    assert answer.status_code == 410
    page = answer.content.decode()
    assert f'href="/certificates/{deleted.pk}/"' in page
    assert "Its deadline was: 30 days after the end; flagged: 90 days longer." in page
    assert make_client(bob).get(reverse("space", args=[deleted.pk])).status_code == 404


def test_the_410_page_has_no_link_before_the_deletion(alice: User) -> None:
    space = make_row(alice)
    make_due(space)

    answer = make_client(alice).get(reverse("space", args=[space.pk]))

    assert (answer.status_code, b"ertificate" in answer.content) == (410, False)


def test_the_list_and_the_history_link_it(deleted: Space, auditor: User, alice: User) -> None:
    link = f'href="/certificates/{deleted.pk}/"'

    assert link in make_client(auditor).get(reverse("certificates")).content.decode()
    assert link in make_client(auditor).get(reverse("log-space", args=[deleted.pk])).content.decode()
    assert make_client(alice).get(reverse("certificates")).status_code == 404


def test_the_list_is_paged(alice: User, auditor: User) -> None:
    now = make_row(alice).ended_at
    rows = [
        DeletionCertificate(space_id=UUID(int=n), key_id="a" * 64, document='{"n": 1}', issued_at=now)
        for n in range(1, 61)
    ]
    DeletionCertificate.objects.bulk_create(rows)

    first = make_client(auditor).get(reverse("certificates"))
    second = make_client(auditor).get(reverse("certificates") + first.context["next_url"])

    assert (len(first.context["certificates"]), len(second.context["certificates"])) == (50, 10)
    assert second.context["next_url"] is None


def test_a_downloaded_certificate_verifies(deleted: Space, alice: User, tmp_path: Path) -> None:
    """The downloaded verifier runs in a Python that has neither Spacekeep nor Django on its path."""
    (tmp_path / "c.json").write_bytes(make_client(alice).get(reverse("certificate", args=[deleted.pk])).content)
    (tmp_path / "key.pem").write_bytes(make_client().get(reverse("certificate-key")).content)
    answer = make_client().get("/certificates/verify_certificate.py")
    (tmp_path / "verify.py").write_bytes(answer.content)

    done = subprocess.run(
        [sys.executable, "-I", "verify.py", "c.json", "--key", "key.pem"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"c.json: good. Space {deleted.pk}, kept until ")
    assert answer["Content-Disposition"] == 'attachment; filename="verify_certificate.py"'
    assert certificate.public_keys() == (tmp_path / "key.pem").read_bytes()


def test_the_list_has_both_fingerprints_of_the_key(auditor: User, settings: Settings) -> None:
    """The values were computed with `sha256sum` and `openssl pkey -pubin -outform DER | sha256sum`."""
    settings.CERTIFICATE_KEY, settings.CERTIFICATE_PUBLIC_KEYS = bytes(range(32)), []

    page = make_client(auditor).get(reverse("certificates")).content.decode()

    assert "f0ff50dacf109dea7f716d7c03eb7a821aa3a283fd3fa02f4c14dbba7d3c3322" in page
    assert "a050837d85070582ccf7394b0988847cc312cb88259b894899f6f239cf1791a5" in page
    assert 'href="/certificates/verify_certificate.py"' in page


def test_the_page_says_what_the_document_says(deleted: Space, alice: User) -> None:
    answer = make_client(alice).get(f"/certificates/{deleted.pk}/")
    document = json.loads(DeletionCertificate.objects.get().document)

    page = answer.content.decode()
    for text in (str(deleted.pk), document["signature"], document["key"], document["facts"], "regular period"):
        assert text in page
    assert answer.context["certificate"].deadline == Space.objects.get().expires_at
    assert answer.context["certificate"].delay == pytest.approx(1, abs=59)
    assert f'href="/spaces/{deleted.pk}/certificate.json"' in page
    assert "otto" not in page
    assert "Hateful conduct" in page
    assert "rule hate" not in page


def test_the_list_has_deadline_reason_and_delay(deleted: Space, auditor: User) -> None:
    (row,) = make_client(auditor).get(reverse("certificates")).context["certificates"]

    assert row["reasons"] == "regular period, flagged"
    assert row["certificate"].deadline == Space.objects.get().expires_at
    assert (row["certificate"].is_late, row["certificate"].delay < 60) == (False, True)


def test_the_certificates_of_a_period_are_one_file(
    deleted: Space, auditor: User, admin: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ZIP contains the certificates as they were signed, and everything needed to verify them."""
    monkeypatch.setattr("portal.views.certificates.PAGE", 1)
    document = DeletionCertificate.objects.get().document
    DeletionCertificate.objects.create(
        space_id=UUID(int=1), key_id="a" * 64, document="{}", issued_at=DeletionCertificate.objects.get().issued_at
    )
    answer: Any = make_client(auditor).get("/certificates/certificates.zip")

    with ZipFile(BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted(
            [
                *("README.txt", "log-keys.txt", "verify.html", "verify_log.py", "no-receipt-yet.txt"),
                f"deletion-of-{UUID(int=1)}.json",
                f"deletion-of-{deleted.pk}.json",
                "spacekeep-certificates.pem",
                "verify_certificate.py",
            ]
        )
        assert archive.read(f"deletion-of-{deleted.pk}.json").decode() == document
        archive.extractall(tmp_path)
    command = [sys.executable, "-I", "verify_certificate.py", f"deletion-of-{deleted.pk}.json"]
    done = subprocess.run([*command, "--key", "spacekeep-certificates.pem"], cwd=tmp_path, check=False)
    assert done.returncode == 0
    assert LogEntry.objects.get(event="log.exported").detail["what"] == "certificates"


def test_a_period_without_certificates_has_none(deleted: Space, auditor: User) -> None:
    answer: Any = make_client(auditor).get("/certificates/certificates.zip", {"until": "2020-01-01"})

    with ZipFile(BytesIO(b"".join(answer.streaming_content))) as archive:
        assert not [name for name in archive.namelist() if name.startswith(("deletion", "no-receipt"))]
    assert make_client(auditor).get("/certificates/certificates.zip", {"until": "x"}).status_code == 422
