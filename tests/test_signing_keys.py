"""Signing keys are replaced without downtime: the log has their history, and old signatures stay verifiable."""

import base64
import json
import threading
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django import Settings

from archive import log, signing_keys
from archive.log import OPERATOR, SYSTEM, events
from archive.models import DeletionCertificate, LogCheckpoint, LogEntry, LogQueue, SigningKeyEvent, User
from archive.retention.purge import purge
from archive.retention.verify_certificate import key_id, main, read_keys
from archive.storage import keys as names
from archive.storage import store
from archive.storage.purge_prefix import purge_listing
from archive.transparency import sequence, verify_log
from archive.transparency.export import stream_export
from archive.transparency.keys import key_lines, public_keys
from archive.transparency.receipts import make_receipt
from archive.transparency.verify import verify
from archive.transparency.verify_log import Export, Invalid, Key, endorsed_keys, verify_export
from tests.support.database import as_superuser
from tests.support.factory import make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("committed", "no_log_objects")
ORIGIN = "127.0.0.1:8000/log"
SEEDS = (b"second key of the log, 32 bytes.", b"third key of the log, also of 32")
OLD, NEW, THIRD = (Ed25519PrivateKey.from_private_bytes(seed) for seed in (b"signs the log in tests only     ", *SEEDS))


@pytest.fixture
def no_log_objects(bucket: None) -> None:
    purge_listing(store(), store().listing(names.LOG))
    as_superuser("DELETE FROM archive_signingkeyevent")  # as before the first signature


@pytest.fixture(autouse=True)
def at_once(settings: Settings) -> None:
    settings.LOG_CHECKPOINT_SECONDS = 0


