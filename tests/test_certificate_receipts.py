"""Once a checkpoint covers the log entry of a deletion, its certificate comes with a receipt that proves the entry."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from pytest_django import Settings

from archive import log
from archive.models import DeletionCertificate, LogEntry, Space, User
from archive.moderation.violations import flag
from archive.retention import certificate as certifying
from archive.retention.purge import purge
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from archive.transparency import sequence
from archive.transparency.certificate_package import recorded
from archive.transparency.export import stream_export
from archive.transparency.keys import public_keys
from archive.transparency.receipts import make_receipt
from archive.transparency.verify import verify
from archive.transparency.verify_log import VERDICTS, Invalid, Key, Receipt, sentence, verify_certificate
from tests.support.certificates import CASES, Parts, make_parts
from tests.support.deadlines import make_due
from tests.support.factory import make_row
from tests.support.http_clients import make_client


@pytest.fixture
def deleted(committed: None, bucket: None, alice: User) -> Space:
    purge_listing(store(), store().listing(keys.LOG))
    space = make_row(alice, ended_ago=timedelta(days=31))
    assert purge(space.pk)
    return space


def package(user: User, path: str) -> ZipFile:
    answer: Any = make_client(user).get(path)
    return ZipFile(BytesIO(b"".join(answer.streaming_content)))


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", *command], cwd=folder, capture_output=True, text=True, check=False)


def test_without_a_checkpoint_the_page_and_the_file_say_so(deleted: Space, alice: User) -> None:
    page = make_client(alice).get(f"/certificates/{deleted.pk}/").content.decode()
    entry = LogEntry.objects.get(event="space.deleted").pk

    assert (
        f"Entry {entry} of the retention log records it. It is not in a checkpoint yet; at the latest in 10\u202fmin."
        in page
    )
    with package(alice, f"/spaces/{deleted.pk}/certificate.zip") as archive:
        assert f"deletion-of-{deleted.pk}.tlog-proof" not in archive.namelist()
        note = archive.read("no-receipt-yet.txt").decode()
    assert "at the latest after 10 minutes" in note
    assert f"deletion-of-{deleted.pk}.json" in note


@pytest.mark.parametrize("verifier", ["verify_log.py", "verify_certificate.py"])
def test_the_host_gets_a_file_that_proves_it_elsewhere(
    deleted: Space, alice: User, tmp_path: Path, verifier: str
) -> None:
    """Signature, receipt and log are verified with only the files in the download."""
    sequence.run()
    assert "the receipt proves it" in make_client(alice).get(f"/certificates/{deleted.pk}/").content.decode()
    with package(alice, f"/spaces/{deleted.pk}/certificate.zip") as archive:
        assert archive.testzip() is None
        assert "no-receipt-yet.txt" not in archive.namelist()
        archive.extractall(tmp_path)
    name, pem = f"deletion-of-{deleted.pk}", "spacekeep-certificates.pem"
    key = (tmp_path / "log-keys.txt").read_text().splitlines()[0]
    assert (tmp_path / f"{name}.json").read_text() == DeletionCertificate.objects.get().document

    if verifier == "verify_log.py":
        command = [f"{name}.tlog-proof", "--key", key, "--certificate", f"{name}.json", "--certificate-key", pem]
        done = run(tmp_path, verifier, ".", *command[1:3], *command[-2:])  # the whole folder
        assert (done.returncode, done.stderr) == (0, "")
        entry = LogEntry.objects.get(event="space.deleted").pk
        assert f"Entry {entry} of " in done.stdout
    else:
        command = [f"{name}.json", "--key", pem, "--receipt", f"{name}.tlog-proof", "--log-key", key]
    done = run(tmp_path, verifier, *command)

    assert (done.returncode, done.stderr) == (0, "")
    assert f"Verified: the deletion of Space {deleted.pk}, kept until " in done.stdout
    assert "records it, as the checkpoint of" in done.stdout
    path = tmp_path / f"{name}.json"
    path.write_bytes(path.read_bytes().replace(b'"attempts":1', b'"attempts":2'))
    done = run(tmp_path, verifier, *command)
    assert done.returncode == 1
    assert "the signature does not fit" in done.stderr
    if verifier == "verify_log.py":  # the receipt alone reveals a changed certificate, too
        done = run(tmp_path, verifier, *command[:-2])
        assert "is not about this certificate" in done.stderr


def test_the_file_of_a_period_has_the_receipts(deleted: Space, auditor: User, alice: User) -> None:
    sequence.run()
    later = make_row(alice, ended_ago=timedelta(days=31))
    assert purge(later.pk)

    with package(auditor, "/certificates/certificates.zip") as archive:
        receipts = [name for name in archive.namelist() if name.endswith(".tlog-proof")]
        pending = archive.read("no-receipt-yet.txt").decode()
        receipt = Receipt.parse(archive.read(receipts[0]).decode())
    assert receipts == [f"deletion-of-{deleted.pk}.tlog-proof"]
    assert (str(deleted.pk) in pending, str(later.pk) in pending) == (False, True)
    assert json.loads(receipt.leaf)["space"] == str(deleted.pk)


def verdict(parts: Parts) -> tuple[str, str]:
    """Return (code, sentence)."""
    try:
        code, values = verify_certificate(parts.document, [Key.parse(parts.log_key)], parts.receipt, parts.pem)
    except Invalid as error:
        return error.code, str(error)
    return code, sentence(code, values)


@pytest.mark.parametrize(("change", "code"), CASES)
def test_each_contradiction_is_named(change: Any, code: str) -> None:
    parts = change(make_parts())

    assert verdict(parts)[0] == code


def test_what_was_not_checked_is_said() -> None:
    parts: Parts = make_parts()
    log_keys = [Key.parse(parts.log_key)]

    recorded_only = sentence(*verify_certificate(parts.document, log_keys, parts.receipt, None))
    signed_only = sentence(*verify_certificate(parts.document, log_keys, None, parts.pem))

    assert recorded_only.startswith("The signature of the certificate itself was not checked: no key for it was given.")
    assert signed_only.startswith("Not checked whether the log records it: no receipt was given.")


def test_an_entry_is_named_by_its_number_and_never_by_its_place() -> None:
    """Texts use the entry's number, as pages and file names of receipts do, and never its position in the tree."""
    assert len(VERDICTS) > 20
    for code, text in VERDICTS.items():
        places = [text[: match.start()] for match in re.finditer(r"\{(index|last)\}", text)]

        assert not re.search(r"(?i)entr(y|ies) (number )?\{(index|other|last)\}", text), code
        assert all("place" in before or "left" in text for before in places) or code == "entries.unproven", code


