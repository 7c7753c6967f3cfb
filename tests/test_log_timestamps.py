"""Time stamps of checkpoints (RFC 3161), by a real authority: `openssl ts`."""

import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from socket import create_server
from zipfile import ZipFile

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.db import transaction
from pytest_django import Settings

from archive import dbtime, log
from archive.log import SYSTEM, events
from archive.models import CheckpointTimestamp, LogCheckpoint, LogPublisher
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from archive.transparency import timestamps
from archive.transparency.bounded_post import PostFailed, post
from archive.transparency.der import sort_certificates
from archive.transparency.export import stream_export
from archive.transparency.keys import public_keys
from archive.transparency.verify_log import Invalid
from archive.transparency.verify_log import main as verify_file
from tests.support.database import as_superuser
from tests.support.log_rounds import run_round
from tests.support.tsa import Answer, Authority, granted, run_authority


@pytest.fixture
def authority(committed: None, bucket: None, settings: Settings, tmp_path: Path) -> Iterator[Authority]:
    purge_listing(store(), store().listing(keys.LOG))
    with run_authority(tmp_path) as running:
        settings.LOG_TSA_URL, settings.LOG_TSA_CA = running.url, str(running.ca)
        settings.LOG_CHECKPOINT_SECONDS = 0
        yield running


def sign(count: int = 3) -> LogCheckpoint:
    with transaction.atomic():
        log.record_all(events.DIGEST_EMPTY, [(None, {"number": i}) for i in range(count)], actor=SYSTEM)
    run_round()
    return LogCheckpoint.objects.latest("id")


