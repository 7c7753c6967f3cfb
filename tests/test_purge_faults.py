"""Store faults during a deletion: a Space is never recorded as deleted while objects are left, the deletion resumes by
itself, and it ends exactly once."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from botocore.config import Config
from django.conf import settings

from archive.bundles import exports
from archive.errors import make_problem
from archive.models import DeletionCertificate, Export, ExportPart, LogEntry, Space, User
from archive.retention.purge import sweep_all
from archive.storage import keys, store
from archive.storage.s3 import backend
from tests.faults.proxy import Fault, Proxy
from tests.faults.worker import work
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row
from tests.support.leases import end_pauses
from tests.support.log_entries import entries, events
from tests.support.object_stores import override_store
from tests.support.processes import empty_queues
from tests.support.rows import reload_space

pytestmark = pytest.mark.usefixtures("db", "queues")
DELETE = r"^POST /\S*\?delete"
LIST = r"^GET /\S*\?\S*versions"
UPLOADS = r"^GET /\S*\?\S*uploads"
END = r"^DELETE /\S*uploadId"


@pytest.fixture
def queues() -> Iterator[None]:
    empty_queues()
    yield
    empty_queues()


@pytest.fixture
def spaces(db: None, alice: User) -> list[Space]:
    """Three due Spaces in one export part, each with four objects and an open upload in the store."""
    spaces, bucket = [make_row(alice) for _ in range(3)], store()
    for space in spaces:
        make_contents(space)
    export_part = exports.request(alice, Export.Size.SMALL).parts.get()
    bucket.client.put_object(Bucket=bucket.bucket, Key=keys.export_part(export_part.pk), Body=b"all of them")
    for space in spaces:
        bucket.client.create_multipart_upload(Bucket=bucket.bucket, Key=f"{keys.prefix(space.pk)}open")
        make_due(space)
    return spaces


@contextmanager
def faulty_store(*faults: Fault, attempts: int = 1) -> Iterator[Proxy]:
    """A store with `faults`. The SDK makes `attempts` attempts per call, and waits as long as the store needs, unless a
    fault is a slow response."""
    slow = any(fault.after_seconds for fault in faults)
    with Proxy(settings.S3_ENDPOINT_URL, *faults) as proxy, override_store(endpoint_url=proxy.url):
        configured = backend("default")
        configured.client_config = configured.client_config.merge(
            Config(read_timeout=1.5 if slow else 60, retries={"mode": "standard", "total_max_attempts": attempts})
        )
        yield proxy


def left(space: Space) -> int:
    """Return how many objects and uploads are left, according to the store itself."""
    listing = [store().listing(place) for place in (keys.prefix(space.pk), *export_parts())]
    return sum(len(one.versions) + len(one.uploads) for one in listing)


def export_parts() -> list[str]:
    return [keys.export_part(pk) for pk in ExportPart.objects.values_list("pk", flat=True)]


def assert_nothing_is_pretended(spaces: list[Space]) -> None:
    for space in spaces:
        over = (reload_space(space).state == "deleted", DeletionCertificate.objects.filter(pk=space.pk).exists())
        assert over in ((False, False), (True, True))
        assert not (over[0] and left(space))


def assert_it_goes_on_and_ends_once(spaces: list[Space]) -> None:
    """Run rounds of the dispatcher, with the pauses ended, and nothing else."""
    end_pauses()
    work()
    for space in spaces:
        assert (reload_space(space).state, reload_space(space).title, left(space)) == ("deleted", "", 0)
        story = events(space)
        assert (story.count("deletion.started"), story.count("space.deleted"), story[-1]) == (1, 1, "space.deleted")
        assert DeletionCertificate.objects.filter(pk=space.pk).count() == 1


LONG = pytest.mark.long
STAYS = [
    pytest.param(Fault(DELETE, status=500, code="InternalError"), "answered 500 InternalError", id="500"),
    pytest.param(Fault(DELETE, status=503, code="SlowDown"), "answered 503 SlowDown", id="503", marks=LONG),
    pytest.param(Fault(DELETE, status=403, code="AccessDenied"), "answered 403 AccessDenied", id="403", marks=LONG),
    pytest.param(Fault(LIST, status=403, code="AccessDenied"), "answered 403 AccessDenied", id="403 to a listing"),
    pytest.param(Fault(LIST, status=404, code="NoSuchBucket"), "answered 404 NoSuchBucket", id="no bucket", marks=LONG),
    pytest.param(
        Fault(UPLOADS, status=500, code="InternalError"), "answered 500", id="500 to open uploads", marks=LONG
    ),
    pytest.param(
        Fault(END, status=403, code="AccessDenied"), "answered 403", id="403 to an end of an upload", marks=LONG
    ),
    pytest.param(Fault(DELETE, after_seconds=2.5, times=1), "ReadTimeoutError", id="slow", marks=LONG),
    pytest.param(Fault(DELETE, lost=True, times=1), "can't be reached", id="reset after it was done"),
]


@pytest.mark.parametrize(("fault", "words"), STAYS)
def test_a_persistent_store_error_keeps_the_space_expiring(spaces: list[Space], fault: Fault, words: str) -> None:
    fault.seen = 0
    with faulty_store(fault):
        assert list(sweep_all()) == []

    assert fault.seen
    assert_nothing_is_pretended(spaces)
    for space in spaces:
        assert reload_space(space).state == "expiring"
        assert words in reload_space(space).problem_text
        assert reload_space(space).retry_at is not None
    assert_it_goes_on_and_ends_once(spaces)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(DELETE, lost=True, times=1), id="reset after it was done"),
        pytest.param(Fault(END, lost=True, times=2), id="reset after ends of uploads", marks=LONG),
        pytest.param(Fault(DELETE, status=503, code="SlowDown", times=1), id="503", marks=LONG),
        pytest.param(Fault(DELETE, after_seconds=2.5, times=1), id="slow", marks=LONG),
    ],
)
def test_a_transient_store_error_is_retried(spaces: list[Space], fault: Fault) -> None:
    fault.seen = 0
    with faulty_store(fault, attempts=3):  # as in production
        assert set(sweep_all()) == {space.pk for space in spaces}

    assert fault.seen == fault.times
    assert_nothing_is_pretended(spaces)
    assert_it_goes_on_and_ends_once(spaces)


def keeps(*refused_keys: str) -> Fault:
    """DeleteObjects refuses these keys and deletes the others."""
    own = store()
    data = {key: own.client.get_object(Bucket=own.bucket, Key=key)["Body"].read() for key in refused_keys}

    def changed(content: bytes) -> bytes:
        for key, body in data.items():
            own.client.put_object(Bucket=own.bucket, Key=key, Body=body)
        errors = "".join(f"<Error><Key>{key}</Key><Code>AccessDenied</Code></Error>" for key in refused_keys)
        return re.sub(
            rb"(<DeleteResult[^>]*?)/?>(</DeleteResult>)?$", rb"\1>%b</DeleteResult>" % errors.encode(), content
        )

    return Fault(DELETE, changed=changed)


def test_refused_keys_block_only_their_spaces(spaces: list[Space]) -> None:
    first, second, fine = spaces
    refused = {space.pk: keys.recording(space.pk, 1, "m4a") for space in (first, second)}

    with faulty_store(keeps(*refused.values())):
        for _ in range(2):  # on every attempt
            gone = list(sweep_all())
            assert_nothing_is_pretended(spaces)
            end_pauses()

    assert gone == []
    assert reload_space(fine).state == "deleted"
    for space in (first, second):
        assert (reload_space(space).state, left(space)) == ("expiring", 1)
        assert reload_space(space).problem == make_problem(
            "storage.not_deleted", count=1, keys=[f"{refused[space.pk]} (AccessDenied)"]
        )
    assert_it_goes_on_and_ends_once(spaces)


def test_an_undeletable_export_part_blocks_its_spaces(spaces: list[Space]) -> None:
    (export_part,) = export_parts()

    with faulty_store(keeps(export_part)):
        assert list(sweep_all()) == []

    assert_nothing_is_pretended(spaces)
    assert {reload_space(space).problem_text for space in spaces} == {
        f"1 objects were not deleted: {export_part} (AccessDenied)."
    }
    assert_it_goes_on_and_ends_once(spaces)


def test_repeated_failures_are_logged_once(spaces: list[Space]) -> None:
    ids: set[UUID] = {space.pk for space in spaces}
    with faulty_store(Fault(DELETE, status=403, code="AccessDenied")):
        for _ in range(5):
            assert list(sweep_all()) == []
            end_pauses()

    for space in spaces:  # with its open upload the first time, which was aborted
        listed = [detail["open_uploads"] for event, detail in entries(space) if event == "deletion.inventoried"]
        assert listed == [1, 0]
    assert set(Space.objects.filter(attempts=5).values_list("pk", flat=True)) == ids
    assert_it_goes_on_and_ends_once(spaces)
    work()
    assert LogEntry.objects.filter(event="space.deleted").count() == 3, "a round later, nothing is told again"
