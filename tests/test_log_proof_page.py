"""The page of the log's proof: its state, verification on demand, the export, and receipts."""

import subprocess
import sys
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.db import transaction
from pytest_django import Settings

from archive import log, restores
from archive.log import SYSTEM, events
from archive.log.leaf import leaf_data
from archive.models import DeletionCertificate, LogEntry, LogVerification, User
from archive.retention.purge import purge
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from archive.tasks import verify_log as verify_task
from archive.transparency import database_log, restore_check, sequence, verification, verify_log
from archive.transparency.certificate_package import recorded
from archive.transparency.keys import public_keys
from archive.transparency.verify_log import Checkpoint, Invalid, Receipt
from tests.support.database import as_superuser
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.leases import expire_leases


@pytest.fixture(autouse=True)
def no_log_objects(committed: None, bucket: object) -> None:
    purge_listing(store(), store().listing(keys.LOG))


def write(count: int) -> list[LogEntry]:
    with transaction.atomic():
        log.record_all(events.DIGEST_EMPTY, [(None, {"number": i}) for i in range(count)], actor=SYSTEM)
    return list(LogEntry.objects.order_by("id"))


def test_the_page_says_what_is_signed_and_what_waits(auditor: User) -> None:
    client = make_client(auditor)
    assert client.get("/log/proof/").context["newest"] is None

    write(3)
    sequence.run()
    write(2)
    sequence.run()

    context = client.get("/log/proof/").context
    assert (context["covered"], context["waiting"]) == (3, 2)
    assert context["keys"] == [str(public_keys()[0])]


def test_the_pages_say_why_nothing_is_deleted_and_who_confirmed_a_restore(auditor: User, admin: User) -> None:
    client = make_client(auditor)
    write(1)
    sequence.run()
    restores.open_restore(restores.STORE, 7, "other.example/log\n7\nroot\n")
    for page in ("/log/proof/", "/log/deadlines/"):
        assert "this database lacks a checkpoint of 7 entries (the store)" in client.get(page).text

    restore_check.confirm("The disk died, and nothing was decided since.", admin, accept_losses=True)

    assert "Deletion is paused" not in client.get("/log/deadlines/").text
    proof = client.get("/log/proof/").text
    assert "Deletion is paused" not in proof
    assert "by ada: the database was older than a checkpoint of 7 entries." in proof
    assert "The disk died, and nothing was decided since." in proof


def test_the_log_is_verified_on_demand_and_a_change_is_named(auditor: User) -> None:
    client = make_client(auditor)
    entries = write(3)
    sequence.run()

    assert client.post("/log/verify").status_code == 302
    assert client.post("/log/verify").status_code == 302
    row = LogVerification.objects.get()  # one row for both requests
    assert client.get("/log/proof/").context["pending"] == row
    verify_task(str(row.pk))

    context = client.get("/log/proof/").context
    assert (context["pending"], context["is_valid"], context["verified_by"]) == (None, True, auditor.username)
    entry = LogEntry.objects.latest("id")
    assert (entry.event, entry.actor_id, entry.detail) == (
        "log.verified", auditor.pk, {"verdict": "log.verified", "count": 3},
    )  # fmt: skip

    as_superuser(f"UPDATE archive_logentry SET detail = '{{}}' WHERE id = {entries[1].pk}")
    verify_task(str(verification.request(auditor).pk))

    context = client.get("/log/proof/").context
    assert not context["is_valid"]
    assert (context["verification"].code, context["verification"].values) == (
        "entry.changed", {"entry": entries[1].pk, "index": 1},
    )  # fmt: skip


