"""A process is killed while it ends an upload: the upload is complete or aborted, and nothing stays stuck."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from archive import dbtime, recorders, tasks
from archive.models import Space, UploadSession, User
from archive.storage import keys, store
from tests.support.api_client import RemoteApiClient
from tests.support.leases import expire_leases
from tests.support.log_entries import event_detail, events
from tests.support.paused_at import PausedAt
from tests.support.processes import Services
from tests.support.proxy import PausingProxy
from tests.support.waiting import dispatch_until, wait_until

COMPLETES = r"POST /spacekeep/spaces/[^ ]+\?uploadId="
OPENS = r"POST /spacekeep/spaces/[^ ]+\?uploads"
SENT = b"RIFF" + bytes(range(256)) * 40


@pytest.fixture
def token(committed: None, alice: User, admin: User) -> str:
    return recorders.create_token("studio", 30, admin, for_anybody=True)[1]


def begun(caller: RemoteApiClient) -> dict[str, Any]:
    upload: dict[str, Any] = caller.begin(caller.announce(host="alice").json["id"], SENT).json
    caller.send(upload, SENT)
    return upload


def meanwhile(pool: ThreadPoolExecutor, caller: RemoteApiClient, path: str) -> "Future[Any]":
    def call() -> Any:
        with suppress(OSError):  # the process is killed during the request
            return caller.post(path)

    return pool.submit(call)


def assert_whole(upload: dict[str, Any]) -> None:
    session = UploadSession.objects.get()
    assert (session.state, session.space.state) == ("uploaded", "processing")
    assert store().read(session.key, 0, len(SENT), session.etag) == SENT
    assert events(session.space).count("upload.completed") == 1
    assert store().listing(keys.prefix(session.space_id)).uploads == ()


def test_killed_between_the_stores_completion_and_the_commit(services: Services, token: str) -> None:
    caller = RemoteApiClient(services.url, token)
    web = services.web()
    upload = begun(caller)
    with ThreadPoolExecutor() as pool, PausedAt("upload.completed") as pause:
        meanwhile(pool, caller, f"/uploads/{upload['id']}/complete")
        pause.wait()
        web.kill()
    session = UploadSession.objects.get()
    assert (session.state, store().head(session.key).size) == ("open", len(SENT))

    services.web()
    again = caller.post(f"/uploads/{upload['id']}/complete")

    assert (again.status, again.json["state"]) == (200, "uploaded")
    assert_whole(upload)


@pytest.mark.long
def test_killed_before_the_store_completed_it(services: Services, token: str) -> None:
    caller = RemoteApiClient(services.url, token)
    with PausingProxy(os.environ["S3_ENDPOINT_URL"], COMPLETES) as gate:
        web = web_through(services, gate)
        upload = begun(caller)
        with ThreadPoolExecutor() as pool:
            meanwhile(pool, caller, f"/uploads/{upload['id']}/complete")
            wait_until(gate.reached, "the completion reaches the store")
            web.kill()
    assert UploadSession.objects.get().state == "open"

    services.web()
    assert caller.post(f"/uploads/{upload['id']}/complete").status == 200
    assert_whole(upload)


@pytest.mark.long
def test_killed_between_the_parts_and_completing(services: Services, token: str) -> None:
    """The uploader does not return, so a worker aborts the upload after a day."""
    caller = RemoteApiClient(services.url, token)
    web = services.web()
    begun(caller)
    web.kill()
    UploadSession.objects.update(last_activity_at=dbtime.now() - timedelta(hours=25))
    services.worker()

    tasks.dispatch()

    wait_until(lambda: UploadSession.objects.get().upload_id == "", "a worker aborts the upload")
    session = UploadSession.objects.get()
    assert (session.state, event_detail(session.space, "upload.aborted")) == ("aborted", {"upload": str(session.pk)})
    assert not store().listing(keys.prefix(session.space_id))


@pytest.mark.long
def test_killed_between_an_abort_and_the_store(services: Services, token: str) -> None:
    caller = RemoteApiClient(services.url, token)
    with PausingProxy(os.environ["S3_ENDPOINT_URL"], r"DELETE /spacekeep/spaces/") as gate:
        web = web_through(services, gate)
        upload = begun(caller)
        with ThreadPoolExecutor() as pool:
            pool.submit(lambda: suppressed(caller, upload))
            wait_until(gate.reached, "the abort reaches the store")
            web.kill()
    assert UploadSession.objects.get().state == "aborted"
    expire_leases()
    services.worker()

    dispatch_until(lambda: UploadSession.objects.get().upload_id == "", "a worker removes what was left")

    assert not store().listing(keys.prefix(Space.objects.get().pk))


def suppressed(caller: RemoteApiClient, upload: dict[str, Any]) -> None:
    with suppress(OSError):
        caller.delete(f"/uploads/{upload['id']}")


@pytest.mark.long
def test_killed_between_the_store_and_the_row_of_a_new_upload(services: Services, token: str) -> None:
    caller = RemoteApiClient(services.url, token)
    web = services.web()
    space = caller.announce(host="alice").json["id"]
    with ThreadPoolExecutor() as pool, PausedAt("upload.opened") as pause:
        pool.submit(lambda: suppressed_begin(caller, space))
        pause.wait()
        web.kill()
    assert not UploadSession.objects.exists()

    services.web()
    upload = caller.begin(space, SENT).json
    caller.send(upload, SENT)
    done = caller.post(f"/uploads/{upload['id']}/complete")

    assert done.status == 200
    session = UploadSession.objects.get()
    assert store().read(session.key, 0, len(SENT), session.etag) == SENT


def suppressed_begin(caller: RemoteApiClient, space: str) -> None:
    with suppress(OSError):
        caller.begin(space, SENT)


def web_through(services: Services, gate: PausingProxy) -> Any:
    """A web process that reaches the store through `gate`; browsers still reach it directly."""
    os.environ["S3_PUBLIC_ENDPOINT_URL"], before = os.environ["S3_ENDPOINT_URL"], os.environ["S3_ENDPOINT_URL"]
    os.environ["S3_ENDPOINT_URL"] = gate.url
    try:
        return services.web()
    finally:
        os.environ["S3_ENDPOINT_URL"] = before
