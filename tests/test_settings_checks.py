"""Invalid configuration prevents the start: all mistakes are reported at once, each with an id and a hint."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping

import pytest

from portal import env
from tests import plugin
from tests.support.processes import MANAGE, ROOT, free_port
from tests.support.waiting import PATIENCE

HTTPS = {"SITE_URL": "https://spaces.example.org", "ALLOWED_HOSTS": "spaces.example.org", "DEBUG": "0"}
STRONG = "k3-Vq8zT1wLr0Yc6NfUe9PbXs2GdHj7MaQoRiKtWvZyB4xC5-8hJdFw"

MISSING = {
    "SECRET_KEY": ("spacekeep.E001", "A long random text, the same for web and workers."),
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
    ("FEED_REQUESTS_PER_HOUR", "0", "spacekeep.E111"),
    ("OPERATOR_CONTACT", "call us", "spacekeep.E110"),
    ("DEBUG", "maybe", "spacekeep.E010"),
    ("LOG_LEVEL", "loud", "spacekeep.E182"),
    ("WEBHOOK_STOP_DAYS", "0", "spacekeep.E141"),
    ("RETENTION_DAYS", "0", "spacekeep.E011"),
    ("VIOLATION_EXTRA_DAYS", "-1", "spacekeep.E012"),
    ("LIFT_GRACE_DAYS", "a week", "spacekeep.E013"),
    ("MAX_RECORDING_SECONDS", "1h", "spacekeep.E014"),
    ("SIGNED_URL_SECONDS", "0", "spacekeep.E015"),
    ("LEASE_SECONDS", "1", "spacekeep.E016"),
    ("DEAD_WORKER_SECONDS", "1", "spacekeep.E176"),
    ("DISPATCH_SECONDS", "0", "spacekeep.E017"),
    ("IDLE_TRANSACTION_SECONDS", "0", "spacekeep.E018"),
    ("LIVEKIT_URL", "wss://livekit.example.org", "spacekeep.E060"),
    ("LIVEKIT_WAIT_SECONDS", "soon", "spacekeep.E061"),
    ("LIVEKIT_S3_ENDPOINT_URL", "s3.example.org", "spacekeep.E062"),
    ("INBOX_FOLDER", "inbox", "spacekeep.E063"),
    ("WEBHOOK_CA_BUNDLE", "/nowhere/ca.pem", "spacekeep.E142"),
    ("MAIL_CA_BUNDLE", "/nowhere/ca.pem", "spacekeep.E177"),
    ("READ_BACK_BYTES_PER_SECOND", "fast", "spacekeep.E175"),
    ("S3_CA_BUNDLE", "/nowhere/ca.pem", "spacekeep.E174"),
    ("LOG_S3_ENDPOINT_URL", "s3.example.org", "spacekeep.E131"),
    ("LOG_LOCK_MODE", "forever", "spacekeep.E132"),
    ("LOG_LOCK_DAYS", "0", "spacekeep.E133"),
    ("LOG_TSA_SECONDS", "1", "spacekeep.E138"),
    ("LOG_TSA_URL", "tsa.example.org", "spacekeep.E137"),
]
# In a list, the message names the wrong item.
WRONG_ITEM = [
    ("LOG_CHECKPOINT_MAIL", "somebody", "spacekeep.E130"),
    ("PROXY_ADDRESSES", "10.0.0.1/8", "spacekeep.E182"),
]
# These contain a password or a key, so the message repeats no value.
SECRET = [
    ("DATABASE_URL", "mysql://a:secret@db/s", "spacekeep.E003", "does not start with postgres:// or postgresql://."),
    ("BROKER_URL", "amqp://a:secret@mq", "spacekeep.E009", "does not start with redis:// or rediss:// or sentinel://."),
    ("CERTIFICATE_KEY", "c2VjcmV0", "spacekeep.E040", "is not 32 bytes in base64."),
]


def run(command: list[str], changed: Mapping[str, str | None]) -> subprocess.CompletedProcess[str]:
    """Run with the tests' own settings, except `changed`; None removes a variable."""
    variables = {**os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE": None, **changed}
    given = {name: value for name, value in variables.items() if value is not None}
    return subprocess.run(command, env=given, cwd=ROOT, text=True, capture_output=True, check=False, timeout=PATIENCE)


LIVEKIT = {"LIVEKIT_API_KEY": "APIx", "LIVEKIT_API_SECRET": "hidden", "LIVEKIT_RECORDER": "skr_1"}


def test_all_missing_settings_are_reported_at_once() -> None:
    """If one setting of LiveKit is set, its other required ones are reported, too."""
    done = run(
        [*MANAGE, "check"], {**dict.fromkeys(MISSING), "S3_PUBLIC_ENDPOINT_URL": None, "LIVEKIT_API_KEY": "APIx"}
    )

    assert done.returncode == 1
    for name, (number, hint) in MISSING.items():
        assert f"({number}) {name} is not set.\n\tHINT: {hint}" in done.stderr
    for name in ("LIVEKIT_API_SECRET", "LIVEKIT_RECORDER", "LIVEKIT_BUCKET"):
        assert f"(spacekeep.E064) {name} is not set." in done.stderr
    assert "Traceback" not in done.stderr


def test_invalid_settings_are_reported_at_once() -> None:
    wrong = {name: value for name, value, *_ in [*WRONG, *WRONG_ITEM, *SECRET]}
    done = run([*MANAGE, "check"], {**LIVEKIT, "LIVEKIT_BUCKET": os.environ["S3_BUCKET"], **wrong})

    assert done.returncode == 1
    expected = [f"?: ({number}) {name} is {value!r}." for name, value, number in WRONG]
    expected += [f"?: ({number}) {name} has {value!r}." for name, value, number in WRONG_ITEM]
    expected += [f"?: ({number}) {name} {message}" for name, _, number, message in SECRET]
    expected += ["?: (spacekeep.E065) LIVEKIT_BUCKET is the bucket of S3_BUCKET."]
    assert sorted(line for line in done.stderr.splitlines() if "spacekeep." in line) == sorted(expected)
    assert done.stderr.count("HINT: ") == len(expected)
    assert "Traceback" not in done.stderr
    for text in ("secret", "c2VjcmV0", "hidden"):
        assert text not in done.stdout + done.stderr


@pytest.mark.parametrize("value", ["secret", "mysql://a:secret@db/s", "postgres:a:secret@db"])
def test_an_address_with_a_password_is_not_repeated(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setattr(env, "problems", [])
    monkeypatch.setenv("DATABASE_URL", value)

    assert env.address("DATABASE_URL", ("postgres",), id="x", hint="postgres://host/name") == ""

    assert env.problems == [
        env.Problem("x", "DATABASE_URL does not start with postgres://.", "It looks like postgres://host/name")
    ]


@pytest.mark.parametrize("value", ["c2VjcmV0", "c2VjcmV0" * 8, "secret, and no base64 at all"])
def test_a_certificate_key_is_32_bytes_and_not_repeated(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setattr(env, "problems", [])
    monkeypatch.setenv("CERTIFICATE_KEY", value)

    assert env.seed("CERTIFICATE_KEY", id="x", hint="Make one.") == b""

    assert env.problems == [env.Problem("x", "CERTIFICATE_KEY is not 32 bytes in base64.", "Make one.")]


def test_the_site_has_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "problems", [])
    monkeypatch.setenv("SITE_URL", "https://example.org/portal")

    assert env.origin("SITE_URL", id="x", hint="") == ""

    assert [problem.message for problem in env.problems] == ["SITE_URL is 'https://example.org/portal'."]


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(
            ["gunicorn", "portal.wsgi", "--workers=1", "--no-control-socket", "--bind=127.0.0.1:{port}"], id="web"
        ),
        pytest.param(["celery", "-A", "portal.celery", "worker", "--pool=solo"], id="worker", marks=pytest.mark.long),
        pytest.param(
            ["celery", "-A", "portal.celery", "beat", "--pidfile=", "--schedule={tmp}/beat"],
            id="beat",
            marks=pytest.mark.long,
        ),
    ],
)
def test_no_command_starts_with_wrong_settings(program: list[str], tmp_path: object) -> None:
    command = [part.format(port=free_port(), tmp=tmp_path) for part in program]

    done = run([sys.executable, "-m", *command], {"SECRET_KEY": None, "LEASE_SECONDS": "soon"})

    assert done.returncode != 0
    output = done.stderr
    assert "spacekeep.E001: SECRET_KEY is not set. A long random text, the same for web and workers." in output
    assert "spacekeep.E016: LEASE_SECONDS is 'soon'. It is a whole number, at least 2; by default 600." in output
    assert "Traceback" not in output