def test_a_long_verification_goes_on_where_it_stopped(
    auditor: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(auditor)
    write(1000)
    sequence.run()
    monkeypatch.setattr(verify_log, "SAVED_EACH", 300)
    row = verification.request(auditor)
    read: list[int] = []

    def recorded(entry: LogEntry) -> bytes:
        read.append(entry.pk)
        return leaf_data(entry)

    monkeypatch.setattr(database_log, "leaf_data", recorded)
    monkeypatch.setattr(database_log, "BATCH", 100)
    settings.LEASE_SECONDS = 0  # the time limit of a run is over when it saves

    verify_task(str(row.pk))
    assert "300 of 1000 entries fit so far." in client.get("/log/proof/").content.decode()
    verify_task(str(row.pk))
    row.refresh_from_db()
    assert (row.done, row.state, row.attempts, row.problem) == (600, "pending", 2, {})

    with monkeypatch.context() as broken:  # the worker died: its lease expires
        broken.setattr(database_log, "leaf_data", lambda entry: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            verify_task(str(row.pk))
    expire_leases()
    settings.LEASE_SECONDS = 600
    verify_task(str(row.pk))

    row.refresh_from_db()
    assert (row.done, row.state, row.code, row.progress) == (1000, "done", "log.verified", {})
    assert row.values["count"] == 1000
    assert len(read) <= 1000 + 2 * 100  # verified entries are not read again


def test_the_export_is_streamed_and_recorded(auditor: User) -> None:
    client = make_client(auditor)
    assert client.get("/log/export.zip").status_code == 404
    write(3)
    sequence.run()

    response = client.get("/log/export.zip")

    with ZipFile(BytesIO(response.getvalue())) as package:
        assert package.testzip() is None
        assert len(package.read("entries.jsonl").splitlines()) == 3
    entry = LogEntry.objects.latest("id")
    assert (entry.event, entry.actor_id) == ("log.downloaded", auditor.pk)


def test_a_receipt_proves_one_entry(auditor: User, tmp_path: Path) -> None:
    client = make_client(auditor)
    entries = write(300)
    assert client.get(f"/log/entries/{entries[7].pk}/receipt.tlog-proof").status_code == 404
    sequence.run()

    response = client.get(f"/log/entries/{entries[7].pk}/receipt.tlog-proof")

    receipt = Receipt.parse(response.content.decode())
    assert str(receipt) == response.content.decode()
    assert (receipt.index, receipt.checkpoint.size, len(receipt.path)) == (7, 300, 9)
    signer = f"127.0.0.1:8000/log ({public_keys()[0].id.hex()})"
    assert receipt.verify(public_keys()) == {
        "entry": entries[7].pk, "index": 7, "origin": "127.0.0.1:8000/log", "size": 300, "keys": signer,
    }  # fmt: skip
    other = Receipt(receipt.leaf.replace(b"7", b"8"), receipt.index, receipt.path, receipt.checkpoint)
    with pytest.raises(Invalid) as error:
        other.verify(public_keys())
    assert error.value.code == "receipt.differs"

    file = tmp_path / "7.tlog-proof"
    file.write_bytes(response.content)
    result = subprocess.run(
        [sys.executable, "-I", verify_log.__file__, file, "--key", str(public_keys()[0])],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    assert f"Verified: entry {entries[7].pk} is in the log of 127.0.0.1:8000/log, at place 7 of" in result.stdout


def test_a_receipt_is_about_its_certificate(alice: User) -> None:
    first, second = (make_row(alice, ended_ago=timedelta(days=31)) for _ in range(2))
    assert purge(first.pk)
    assert purge(second.pk)
    sequence.run()
    certificates = [DeletionCertificate.objects.get(pk=space.pk) for space in (first, second)]

    receipt = recorded(certificates[0]).receipt
    assert receipt is not None
    receipt.verify(public_keys(), certificates[0].document.encode())
    with pytest.raises(Invalid) as error:
        receipt.verify(public_keys(), certificates[1].document.encode())
    assert error.value.code == "receipt.other_certificate"


def test_hosts_get_neither_the_log_nor_receipts(alice: User) -> None:
    entry = write(1)[0]
    sequence.run()

    for path in ("/log/proof/", "/log/export.zip", f"/log/entries/{entry.pk}/receipt.tlog-proof"):
        assert make_client(alice).get(path).status_code == 404
    assert make_client(alice).post("/log/verify").status_code == 404
    assert not LogVerification.objects.exists()


def test_everybody_gets_the_keys_the_checkpoint_and_the_verifier() -> None:
    client = make_client()
    assert client.get("/log/checkpoint").status_code == 404
    write(1)
    sequence.run()

    assert client.get("/log/keys.txt").content.decode().split()[0] == str(public_keys()[0])
    assert Checkpoint.parse(client.get("/log/checkpoint").content.decode()).size == 1
    assert client.get("/log/verify_log.py").content == Path(verify_log.__file__).read_bytes()