def public(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


def vkey(private: Ed25519PrivateKey) -> Key:
    return Key(ORIGIN, public(private))


def write(count: int = 1) -> None:
    with transaction.atomic():
        log.record_all(events.DIGEST_EMPTY, [(None, {"number": i}) for i in range(count)], actor=SYSTEM)


def key_entries() -> list[tuple[str, str, str]]:
    rows = LogEntry.objects.filter(event__startswith="log.key_").order_by("id")
    return [(row.event, row.detail["kind"], row.detail["key"]) for row in rows]


def command(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("signing_keys", *arguments, "--json", stdout=out)
    facts: dict[str, Any] = json.loads(out.getvalue())
    return facts


def rotate(settings: Settings, tmp_path: Path, seed: bytes = SEEDS[0]) -> None:
    """Rotate as docs/log.md says: endorse the new key, then start the deleter with it."""
    file = tmp_path / "new"
    file.write_text(base64.b64encode(seed).decode() + "\n")
    command("rotate", "log", str(file))
    settings.LOG_KEY = seed


def export_to(path: Path) -> Path:
    path.write_bytes(b"".join(stream_export()))
    return path


def verdict(path: Path, *trusted: Key) -> tuple[str, dict[str, Any]]:
    try:
        with Export.open(path) as export:
            return "log.verified", verify_export(export, export.endorsed_keys(trusted))
    except Invalid as error:
        return error.code, error.values


def test_the_first_signature_with_a_key_is_an_entry_and_later_ones_are_not(alice: User) -> None:
    write()
    sequence.run()
    write()
    sequence.run()
    assert purge(make_row(alice, ended_ago=timedelta(days=31)).pk)
    assert purge(make_row(alice, ended_ago=timedelta(days=31)).pk)

    certificate = DeletionCertificate.objects.latest("issued_at").key_id
    assert key_entries() == [
        ("log.key_added", "log", vkey(OLD).id.hex()),
        ("log.key_added", "certificate", certificate),
    ]
    entry = LogEntry.objects.filter(event="log.key_added").earliest("id")
    assert (entry.actor_kind, base64.b64decode(entry.detail["public"])) == ("system", public(OLD))
    assert events.find(entry.event).summary(entry.detail) == f"checkpoints of the log, key {vkey(OLD).id.hex()}"


def test_keys_are_named_as_checkpoints_and_certificates_do() -> None:
    assert signing_keys.key_id("log", public(NEW)) == vkey(NEW).id.hex()
    assert signing_keys.key_id("certificate", public(NEW)) == key_id(NEW.public_key())


def test_two_workers_that_start_together_record_one_entry() -> None:
    ready, failed = threading.Barrier(6), []

    def use() -> None:
        ready.wait()
        try:
            signing_keys.record_use("log", public(NEW))
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert key_entries() == [("log.key_added", "log", vkey(NEW).id.hex())]


def test_a_key_that_is_in_use_stays_one_entry_in_a_transaction_that_lost_the_race() -> None:
    """The loser's transaction can still commit."""
    with transaction.atomic():
        signing_keys.record_use("log", public(NEW))
        assert not signing_keys._record("log", "added", public(NEW), actor=SYSTEM)
        write()
    assert [entry.event for entry in LogEntry.objects.order_by("id")] == ["log.key_added", "digest.empty"]


def test_who_trusts_the_first_key_verifies_after_two_rotations(settings: Settings, tmp_path: Path) -> None:
    write(3)
    sequence.run()
    rotate(settings, tmp_path)
    write(3)
    sequence.run()
    rotate(settings, tmp_path, SEEDS[1])
    write(3)
    sequence.run()
    path = export_to(tmp_path / "log.zip")

    code, values = verdict(path, vkey(OLD))
    last, middle, first = (LogCheckpoint.objects.order_by("-id").values_list("size", flat=True))[:3]
    assert (code, values["keys"]) == (
        "log.verified",
        f"{ORIGIN} ({vkey(OLD).id.hex()}) at {first} entries, "
        f"{ORIGIN} ({vkey(NEW).id.hex()}) at {middle} entries, "
        f"{ORIGIN} ({vkey(THIRD).id.hex()}) at {last} entries",
    )
    # Trust only goes forward: a later key proves nothing about an earlier one.
    code, values = verdict(path, vkey(NEW))
    assert (code, values) == (
        "checkpoint.unsigned", {"size": first, "keys": f"{ORIGIN} ({vkey(OLD).id.hex()})"},
    )  # fmt: skip


def test_a_key_that_nobody_endorsed_is_named_and_refused(settings: Settings, tmp_path: Path) -> None:
    write()
    sequence.run()
    settings.LOG_KEY = SEEDS[0]  # lost or stolen, so replaced without the command
    write()
    sequence.run()
    path = export_to(tmp_path / "log.zip")

    size = LogCheckpoint.objects.latest("id").size
    assert verdict(path, vkey(OLD)) == (
        "checkpoint.unsigned", {"size": size, "keys": f"{ORIGIN} ({vkey(NEW).id.hex()})"},
    )  # fmt: skip
    assert verdict(path, vkey(OLD), vkey(NEW))[0] == "log.verified"
    assert ("log.key_added", "log", vkey(NEW).id.hex()) in key_entries()
    with pytest.raises(Invalid) as error:
        verify([vkey(OLD)])
    assert error.value.code == "checkpoint.unsigned"


def test_after_a_rotation_the_processes_that_only_verify_need_no_new_settings(
    settings: Settings, tmp_path: Path, auditor: User
) -> None:
    write()
    sequence.run()
    rotate(settings, tmp_path)
    write()
    sequence.run()
    signer, settings.LOG_KEY, settings.LOG_PUBLIC_KEYS = settings.LOG_KEY, b"", [public(OLD)]  # web, not restarted

    assert public_keys() == [vkey(NEW), vkey(OLD)]
    assert verify()["count"] == LogCheckpoint.objects.latest("id").size
    assert make_client(auditor).get("/log/proof/").context["keys"][0] == str(vkey(NEW))
    entry = LogEntry.objects.latest("id")
    receipt = make_receipt(entry)
    assert receipt is not None
    with pytest.raises(Invalid):
        receipt.verify([vkey(OLD)])
    receipt.verify(endorsed_keys(key_lines(), [vkey(OLD)]))
    assert signer == SEEDS[0]


def test_the_list_of_keys_has_their_times(settings: Settings, tmp_path: Path, auditor: User) -> None:
    write()
    sequence.run()
    rotate(settings, tmp_path)
    command("retire", "log", vkey(OLD).id.hex())

    settings.LOG_PUBLIC_KEYS = [public(OLD)]
    new, old = make_client().get("/log/keys.txt").content.decode().splitlines()
    times = [log.rfc3339(row.at) for row in SigningKeyEvent.objects.order_by("id")]
    assert old == f"{vkey(OLD)} from={times[0]} until={times[2]}"
    assert new.startswith(f"{vkey(NEW)} from={times[1]} endorsed=")
    assert "until" not in new
    assert Key.parse(old) == vkey(OLD)  # --key accepts a whole line
    rows = make_client(auditor).get("/log/proof/").context["key_history"]
    assert [(row["id"], row["retired_at"] is None) for row in rows] == [
        (vkey(OLD).id.hex(), False), (vkey(NEW).id.hex(), True),
    ]  # fmt: skip
    listed = command()["keys"]
    assert [(each["id"], each["until"]) for each in listed] == [
        (vkey(OLD).id.hex(), times[2]),
        (vkey(NEW).id.hex(), None),
    ]


def test_an_endorsement_is_of_one_key_of_one_log() -> None:
    sign = base64.b64encode(OLD.sign(verify_log.endorsement_text(vkey(NEW)).encode())).decode()
    other = Key("other.example/log", public(NEW))

    assert endorsed_keys(f"{vkey(NEW)} endorsed={sign}\n", [vkey(OLD)]) == [vkey(OLD), vkey(NEW)]
    assert endorsed_keys(f"{vkey(THIRD)} endorsed={sign}\n", [vkey(OLD)]) == [vkey(OLD)]
    assert endorsed_keys(f"{other} endorsed={sign}\n", [vkey(OLD)]) == [vkey(OLD)]
    assert endorsed_keys(f"{vkey(NEW)} endorsed={sign}\n", [vkey(THIRD)]) == [vkey(THIRD)]
    assert endorsed_keys(f"{vkey(NEW)}\n", [vkey(OLD)]) == [vkey(OLD)]
    assert verify_log.endorsement_text(vkey(NEW)).encode() == signing_keys.endorsement_text(ORIGIN, public(NEW))
    for line in ("x", f"{vkey(NEW)} endorsed=%"):
        with pytest.raises(Invalid):
            endorsed_keys(line, [vkey(OLD)])


def test_an_endorsement_can_not_be_taken_for_a_checkpoint() -> None:
    text = verify_log.endorsement_text(Key("123", public(NEW)))
    line = base64.b64encode(vkey(OLD).id + OLD.sign(text.encode())).decode()

    with pytest.raises(Invalid):
        verify_log.Checkpoint.parse(f"{text}\n\u2014 {ORIGIN} {line}\n")


def test_a_retired_key_signs_no_more(settings: Settings, tmp_path: Path, alice: User, capsys: Any) -> None:
    write()
    sequence.run()
    rotate(settings, tmp_path)
    assert command("retire", "log", vkey(OLD).id.hex())["changed"]
    assert not command("retire", "log", vkey(OLD).id.hex())["changed"]
    signed = LogCheckpoint.objects.count()

    settings.LOG_KEY = b"signs the log in tests only     "  # the deleter was not restarted
    write()
    assert sequence.run()
    assert (LogCheckpoint.objects.count(), LogQueue.objects.count()) == (signed, 0)  # numbered, but not signed
    settings.LOG_KEY = SEEDS[0]
    sequence.run()
    assert LogCheckpoint.objects.count() == signed + 1
    assert [event for event, *_ in key_entries()] == ["log.key_added", "log.key_added", "log.key_retired"]

    signing_keys.record_use("certificate", public(THIRD))
    signing_keys.retire("certificate", public(THIRD), OPERATOR)
    settings.CERTIFICATE_KEY = SEEDS[1]
    space = make_row(alice, ended_ago=timedelta(days=31))
    with pytest.raises(ImproperlyConfigured, match=r"CERTIFICATE_KEY is [0-9a-f]{64}, which was retired"):
        purge(space.pk)


def test_a_checkpoint_that_a_retired_key_signed_is_refused(settings: Settings, tmp_path: Path) -> None:
    """Somebody who stole the old key and the database cannot continue the log."""
    write()
    sequence.run()
    rotate(settings, tmp_path)
    write()
    sequence.run()
    command("retire", "log", vkey(OLD).id.hex())
    sequence.run()
    path = export_to(tmp_path / "good.zip")
    assert verdict(path, vkey(OLD))[0] == "log.verified"
    index = LogCheckpoint.objects.latest("id").size - 1
    entry = LogEntry.objects.get(event="log.key_retired").pk

    settings.LOG_KEY = b"signs the log in tests only     "
    as_superuser("DELETE FROM archive_signingkeyevent WHERE change = 'retired'")
    write()
    sequence.run()
    code, values = verdict(export_to(tmp_path / "bad.zip"), vkey(OLD))
    named = f"{ORIGIN} ({vkey(OLD).id.hex()})"
    assert (code, values) == ("checkpoint.retired_key", {"size": index + 2, "keys": named, "entry": entry})


def test_certificates_of_both_keys_verify_and_the_web_process_needs_no_new_setting(
    settings: Settings, tmp_path: Path, alice: User
) -> None:
    first, second = (make_row(alice, ended_ago=timedelta(days=31)) for _ in range(2))
    assert purge(first.pk)
    old, file = settings.CERTIFICATE_KEY, tmp_path / "new"
    file.write_text(base64.b64encode(SEEDS[0]).decode())
    command("rotate", "certificate", str(file))
    settings.CERTIFICATE_KEY = SEEDS[0]
    assert purge(second.pk)

    settings.CERTIFICATE_KEY = b""
    settings.CERTIFICATE_PUBLIC_KEYS = [Ed25519PrivateKey.from_private_bytes(old).public_key().public_bytes_raw()]
    keys = tmp_path / "keys.pem"
    keys.write_bytes(make_client().get("/certificates/key.pem").content)
    assert read_keys(keys)[0].public_bytes_raw() == public(NEW)
    for space in (first, second):
        document = tmp_path / f"{space.pk}.json"
        document.write_text(DeletionCertificate.objects.get(pk=space.pk).document)
        assert main([str(document), "--key", str(keys)]) == 0


def test_proofs_of_before_and_after_verify_with_the_keys_that_the_site_serves(
    settings: Settings, tmp_path: Path, alice: User, auditor: User
) -> None:
    """Certificates with their receipts, and checkpoints, verified by somebody who trusts the log's first key."""
    before, after = (make_row(alice, ended_ago=timedelta(days=31)) for _ in range(2))
    assert purge(before.pk)
    sequence.run()
    served_before = make_client().get("/certificates/key.pem").content
    certificate_key, file = settings.CERTIFICATE_KEY, tmp_path / "next"
    rotate(settings, tmp_path)
    file.write_text(base64.b64encode(SEEDS[1]).decode())
    command("rotate", "certificate", str(file))
    settings.CERTIFICATE_KEY = SEEDS[1]
    assert purge(after.pk)
    sequence.run()
    settings.LOG_KEY = settings.CERTIFICATE_KEY = b""  # the web process has only the former keys in its settings
    settings.LOG_PUBLIC_KEYS = [public(OLD)]
    settings.CERTIFICATE_PUBLIC_KEYS = [public(Ed25519PrivateKey.from_private_bytes(certificate_key))]

    served = make_client().get("/certificates/key.pem").content
    blocks = served.split(b"-----END PUBLIC KEY-----\n")[:-1]
    backwards = b"".join(block + b"-----END PUBLIC KEY-----\n" for block in reversed(blocks))
    assert served_before in served
    assert backwards != served
    orders = (served, backwards, served_before + served, served + served_before)
    (tmp_path / "keys.txt").write_bytes(make_client().get("/log/keys.txt").content)
    trusted = ["--key", str(vkey(OLD)), "--keys", str(tmp_path / "keys.txt")]
    for space in (before, after):
        document, receipt, pem = (tmp_path / f"{space.pk}.{kind}" for kind in ("json", "tlog-proof", "pem"))
        document.write_text(DeletionCertificate.objects.get(pk=space.pk).document)
        entry = LogEntry.objects.get(event="space.deleted", space_id=space.pk)
        answer = make_client(auditor).get(f"/log/entries/{entry.pk}/receipt.tlog-proof")
        receipt.write_bytes(answer.content)
        for number, order in enumerate(orders):
            pem.write_bytes(order)
            proofs = ["--certificate", str(document), "--certificate-key", str(pem)]
            assert verify_log.main([str(receipt), *trusted, *proofs]) == 0, (space, number)
    checkpoints = tmp_path / "checkpoints.txt"
    notes = LogCheckpoint.objects.order_by("id").values_list("note", flat=True)
    checkpoints.write_text("".join(f"{note}\n" for note in notes))
    assert verify_log.main([str(checkpoints), *trusted]) == 0
    assert verify_log.main([str(checkpoints), *trusted[:2]]) == 1
    assert [entry[:2] for entry in key_entries()] == [
        ("log.key_added", "certificate"),
        ("log.key_added", "log"),
        ("log.key_added", "log"),
        ("log.key_added", "certificate"),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rotate", "log"], "Name the kind and the key"),
        (["rotate", "log", "/nowhere"], "/nowhere can't be read: No such file or directory."),
        (["rotate", "log", "SHORT"], "The new key is not 32 bytes in base64."),
        (["rotate", "log", "SAME"], "This is the key that signs now."),
        (["retire", "log", "01234567"], "No key '01234567' of this kind has signed."),
        (["retire", "log", "OWN"], "is the key that signs here. Set the new one first."),
    ],
)
def test_mistakes_are_one_line_without_a_key(arguments: list[str], message: str, tmp_path: Path) -> None:
    write()
    sequence.run()
    (tmp_path / "SHORT").write_text("c2VjcmV0")
    (tmp_path / "SAME").write_text(base64.b64encode(b"signs the log in tests only     ").decode())
    given = [str(tmp_path / each) if (tmp_path / each).exists() else each for each in arguments]
    given = [vkey(OLD).id.hex() if each == "OWN" else each for each in given]

    with pytest.raises(CommandError) as error:
        call_command("signing_keys", *given)
    assert message in str(error.value)
    assert "c2VjcmV0" not in str(error.value)


def test_a_second_rotation_to_the_same_key_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    settings.LOG_KEY = settings.LOG_KEY
    old = settings.LOG_KEY
    rotate(settings, tmp_path)
    settings.LOG_KEY = old

    with pytest.raises(CommandError, match="is in the history already"):
        rotate(settings, tmp_path)
    assert len(key_entries()) == 2
    endorsed = LogEntry.objects.latest("id")
    assert (endorsed.actor_kind, endorsed.detail["endorsed_by"]) == ("command", vkey(OLD).id.hex())
