"""Each mistake that operators make with a store is one line that names cause and remedy: as text, as JSON (--json), and
in the check that runs before a process starts."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings

from archive.storage import Store
from archive.storage.checks import bucket_is_erasable
from tests.faults.proxy import Answer, Asked
from tests.support.authorities import Authority
from tests.support.object_stores import override_store
from tests.support.other_seaweedfs import READ_ONLY, STRANGER, OtherSeaweedFS, other_seaweedfs
from tests.support.store_profiles import Profile, error

pytestmark = pytest.mark.usefixtures("db")

ANSWERED = "the object store answered"
NOTHING_LOST = " Nothing was lost."
ERASABLE = "Set S3_BUCKET to one that never had versioning or object lock: no bucket gets rid of them."


class Region(Profile):
    """A bucket in eu-central-1: responds as AWS does to a request signed for another region (AWS's page "Error
    responses", AuthorizationHeaderMalformed). SeaweedFS accepts every region."""

    def refuse(self, asked: Asked) -> Answer | None:
        if "/us-east-1/s3/" not in asked.headers.get("authorization", "") + asked.query.get("X-Amz-Credential", ""):
            return super().refuse(asked)
        words = "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-central-1'"
        status, headers, body = error(400, "AuthorizationHeaderMalformed", words)
        return status, headers, body.replace(b"</Error>", b"<Region>eu-central-1</Region></Error>")


class Clock(Profile):
    """A store whose clock is `ahead` of ours. SeaweedFS 4.48, like AWS, refuses requests that were signed more than 15
    minutes from its own time. The message is SeaweedFS's."""

    ahead = timedelta()

    def refuse(self, asked: Asked) -> Answer | None:
        signed = datetime.strptime(asked.headers["x-amz-date"], "%Y%m%dT%H%M%S%z")
        if abs(signed - self.now()) < timedelta(minutes=15):
            return super().refuse(asked)
        words = "The difference between the request time and the server's time is too large."
        return error(403, "RequestTimeTooSkewed", words)

    def change(self, asked: Asked, answer: Answer) -> Answer:
        status, headers, body = answer
        others = [header for header in headers if header[0].lower() != "date"]
        return status, [*others, ("Date", format_datetime(self.now(), usegmt=True))], body

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class SlowClock(Clock):
    ahead = timedelta(hours=-1)


class FastClock(Clock):
    ahead = timedelta(hours=1)


class NoDeletion(Profile):
    """A key without s3:DeleteObject and s3:DeleteObjectVersion: according to AWS's page of DeleteObjects, the response
    is 200, with an AccessDenied for each key."""

    def refuse(self, asked: Asked) -> Answer | None:
        if asked.method == "DELETE" and "uploadId" not in asked.query:
            return error(403, "AccessDenied", "Access Denied")
        if asked.method == "POST" and "delete" in asked.query:
            keys = [part.split(b"</Key>")[0] for part in asked.body.split(b"<Key>")[1:]]
            errors = b"".join(b"<Error><Key>%s</Key><Code>AccessDenied</Code></Error>" % key for key in keys)
            return 200, [("Content-Type", "application/xml")], b"<DeleteResult>%s</DeleteResult>" % errors
        return super().refuse(asked)


@contextmanager
def use(**options: Any) -> Iterator[Store]:
    with override_store(public=True, tried=False, **options) as bucket:
        yield bucket


@contextmanager
def behind(profile: type[Profile]) -> Iterator[Store]:
    with profile() as proxy, use(endpoint_url=proxy.url) as bucket:
        yield bucket


@contextmanager
def fresh(**creation: Any) -> Iterator[Store]:
    with use(bucket_name=f"fresh-{uuid4()}") as bucket:
        bucket.client.create_bucket(Bucket=bucket.bucket, **creation)
        yield bucket


@contextmanager
def versioned() -> Iterator[Store]:
    with fresh() as bucket:
        bucket.client.put_bucket_versioning(Bucket=bucket.bucket, VersioningConfiguration={"Status": "Enabled"})
        yield bucket


class Redirect(Profile):
    """A proxy that redirects from http to https, as nginx does if configured so."""

    def refuse(self, asked: Asked) -> Answer | None:
        return 301, [("Location", f"https://store.example.org{asked.target}")], b"<html>301 Moved Permanently</html>"


@contextmanager
def no_cors() -> Iterator[Store]:
    """The bucket allows only another origin, and setup_store may not change its CORS rules."""
    with override_settings(S3_CORS="configured"), fresh() as bucket:
        rule: Any = {
            "AllowedOrigins": ["https://other.example.org"],
            "AllowedMethods": ["GET"],
            "AllowedHeaders": ["*"],
        }
        bucket.client.put_bucket_cors(Bucket=bucket.bucket, CORSConfiguration={"CORSRules": [rule]})
        yield bucket


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the line of `setup_store --json`, with ID for the random part, and assert that its facts match."""
    with pytest.raises(CommandError) as raised:
        call_command("setup_store", "--json")
    line = anonymous(str(raised.value))
    facts = json.loads(anonymous(capsys.readouterr().out))
    assert not facts["usable"]
    assert facts["remedy"]
    assert f"{facts['problem'].rstrip('.')}. {facts['remedy']}" in line
    assert "\n" not in line
    return line


def anonymous(text: str) -> str:
    return re.sub(r"rehearsal/[0-9a-f-]{36}/", "rehearsal/ID/", text)


def said_by_check() -> list[tuple[str, str]]:
    """Return message and hint of `manage.py check --database default`, which runs before a process starts."""
    return [(message.msg, message.hint or "") for message in bucket_is_erasable(databases=["default"])]


DENIED = f"spacekeep: {ANSWERED} 403"
TOO_FAR = f"{DENIED} RequestTimeTooSkewed: The difference between the request time and the server's time is too large."
HTTPS = "It speaks https there: set S3_ENDPOINT_URL to https://."
UNREACHABLE = "spacekeep: the object store can't be reached"
# Stores that refuse every request: (the store, its problem, the remedy).
KEY: dict[str, tuple[Callable[[], AbstractContextManager[Store]], str, str]] = {
    "unknown key": (
        lambda: use(access_key="nobody"),
        f"{DENIED} InvalidAccessKeyId: The access key ID you provided does not exist in our records.",
        "The store does not know the key: check S3_ACCESS_KEY_ID.",
    ),
    "wrong secret": (
        lambda: use(secret_key="not-the-secret"),
        f"{DENIED} SignatureDoesNotMatch: The request signature we calculated does not match the signature you "
        "provided. Check your key and signing method.",
        "The secret is wrong: check S3_SECRET_ACCESS_KEY, and that no proxy changes the host.",
    ),
    "clock ahead": (
        lambda: behind(SlowClock),
        TOO_FAR,
        "This machine's clock is 60 minutes ahead of the store's: set the one that is wrong, best by NTP.",
    ),
    "clock behind": (
        lambda: behind(FastClock),
        TOO_FAR,
        "This machine's clock is 60 minutes behind the store's: set the one that is wrong, best by NTP.",
    ),
    "wrong region": (
        lambda: behind(Region),
        f"spacekeep: {ANSWERED} 400 AuthorizationHeaderMalformed: The authorization header is malformed; the region "
        "'us-east-1' is wrong; expecting 'eu-central-1'.",
        "Set S3_REGION to eu-central-1.",
    ),
    "http, led to https": (lambda: behind(Redirect), f"spacekeep: {ANSWERED} 301 Moved Permanently.", HTTPS),
    "https for http": (
        lambda: use(endpoint_url=settings.S3_ENDPOINT_URL.replace("http:", "https:")),
        f"{UNREACHABLE} (SSLError).",
        "It speaks http there: set S3_ENDPOINT_URL to http://.",
    ),
}


@pytest.mark.parametrize("name", KEY)
def test_what_no_request_gets_past(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    misconfigured, problem, remedy = KEY[name]
    with misconfigured():
        line = f"{problem} {remedy}{NOTHING_LOST}"
        assert refused(capsys) == line
        with pytest.raises(CommandError) as raised:
            call_command("setup_store")  # the same as text
        assert (str(raised.value), capsys.readouterr().out) == (line, "")
        assert said_by_check() == [(problem, remedy)]


def test_http_where_https_is_spoken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The connection breaks, as behind most load balancers. Also https with an untrusted certificate."""
    proxy = Profile()
    proxy.tls = Authority(tmp_path).context("127.0.0.1")
    with proxy:
        with use(endpoint_url=proxy.url.replace("https:", "http:")):
            assert refused(capsys) == f"{UNREACHABLE} (ConnectionClosedError). {HTTPS}{NOTHING_LOST}"
            assert said_by_check() == [(f"{UNREACHABLE} (ConnectionClosedError).", HTTPS)]
        with use(endpoint_url=proxy.url):
            trust = "This machine does not trust its certificate: set S3_CA_BUNDLE to the file of its authority (PEM)."
            assert refused(capsys) == f"{UNREACHABLE} (SSLError). {trust}{NOTHING_LOST}"


def test_versioning(capsys: pytest.CaptureFixture[str]) -> None:
    problem = "Versioning is enabled: a deleted object could live on as an old version."
    with versioned() as bucket:
        line = f"The bucket {bucket.bucket} can't be used: {problem} {ERASABLE}"
        assert refused(capsys) == line
        with pytest.raises(CommandError) as raised:
            call_command("setup_store")  # the same as text, which also lists what was tried
        assert str(raised.value) == line
        *tried, last = capsys.readouterr().out.splitlines()
        place = tried.index(f"             {problem}")
        assert tried[place - 1] == "  FAILED     the bucket keeps no old versions"
        assert last == f"The bucket {bucket.bucket} can't be used."
        told = f"Objects in bucket {bucket.bucket} could not be permanently deleted. {problem}"
        assert said_by_check() == [(told, ERASABLE)]


def test_object_lock(capsys: pytest.CaptureFixture[str]) -> None:
    problem = "Object lock is on: the store could refuse to delete before a date of its own."
    with fresh(ObjectLockEnabledForBucket=True) as bucket:
        assert refused(capsys) == f"The bucket {bucket.bucket} can't be used: {problem} {ERASABLE}"
        told = f"Objects in bucket {bucket.bucket} could not be permanently deleted. {problem}"
        assert said_by_check()[0] == (told, ERASABLE)


def test_no_cors(capsys: pytest.CaptureFixture[str]) -> None:
    """A warning only, because recorders can upload."""
    problem = "It answered 403 AccessDenied: Access Denied, and allows no origin."
    remedy = "Allow GET, HEAD and PUT from SITE_URL at the store (docs/stores.md), and check S3_PUBLIC_ENDPOINT_URL."
    with no_cors() as bucket:
        call_command("setup_store")
        *_, warning, last = capsys.readouterr().out.splitlines()
        call_command("setup_store", "--json")
        facts = json.loads(capsys.readouterr().out)

    assert warning == f"WARNING: browsers can't upload to {settings.S3_PUBLIC_ENDPOINT_URL}: {problem} {remedy}"
    assert last == f"The bucket {bucket.bucket} is ready."
    assert facts["usable"]
    (cors,) = [finding for finding in facts["findings"] if finding["name"] == "cors"]
    assert (cors["problem"], cors["remedy"]) == (problem, remedy)


@pytest.fixture(scope="module")
def full() -> Iterator[OtherSeaweedFS]:
    """A store without free space, in which a stranger may read one bucket and own none."""
    with other_seaweedfs(full=True) as engine:
        with use(**engine.options, bucket_name="theirs") as bucket:
            for name in ("theirs", READ_ONLY):
                bucket.client.create_bucket(Bucket=name)
            bucket.client.put_object(Bucket="theirs", Key="a", Body=bytes(3_000_000))
        yield engine


def test_the_bucket_of_another_account(full: OtherSeaweedFS, capsys: pytest.CaptureFixture[str]) -> None:
    problem = f"theirs: {ANSWERED} 403 AccessDenied: Access Denied."
    remedy = "The bucket belongs to another account: set S3_BUCKET to a name of your own."
    with use(**full.options | STRANGER, bucket_name="theirs"):
        assert refused(capsys) == f"{problem} {remedy}{NOTHING_LOST}"
        assert said_by_check() == [(problem, remedy)]


def test_a_missing_permission(full: OtherSeaweedFS, capsys: pytest.CaptureFixture[str]) -> None:
    with use(**full.options | STRANGER, bucket_name=READ_ONLY):
        assert refused(capsys) == (
            f"The bucket {READ_ONLY} can't be used: parts with a CRC-32: rehearsal/ID/own_checksums/object: {ANSWERED} "
            "403 AccessDenied: Access Denied. The key lacks s3:PutObject. Give it the permissions in docs/stores.md."
        )


def test_a_missing_permission_to_delete(capsys: pytest.CaptureFixture[str]) -> None:
    with behind(NoDeletion):
        assert refused(capsys) == (
            f"The bucket spacekeep can't be used: DeleteObjects: rehearsal/ID/deletes_many/0: {ANSWERED} 403 "
            "AccessDenied. The key lacks s3:DeleteObject, s3:DeleteObjectVersion. "
            "Give it the permissions in docs/stores.md."
        )


def test_a_full_disk(full: OtherSeaweedFS, capsys: pytest.CaptureFixture[str]) -> None:
    with use(**full.options, bucket_name="theirs"):
        assert refused(capsys) == (
            f"rehearsal/ID/own_checksums/object: {ANSWERED} 500 InternalError: We encountered an internal error, "
            "please try again. It can be read, but not written: most likely its disk is full. See its own log; free "
            "some room, or add some. Nothing was lost."
        )