def test_a_command_of_django_says_in_a_line_that_the_database_is_down() -> None:
    """Django's checks query the database before the command starts."""
    done = run([*MANAGE, "migrate"], {"DATABASE_URL": "postgres://somebody@127.0.0.1:1/spacekeep"})

    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(
        r"CommandError: The database can't be reached: .*refused\. "
        r"Run the command again when it is back: nothing was lost\.\n",
        done.stderr,
    )


@pytest.mark.usefixtures("bucket")
def test_production_settings_are_clean() -> None:
    command = [*MANAGE, "check", "--deploy", "--fail-level=WARNING", "--database=default"]

    done = run(command, {**HTTPS, "SECRET_KEY": STRONG})

    assert done.returncode == 0, done.stderr
    assert "System check identified no issues" in done.stdout


@pytest.mark.long
def test_a_weak_secret_is_not_clean() -> None:
    done = run([*MANAGE, "check", "--deploy", "--fail-level=WARNING"], {**HTTPS, "SECRET_KEY": "secret"})

    assert (done.returncode, "security.W009" in done.stderr) == (1, True)


def test_the_database_url_keeps_its_options() -> None:
    """Options such as sslmode are kept beside our own."""
    code = "from portal import settings; print(settings.DATABASES['default']['OPTIONS'])"

    done = run([sys.executable, "-c", code], {"DATABASE_URL": "postgres://a:b@db.example.org/s?sslmode=verify-full"})

    assert "'sslmode': 'verify-full'" in done.stdout
    assert "idle_in_transaction_session_timeout" in done.stdout


