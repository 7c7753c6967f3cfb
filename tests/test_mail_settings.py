"""Mail settings come from one URL in the environment; an invalid one prevents the start."""

import gc
import smtplib
import ssl
import warnings
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.mail import EmailMessage, get_connection
from django.test import override_settings
from pytest_django import Settings

from portal import env
from portal.checks import TAG
from portal.env import Mail
from tests.support.authorities import Authority
from tests.support.processes import MANAGE, free_port
from tests.support.smtp_server import Inbox, run_server, with_sign_in
from tests.test_settings_checks import run

SMTP = "portal.mail_server.MailServerBackend"


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("smtp://mail.example.org", Mail(SMTP, "", "mail.example.org", 25)),
        ("smtp://u:p%40x@mail.example.org?tls=True", Mail(SMTP, "", "mail.example.org", 587, "u", "p@x", True)),
        ("smtp://u%40org:p@mail.example.org:2525/?tls=1", Mail(SMTP, "", "mail.example.org", 2525, "u@org", "p", True)),
        ("smtps://u:p@mail.example.org", Mail(SMTP, "", "mail.example.org", 465, "u", "p", False, True)),
        ("smtp://u:p@127.0.0.1:1025", Mail(SMTP, "", "127.0.0.1", 1025, "u", "p")),
        ("file:///var/mail%20here", Mail("portal.mail_folder.MailFolderBackend", "/var/mail here")),
        ("", Mail()),
    ],
)
def test_each_mail_url_gives_its_settings(monkeypatch: pytest.MonkeyPatch, address: str, meant: Mail) -> None:
    monkeypatch.setenv("EMAIL_URL", address)

    assert env.mail("EMAIL_URL", id="x") == meant
    assert env.problems == []


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("mail.example.org", "does not start with smtp://, smtps:// or file://"),
        ("http://u:secret@mail.example.org", "does not start with smtp://, smtps:// or file://"),
        ("smtp://", "names no host, or more than a host"),
        ("smtp://mail.example.org/inbox", "names no host, or more than a host"),
        ("smtp://mail.example.org:port", "can't be read as an address"),
        ("smtp://u:secret@mail.example.org", "would send its password unencrypted"),
        ("smtp://u:secret@mail.example.org?ssl=1", "asks for something else than tls=True"),
        ("smtp://mail.example.org?tls=maybe", "asks for something else than tls=True"),
        ("smtps://u:secret@mail.example.org?tls=True", "asks for TLS twice"),
        ("smtp://u@mail.example.org?tls=True", "has a user without a password"),
        ("file://mail", "names a folder that is not absolute"),
    ],
)
def test_invalid_mail_urls_are_refused(monkeypatch: pytest.MonkeyPatch, address: str, message: str) -> None:
    monkeypatch.setattr(env, "problems", [])
    monkeypatch.setenv("EMAIL_URL", address)

    assert env.mail("EMAIL_URL", id="x") == Mail()

    (problem,) = env.problems
    assert problem.message.startswith(f"EMAIL_URL {message}")
    assert "secret" not in problem.message + problem.hint


def test_an_invalid_mail_url_stops_the_start() -> None:
    address = "smtp://u:secret@mail.example.org"

    done = run([*MANAGE, "check"], {"EMAIL_URL": address, "MAIL_FROM": "a@example.org"})

    assert done.returncode == 1
    assert "(spacekeep.E028) EMAIL_URL would send its password unencrypted" in done.stderr
    assert "HINT: It looks like smtp://user:password@host:587?tls=True" in done.stderr
    assert "secret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("sender", ["", "Spacekeep", "Spacekeep <nobody>"])
def test_mail_needs_a_sender(sender: str) -> None:
    with override_settings(MAIL_ON=True, DEFAULT_FROM_EMAIL=sender):
        messages = run_checks(tags=[TAG])

    assert [(message.id, message.msg) for message in messages] == [("spacekeep.E029", f"MAIL_FROM is {sender!r}.")]


def test_no_sender_is_needed_without_mail() -> None:
    with override_settings(MAIL_ON=False, DEFAULT_FROM_EMAIL=""):
        assert run_checks(tags=[TAG]) == []


def test_mail_can_be_written_to_files(settings: object, tmp_path: Path) -> None:
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")  # type: ignore[attr-defined]
    message = EmailMessage("Seeds", "Beans.", "a@example.org", ["b@example.org"])

    get_connection("portal.mail_folder.MailFolderBackend").send_messages([message, message])

    files = sorted((tmp_path / "mail").iterdir())
    assert [path.suffix for path in files] == [".eml", ".eml"]
    read = message_from_bytes(files[0].read_bytes(), policy=policy.default)
    assert (read["Subject"], read["To"], read.get_content()) == ("Seeds", "b@example.org", "Beans.")


def test_a_mail_server_with_sign_in_and_an_authority_of_its_own(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    """STARTTLS, then AUTH. Without MAIL_CA_BUNDLE the server is a stranger, and gets no password."""
    authority, inbox = Authority(tmp_path), Inbox(free_port())
    with run_server(inbox, **with_sign_in(authority.context("127.0.0.1"))):
        monkeypatch.setenv("EMAIL_URL", inbox.url_with_sign_in)
        mail = env.mail("EMAIL_URL", id="x")

        def send(password: str) -> None:
            connection = get_connection(
                mail.backend,
                host=mail.host,
                port=mail.port,
                username=mail.user,
                password=password,
                use_tls=mail.starttls,
                timeout=20,
            )
            connection.send_messages([EmailMessage("Seeds", "Beans.", "a@example.org", ["b@example.org"])])

        with pytest.raises(ssl.SSLCertVerificationError):
            send(mail.password)
        settings.MAIL_CA_BUNDLE = authority.ca_file
        with pytest.raises(smtplib.SMTPAuthenticationError):
            send("another")
        assert inbox.received == []
        send(mail.password)

    assert [(to, message["Subject"]) for to, message in inbox.received] == [("b@example.org", "Seeds")]
    with warnings.catch_warnings():  # aiosmtpd leaves the connection open whose handshake failed
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
