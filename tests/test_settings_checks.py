"""Wrong configuration stops the start: every mistake at once, each with an id and a hint."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.support.processes import MANAGE, ROOT, free_port
from tests.support.waiting import PATIENCE

HTTPS = {"SITE_URL": "https://spaces.example.org", "ALLOWED_HOSTS": "spaces.example.org", "DEBUG": "0"}
STRONG = "k3-Vq8zT1wLr0Yc6NfUe9PbXs2GdHj7MaQoRiKtWvZyB4xC5-8hJdFw"

MISSING = {
    "SECRET_KEY": ("spacekeep.E001", "A long random text, the same for web, worker and beat."),
    "CERTIFICATE_KEY": ("spacekeep.E040", "Make one with: openssl rand -base64 32. Keep it for as long as you can."),
    "SITE_URL": ("spacekeep.E002", "The address at which people open the portal."),
    "DATABASE_URL": ("spacekeep.E003", "postgres://user:password@host:5432/spacekeep"),
    "S3_BUCKET": ("spacekeep.E004", "The bucket that holds the recordings."),
    "S3_ACCESS_KEY_ID": ("spacekeep.E005", "The access key of the object store."),
    "S3_SECRET_ACCESS_KEY": ("spacekeep.E006", "The secret key of the object store."),
    "S3_ENDPOINT_URL": ("spacekeep.E007", "The store's address for servers."),
    "BROKER_URL": ("spacekeep.E009", "redis://:password@host:6379/0"),
}
WRONG = [
    ("SITE_URL", "example.org", "spacekeep.E002"),
    ("S3_ENDPOINT_URL", "s3.example.org", "spacekeep.E007"),
    ("S3_PUBLIC_ENDPOINT_URL", "ftp://s3.example.org", "spacekeep.E008"),
    ("DEBUG", "maybe", "spacekeep.E010"),
    ("RETENTION_DAYS", "0", "spacekeep.E011"),
    ("VIOLATION_EXTRA_DAYS", "-1", "spacekeep.E012"),
    ("LIFT_GRACE_DAYS", "a week", "spacekeep.E013"),
    ("MAX_RECORDING_SECONDS", "1h", "spacekeep.E014"),
    ("SIGNED_URL_SECONDS", "0", "spacekeep.E015"),
    ("LEASE_SECONDS", "1", "spacekeep.E016"),
    ("DISPATCH_SECONDS", "0", "spacekeep.E017"),
    ("IDLE_TRANSACTION_SECONDS", "0", "spacekeep.E018"),
]
WITH_A_PATH = [("SITE_URL", "https://example.org/portal", "spacekeep.E002")]


def run(command: list[str], changed: Mapping[str, str | None]) -> subprocess.CompletedProcess[str]:
    """With the tests' own settings but for `changed`; None takes one away."""
    env = {
        name: value
        for name, value in {**os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE": None, **changed}.items()
        if value is not None
    }
    return subprocess.run(command, env=env, cwd=ROOT, text=True, capture_output=True, check=False, timeout=PATIENCE)


def test_all_missing_settings_are_reported_at_once() -> None:
    done = run([*MANAGE, "check"], {**dict.fromkeys(MISSING), "S3_PUBLIC_ENDPOINT_URL": None})

    assert done.returncode == 1
    for name, (number, hint) in MISSING.items():
        assert f"({number}) {name} is not set.\n\tHINT: {hint}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("wrong", [WRONG, WITH_A_PATH], ids=["all at once", "one"])
def test_invalid_settings_are_reported(wrong: list[tuple[str, str, str]]) -> None:
    done = run([*MANAGE, "check"], {name: value for name, value, _ in wrong})

    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "spacekeep." in line]
    assert sorted(lines) == sorted(f"?: ({number}) {name} is {value!r}." for name, value, number in wrong)
    assert done.stderr.count("HINT: ") == len(wrong)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("DATABASE_URL", "secret", "(spacekeep.E003) DATABASE_URL does not start with postgres:// or postgresql://."),
        ("DATABASE_URL", "mysql://a:secret@db/s", "(spacekeep.E003) DATABASE_URL does not start with postgres://"),
        ("BROKER_URL", "amqp://a:secret@mq", "(spacekeep.E009) BROKER_URL does not start with redis:// or rediss://"),
    ],
)
def test_an_address_with_a_password_is_not_repeated(name: str, value: str, message: str) -> None:
    done = run([*MANAGE, "check"], {name: value})

    assert (done.returncode, message in done.stderr) == (1, True), done.stderr
    assert "secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("value", ["c2VjcmV0", "c2VjcmV0" * 8, "secret, and no base64 at all"])
def test_a_certificate_key_is_32_bytes_and_not_printed(value: str) -> None:
    done = run([*MANAGE, "check"], {"CERTIFICATE_KEY": value})

    assert (done.returncode, value in done.stdout + done.stderr) == (1, False)
    assert "(spacekeep.E040) CERTIFICATE_KEY is not 32 bytes in base64." in done.stderr
    assert "HINT: Make one with: openssl rand -base64 32." in done.stderr


@pytest.mark.parametrize(
    "program",
    [
        ["gunicorn", "portal.wsgi", "--workers=1", "--no-control-socket", "--bind=127.0.0.1:{port}"],
        ["celery", "-A", "portal.celery", "worker", "--pool=solo"],
        ["celery", "-A", "portal.celery", "beat", "--pidfile=", "--schedule={tmp}/beat"],
    ],
    ids=["web", "worker", "beat"],
)
def test_no_command_starts_with_wrong_settings(program: list[str], tmp_path: object) -> None:
    command = [part.format(port=free_port(), tmp=tmp_path) for part in program]

    done = run([sys.executable, "-m", *command], {"SECRET_KEY": None, "LEASE_SECONDS": "soon"})

    assert done.returncode != 0
    output = done.stderr
    assert "spacekeep.E001: SECRET_KEY is not set. A long random text, the same for web, worker and beat." in output
    assert "spacekeep.E016: LEASE_SECONDS is 'soon'. It is a whole number, at least 2; by default 600." in output
    assert "Traceback" not in output


@pytest.mark.usefixtures("bucket")
def test_production_settings_are_clean() -> None:
    command = [*MANAGE, "check", "--deploy", "--fail-level=WARNING", "--database=default"]

    done = run(command, {**HTTPS, "SECRET_KEY": STRONG})

    assert done.returncode == 0, done.stderr
    assert "System check identified no issues" in done.stdout


def test_a_weak_secret_is_not_clean() -> None:
    done = run([*MANAGE, "check", "--deploy", "--fail-level=WARNING"], {**HTTPS, "SECRET_KEY": "secret"})

    assert (done.returncode, "security.W009" in done.stderr) == (1, True)


def test_no_migration_is_missing() -> None:
    done = run([*MANAGE, "makemigrations", "--check", "--dry-run"], {})

    assert (done.returncode, done.stdout) == (0, "No changes detected\n"), done.stdout


def test_the_database_url_keeps_its_options() -> None:
    """sslmode and the like are not lost beside our own options."""
    code = "from portal import settings; print(settings.DATABASES['default']['OPTIONS'])"

    done = run([sys.executable, "-c", code], {"DATABASE_URL": "postgres://a:b@db.example.org/s?sslmode=verify-full"})

    assert "'sslmode': 'verify-full'" in done.stdout
    assert "idle_in_transaction_session_timeout" in done.stdout