@pytest.mark.skipif(plugin.POOLED, reason="pgbouncer drops what the address asks for")
@pytest.mark.parametrize(
    ("timeout", "when"),
    [("0", "never"), pytest.param("2min", "after 120 s", marks=pytest.mark.long)],
)
def test_a_start_names_what_is_wrong_with_the_database(timeout: str, when: str) -> None:
    """The database was not migrated, and idle transactions do not end, as behind a pooler that drops our limit. An
    option in the URL, which overrides our limit, simulates the pooler."""
    code = "import django; django.setup(); from portal import checks; checks.stop_if_wrong()"
    url = f"{os.environ['DATABASE_URL']}?options=-c%20idle_in_transaction_session_timeout%3D{timeout}"

    done = run([sys.executable, "-c", code], {"DATABASE_URL": url})

    assert done.returncode == 3, done.stderr
    (line,) = (line for line in done.stderr.splitlines() if "spacekeep.E190" in line)
    assert re.fullmatch(
        r"spacekeep.E190: The database lacks \d+ migrations of this version, among them archive.0001_initial. "
        r"Run `manage.py migrate` with this version, then start this again: nothing was changed.",
        line,
    )
    assert "Traceback" not in done.stderr
    assert f"spacekeep.W177: PostgreSQL ends idle transactions {when}, and not after 60 s" in done.stderr
    assert "SET idle_in_transaction_session_timeout = '60s'" in done.stderr


def test_what_holds_checkpoints_needs_settings_of_its_own() -> None:
    bucket = {"LOG_BUCKET": os.environ["S3_BUCKET"], "LOG_S3_ACCESS_KEY_ID": os.environ["S3_ACCESS_KEY_ID"]}
    authority = {"LOG_TSA_URL": "https://tsa.example.org/", "LOG_TSA_CA": "/not/there.pem"}
    done = run([*MANAGE, "check"], {**bucket, **authority})

    assert "(spacekeep.E135) LOG_BUCKET is the bucket of S3_BUCKET." in done.stderr
    assert "(spacekeep.E134) LOG_S3_SECRET_ACCESS_KEY is not set." in done.stderr
    assert "(spacekeep.W136) LOG_S3_ACCESS_KEY_ID is S3_ACCESS_KEY_ID." in done.stderr
    assert "(spacekeep.E139) LOG_TSA_CA is '/not/there.pem'." in done.stderr