def verify_with_openssl(folder: Path, note: bytes, response: bytes, ca: Path) -> subprocess.CompletedProcess[str]:
    (folder / "note.txt").write_bytes(note)
    (folder / "note.tsr").write_bytes(response)
    command = ["openssl", "ts", "-verify", "-data", "note.txt", "-in", "note.tsr", "-CAfile", str(ca)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_checkpoint_is_stamped_and_openssl_verifies_it_without_us(authority: Authority, tmp_path: Path) -> None:
    row = sign()

    stamp = CheckpointTimestamp.objects.get()
    assert (stamp.checkpoint, stamp.authority) == (row, "CN=Test TSA")
    assert abs((stamp.stamped_at - row.signed_at).total_seconds()) < 60
    name = f"log/timestamps/{keys.checkpoint_name(row.size, row.signed_at)}"
    objects = [store().get(f"{name}.txt"), store().get(f"{name}.tsr")]
    assert objects == [row.note.encode(), bytes(stamp.response)]
    note, response = objects
    assert verify_with_openssl(tmp_path, note, response, authority.ca).returncode == 0
    assert verify_with_openssl(tmp_path, note + b" ", response, authority.ca).returncode != 0


def test_the_export_has_it_and_is_still_valid(authority: Authority, tmp_path: Path) -> None:
    row = sign()
    data = b"".join(stream_export())

    with ZipFile(BytesIO(data)) as package:
        name = f"timestamps/{keys.checkpoint_name(row.size, row.signed_at)}"
        note, response = package.read(f"{name}.txt"), package.read(f"{name}.tsr")
        assert f"{name}.txt"[:11] in package.read("README.txt").decode()
    assert verify_with_openssl(tmp_path, note, response, authority.ca).returncode == 0
    (tmp_path / "log.zip").write_bytes(data)
    assert verify_file([str(tmp_path / "log.zip"), "--key", str(public_keys()[0])]) == 0


def test_checkpoints_within_an_hour_share_one(authority: Authority) -> None:
    first = sign()
    sign()
    assert len(authority.queries) == 1
    as_superuser("UPDATE archive_checkpointtimestamp SET at = at - interval '61 minutes'")

    last = sign()

    assert [stamp.checkpoint for stamp in CheckpointTimestamp.objects.order_by("id")] == [first, last]


def imprint_of(query: bytes) -> bytes:
    """Return the SHA-256 that is to be time-stamped."""
    start = query.index(b"\x04\x20") + 2  # an OCTET STRING of 32 bytes
    return query[start : start + 32]


def with_other_nonce(authority: Authority, query: bytes) -> Answer:
    nonce = query.index(imprint_of(query)) + 32 + 2  # an INTEGER follows
    return granted(authority.reply(query[:nonce] + bytes([query[nonce] ^ 1]) + query[nonce + 1 :]))


def with_other_imprint(authority: Authority, query: bytes) -> Answer:
    return granted(authority.reply(query.replace(imprint_of(query), sha256(b"another").digest())))


def with_rejection(authority: Authority, query: bytes) -> Answer:
    return granted(authority.reply(query[:-1]))


def with_other_usage(authority: Authority, query: bytes) -> Answer:
    """OpenSSL refuses to sign with such a certificate, so the test puts it in place of the right one."""
    right = authority.own.public_bytes(Encoding.DER)
    wrong = b""
    while len(wrong) != len(right):  # signatures have 70 to 72 bytes
        wrong = authority.issue(usage=ExtendedKeyUsageOID.CODE_SIGNING).public_bytes(Encoding.DER)
    reply = authority.reply(query)
    assert right in reply
    return granted(reply.replace(right, wrong))


REFUSED: dict[str, tuple[Callable[[Authority, bytes], Answer], str]] = {
    "garbage": (lambda authority, query: granted(b"<html>sign in</html>"), "log_timestamp_refused"),
    "nothing": (lambda authority, query: granted(b""), "log_timestamp_refused"),
    "another nonce": (with_other_nonce, "Nonce mismatch"),
    "another imprint": (with_other_imprint, "Mismatch between messages"),
    "another usage": (with_other_usage, "log_timestamp_refused"),
    "rejection": (with_rejection, "REJECTION: Bad request format"),
    "cut off": (lambda authority, query: granted(authority.reply(query)[:-40]), "log_timestamp_refused"),
    "huge": (lambda authority, query: granted(bytes(10**6)), "more than 65536 bytes"),
    "redirect": (lambda authority, query: (307, {"Location": authority.url}, b""), "status 307"),
    "failure": (lambda authority, query: (500, {}, b""), "status 500"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_answers_are_refused_and_asked_again(
    authority: Authority, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    usual = authority.answer
    authority.answer, words = REFUSED[name]
    sign()
    assert words in caplog.text
    assert not CheckpointTimestamp.objects.exists()
    assert len(authority.queries) == 1

    authority.answer = usual
    run_round()

    assert CheckpointTimestamp.objects.get().checkpoint == LogCheckpoint.objects.latest("id")


def test_a_stamp_of_another_ca_is_refused(
    authority: Authority, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LOG_TSA_CA = str(authority.ca.rename(tmp_path / "trusted.pem"))
    authority.certify()  # by another CA of the same name

    sign()

    assert "log_timestamp_refused" in caplog.text
    assert not CheckpointTimestamp.objects.exists()


def test_an_expired_certificate_is_refused(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    authority.certify(ends_in=-1)

    sign()

    assert "log_timestamp_refused" in caplog.text
    assert not CheckpointTimestamp.objects.exists()


def test_another_time_is_refused(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backdated response could be signed with an expired certificate."""
    row = sign()
    good = bytes(CheckpointTimestamp.objects.get().response)
    now = dbtime.now()
    monkeypatch.setattr(dbtime, "now", lambda: now + timedelta(minutes=11))

    with pytest.raises(timestamps.TimestampRefused, match="its time is 20"):
        timestamps._verified(row, good, None)


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_missing_ca_is_said(authority: Authority, content: bytes | None, caplog: pytest.LogCaptureFixture) -> None:
    authority.ca.unlink()
    if content:
        authority.ca.write_bytes(content)
    authority.answer = lambda authority, query: granted(bytes.fromhex("30053003020100"))

    sign()

    assert "log_timestamp_refused" in caplog.text


def test_no_mutation_of_an_answer_breaks_the_worker_or_is_taken(authority: Authority) -> None:
    row = sign()
    good = bytes(CheckpointTimestamp.objects.get().response)
    stamp = timestamps._verified(row, good, None)
    chance = random.Random(7)
    for _ in range(300):
        data = bytearray(good)
        for _ in range(chance.choice([1, 1, 3])):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            changed = timestamps._verified(
                row, bytes(data[: chance.choice([len(data), chance.randrange(len(data))])]), None
            )
        except timestamps.TimestampRefused:
            continue
        assert (changed.stamped_at, changed.authority) == (stamp.stamped_at, stamp.authority)


def test_certificates_in_any_order_are_read(authority: Authority) -> None:
    """OpenSSL does not sort them, so one of the two orders has the wrong one first."""
    row = sign()
    good = bytes(CheckpointTimestamp.objects.get().response)
    ca = load_pem_x509_certificate(authority.ca.read_bytes()).public_bytes(Encoding.DER)
    both = [authority.own.public_bytes(Encoding.DER), ca]
    (before,) = (order for order in (both, both[::-1]) if b"".join(order) in good)

    swapped = good.replace(b"".join(before), b"".join(before[::-1]))

    assert swapped != good
    assert sort_certificates(swapped) == sort_certificates(good)
    assert timestamps._verified(row, swapped, None).authority == "CN=Test TSA"


def test_after_a_day_without_a_stamp_there_is_an_alert(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    authority.answer = lambda authority, query: (500, {}, b"")
    sign()
    assert [r.levelname for r in caplog.records if "log_timestamp_failed" in r.getMessage()] == ["WARNING"]
    as_superuser("UPDATE archive_logcheckpoint SET signed_at = signed_at - interval '25 hours'")
    caplog.clear()

    run_round()

    assert [r.levelname for r in caplog.records if "log_timestamp_failed" in r.getMessage()] == ["ERROR"]


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "begin",
    [b"", OK + b"Content-Length: 1000\r\n\r\n", OK + b"Connection: close\r\n\r\n"],
    ids=["header", "body", "body until the end"],
)
def test_an_answer_that_drips_ends_in_time(begin: bytes) -> None:
    """Each byte arrives soon, so no timeout between bytes would end it."""
    stopped = threading.Event()
    with create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            client, _ = server.accept()
            with client:
                try:
                    client.sendall(begin)
                    while not stopped.wait(0.05):
                        client.sendall(b"H")
                except OSError:
                    pass

        thread = threading.Thread(target=drip)
        thread.start()
        before = time.monotonic()
        try:
            with pytest.raises(PostFailed, match="too long"):
                post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"q", "text/plain", seconds=0.5, most=2000)
            assert time.monotonic() - before < 20
        finally:
            stopped.set()
            thread.join()


def test_an_unexpected_error_in_a_publisher_does_not_stop_the_next(authority: Authority, settings: Settings) -> None:
    settings.LOG_WITNESSES = [("http://127.0.0.1:1", "no key")]

    with pytest.raises(Invalid):
        sign()

    assert CheckpointTimestamp.objects.get().checkpoint == LogCheckpoint.objects.latest("id")
    assert LogPublisher.objects.get().problem == {"code": "work.unexpected", "params": {"error": "Invalid"}}


def test_nobody_listens(authority: Authority, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.LOG_TSA_URL = "http://127.0.0.1:1/"

    assert sign().note

    assert "ConnectionRefusedError" in caplog.text