def test_a_verdict_counts_in_english() -> None:
    for code, text in VERDICTS.items():
        names = set(re.findall(r"\{(\w+)", text))
        counted = names & {"count", "size", "checkpoints", "recorded", "index"}

        values = dict.fromkeys(names, "x")
        one, two = (sentence(code, values | dict.fromkeys(counted, number)) for number in (1, 2))
        assert not re.search(r"\b1 (entries|checkpoints|certificates|objects|receipts|are)\b|are 1\b", one), code
        assert not re.search(r"\b2 (entry|checkpoint|certificate|object|receipt|is)\b|is 2\b", two), code
        assert not re.search(r"[{}|]", one + two), code


def test_erased_salts_leave_every_proof_valid(
    committed: None, bucket: None, zebrafish: Space, admin: User, settings: Settings
) -> None:
    """Deletion erases the salt of a Space, so that nobody can guess the values behind the commitments in the log. The
    entries, whose hashes the tree contains, do not change."""
    purge_listing(store(), store().listing(keys.LOG))
    settings.LOG_CHECKPOINT_SECONDS = 0
    flag(zebrafish.pk, "spam", "An axolotl.", admin)
    salt = Space.objects.get(pk=zebrafish.pk).salt
    flagged = LogEntry.objects.get(event="violation.flagged")
    assert flagged.detail["reason"] == log.commitment(salt, "An axolotl.")
    sequence.run()
    kept = [str(recorded_entry(entry)) for entry in LogEntry.objects.order_by("id")]

    make_due(zebrafish)
    assert purge(zebrafish.pk)
    assert (Space.objects.get(pk=zebrafish.pk).salt, len(salt)) == ("", 64)
    sequence.run()

    for text in kept:
        Receipt.parse(text).verify(public_keys())
    assert [str(recorded_entry(entry)) for entry in LogEntry.objects.order_by("id")[: len(kept)]] == kept
    assert verify()["count"] == LogEntry.objects.count()
    issued = DeletionCertificate.objects.get(pk=zebrafish.pk)
    receipt = recorded(issued).receipt
    code, _ = verify_certificate(issued.document.encode(), public_keys(), receipt, certifying.public_keys())
    assert code == "certificate.verified"
    with ZipFile(BytesIO(b"".join(stream_export()))) as whole:
        entries = whole.read("entries.jsonl").decode()
    assert (salt in entries, "axolotl" in entries, flagged.detail["reason"] in entries) == (False, False, True)


def recorded_entry(entry: LogEntry) -> Receipt:
    receipt = make_receipt(entry)
    assert receipt is not None
    return receipt
