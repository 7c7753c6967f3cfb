"""A daily mail sends the newest checkpoint to auditors, so that people outside hold copies."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from archive import log
from archive.log import SYSTEM, events
from archive.models import CheckpointMail, LogCheckpoint, LogEntry, User
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from archive.transparency import checkpoint_mail, sequence, verify_log
from archive.transparency.export import stream_export
from archive.transparency.keys import public_keys
from tests.faults import ForkServer, start_fork_server
from tests.support.factory import make_user
from tests.support.http_clients import make_client
from tests.support.leases import end_pauses, expire_leases
from tests.support.mail_server import FROM, Mailbox, give_address, text_body
from tests.support.processes import Services

OUTSIDE = "keeper@audits.example.net"
STEPS = [
    "after commit in transparency.checkpoint_mail:create_mails",
    "before commit update in transparency.checkpoint_mail:_send",  # the mail server has it, and we did not mark it
]
MORE = [
    "before commit in transparency.checkpoint_mail:create_mails",
    "after commit update in transparency.checkpoint_mail:_send",
]


@pytest.fixture(autouse=True)
def signed(committed: None, bucket: None) -> None:
    purge_listing(store(), store().listing(keys.LOG))
    write(3)
    sequence.run()


@pytest.fixture(autouse=True)
def keeper(signed: None, settings: Settings, mailbox: Mailbox, auditor: User) -> None:
    give_address(auditor)
    settings.LOG_CHECKPOINT_MAIL = [OUTSIDE]


def write(count: int) -> None:
    with transaction.atomic():
        log.record_all(events.DIGEST_EMPTY, [(None, {"number": i}) for i in range(count)], actor=SYSTEM)


def send_all() -> int:
    """Create today's mails and send all pending ones. Returns how many were sent."""
    checkpoint_mail.create_mails()
    pending = CheckpointMail.objects.filter(state="pending").values_list("pk", flat=True)
    return sum(checkpoint_mail.send(pk) for pk in pending)


def attachment(message: EmailMessage) -> bytes:
    (part,) = message.iter_attachments()
    assert (part.get_filename(), part.get_content_type()) == ("checkpoint.txt", "text/plain")
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data


def test_auditors_and_the_addresses_of_the_setting_get_the_checkpoint_as_it_is(auditor: User, mailbox: Mailbox) -> None:
    assert send_all() == 2

    note = LogCheckpoint.objects.latest("id").note
    for address in (auditor.email, OUTSIDE):
        (message,) = mailbox.to(address)
        assert note in text_body(message)
        assert attachment(message) == note.encode()
        assert f"{verify_log.Checkpoint.parse(note).size} entries" in str(message["Subject"])
        assert "--checkpoint checkpoint.txt" in text_body(message)
    (message,) = mailbox.to(auditor.email)
    assert "/unsubscribe/" in message["List-Unsubscribe"]
    assert "List-Unsubscribe" not in mailbox.to(OUTSIDE)[0]


def test_a_new_secret_key_mails_nobody_twice_and_forgets_nobody(settings: Settings, mailbox: Mailbox) -> None:
    """Rows contain no addresses, only HMACs of them under the secret key."""
    checkpoint_mail.create_mails()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]

    assert send_all() == 2
    assert send_all() == 0
    assert len(mailbox.received) == 2


def test_no_line_can_be_damaged_on_the_way(mailbox: Mailbox) -> None:
    """Old mail servers strip the 8th bit, wrap long lines, and put > before From: base64 survives all of these."""
    send_all()

    (message,) = mailbox.to(OUTSIDE)
    raw = message.as_bytes()
    parts = [part for part in message.walk() if not part.is_multipart()]
    assert raw.isascii()
    assert max(map(len, raw.splitlines())) < 200
    assert [part["Content-Transfer-Encoding"] for part in parts] == ["base64", "base64"]


def test_the_attachment_is_what_the_verifier_takes(mailbox: Mailbox, tmp_path: Path) -> None:
    send_all()
    (tmp_path / "checkpoint.txt").write_bytes(attachment(mailbox.to(OUTSIDE)[0]))
    (tmp_path / "log.zip").write_bytes(b"".join(stream_export()))

    done = subprocess.run(
        [
            *(sys.executable, "-I", verify_log.__file__, "log.zip"),
            *("--key", str(public_keys()[0]), "--checkpoint", "checkpoint.txt"),
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


def test_an_address_gets_one_mail_a_day(settings: Settings, auditor: User, mailbox: Mailbox) -> None:
    settings.LOG_CHECKPOINT_MAIL = [OUTSIDE, auditor.email.upper()]  # the auditor's own address in other letter case
    settings.LOG_CHECKPOINT_SECONDS = 0

    assert send_all() == 2
    write(2)
    sequence.run()

    assert send_all() == 0
    assert sorted(address for address, _ in mailbox.received) == sorted([auditor.email, OUTSIDE])


def test_the_next_day_has_a_mail_also_without_news(mailbox: Mailbox) -> None:
    send_all()
    CheckpointMail.objects.update(day=CheckpointMail.objects.latest("day").day - timedelta(days=1))

    assert send_all() == 2
    assert len(mailbox.to(OUTSIDE)) == 2


def test_who_does_not_want_it_or_is_no_auditor_gets_none(
    auditor: User, admin: User, alice: User, mailbox: Mailbox
) -> None:
    give_address(admin)
    give_address(alice)
    inactive = give_address(make_user("ines", role="auditors"))
    User.objects.filter(pk=inactive.pk).update(is_active=False)
    page = make_client(auditor).get("/account/").content.decode()
    assert 'value="log-checkpoint" checked' in page
    assert "log-checkpoint" not in make_client(alice).get("/account/").content.decode()

    make_client(auditor).post("/account/", {"display_name": "", "time_zone": "", "mailed_kinds": ["flagged"]})

    assert send_all() == 1
    assert [address for address, _ in mailbox.received] == [OUTSIDE]


def test_a_host_who_was_an_auditor_keeps_the_choice(auditor: User, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(unmailed_kinds=["log-checkpoint"])

    make_client(alice).post("/account/", {"display_name": "", "time_zone": "", "mailed_kinds": ["flagged"]})

    alice.refresh_from_db()
    assert "log-checkpoint" in alice.unmailed_kinds


def test_one_click_unsubscribes(auditor: User, mailbox: Mailbox) -> None:
    send_all()
    (message,) = mailbox.to(auditor.email)
    path = urlsplit(message["List-Unsubscribe"].strip().strip("<>")).path

    page = make_client().get(path).content.decode()
    assert "among your notices" not in page
    assert make_client().post(path).status_code == 200

    auditor.refresh_from_db()
    assert auditor.unmailed_kinds == ["log-checkpoint"]


def test_who_unsubscribes_while_it_waits_gets_none(auditor: User, mailbox: Mailbox) -> None:
    checkpoint_mail.create_mails()
    User.objects.update(unmailed_kinds=["log-checkpoint"])

    assert send_all() == 1
    assert sorted(CheckpointMail.objects.values_list("state", flat=True)) == ["obsolete", "sent"]
    assert not mailbox.to(auditor.email)


def test_a_server_that_is_down_is_tried_again_and_a_day_later_the_newer_one_is_sent(mailbox: Mailbox) -> None:
    mailbox.answers["DATA"] = "451 later"
    assert send_all() == 0
    assert set(CheckpointMail.objects.values_list("state", flat=True)) == {"pending"}
    yesterday = CheckpointMail.objects.latest("day").day - timedelta(days=1)
    CheckpointMail.objects.update(day=yesterday)

    mailbox.answers.clear()
    end_pauses()

    assert send_all() == 2
    assert set(CheckpointMail.objects.filter(day=yesterday).values_list("state", flat=True)) == {"obsolete"}


def test_a_refused_address_fails_and_the_others_get_theirs(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    mailbox.answers[OUTSIDE] = "550 no such user"

    assert send_all() == 1
    assert sorted(CheckpointMail.objects.values_list("state", flat=True)) == ["failed", "sent"]
    assert "log_checkpoint_mail_failed" in caplog.text
    assert LogEntry.objects.get(event="checkpoint_mail.failed").detail == {"code": "mail.address_refused"}
    assert OUTSIDE not in caplog.text


def test_no_table_has_the_addresses(auditor: User) -> None:
    checkpoint_mail.create_mails()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM archive_checkpointmail m WHERE m::text ILIKE ANY(%s)", [[
            f"%{OUTSIDE}%", f"%{auditor.email}%"
        ]])  # fmt: skip
        assert cursor.fetchone() == (0,)
    assert CheckpointMail.objects.count() == 2


def test_without_mail_or_checkpoint_there_is_nothing_to_send(settings: Settings) -> None:
    settings.MAIL_ON = False
    assert checkpoint_mail.create_mails() == 0
    assert not CheckpointMail.objects.exists()


def test_old_rows_are_deleted() -> None:
    send_all()
    kept, old = CheckpointMail.objects.order_by("recipient")
    CheckpointMail.objects.filter(pk=old.pk).update(created_at=old.created_at - checkpoint_mail.LIVES)

    assert checkpoint_mail.delete_old() == 1
    assert list(CheckpointMail.objects.values_list("pk", flat=True)) == [kept.pk]


@pytest.fixture
def zygote(services: Services, mailbox: Mailbox, tmp_path: Path) -> Iterator[ForkServer]:
    env = {**services.env, "EMAIL_URL": mailbox.url, "MAIL_FROM": FROM, "LOG_CHECKPOINT_MAIL": OUTSIDE}
    with start_fork_server(env, tmp_path) as running:
        yield running


def test_killed_at_any_step_each_address_gets_it_and_twice_only_with_one_id(
    zygote: ForkServer, auditor: User, mailbox: Mailbox
) -> None:
    assert set(zygote.run("mail_checkpoints").points) >= {*STEPS, *MORE}

    for place in [*STEPS, *(MORE if os.environ.get("KILLS") else [])]:
        CheckpointMail.objects.all().delete()
        mailbox.received.clear()
        assert zygote.run("mail_checkpoints", kill_at=1, label=place).killed, place
        expire_leases()
        zygote.run("mail_checkpoints")

        assert set(CheckpointMail.objects.values_list("state", flat=True)) == {"sent"}, place
        for address in (auditor.email, OUTSIDE):
            ids = [message["Message-ID"] for to, message in mailbox.received if to == address]
            assert len(ids) in (1, 2), place
            assert len(set(ids)) == 1, place
