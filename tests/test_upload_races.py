"""Concurrent actions on an upload: it completes once or ends, never both and never neither."""

from datetime import timedelta
from typing import Any

import pytest

from archive import dbtime
from archive.errors import Conflict, TooLate
from archive.intake.uploads import clean_up, complete, sessions
from archive.intake.uploads.sessions import FileSpec, Uploader
from archive.models import Space, UploadSession, User
from archive.retention.purge import begin as begin_purge
from archive.retention.purge import purge
from archive.storage import ObjectInfo, StoredPart, Upload, begin, keys, store, stored_parts
from tests.support.api_client import ApiClient
from tests.support.deadlines import make_due
from tests.support.log_entries import events
from tests.support.threads import at_once, commit_first
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("committed")

SENT = b"RIFF" + bytes(range(256)) * 40
FILE = FileSpec("recording", "a.wav", 1)
ROUNDS = 3


def sent(caller: ApiClient) -> UploadSession:
    upload = caller.begin(caller.announce().json["id"], SENT).json
    caller.send(upload, SENT)
    return UploadSession.objects.select_related("space").get(pk=upload["id"])


def fresh(session: UploadSession) -> UploadSession:
    return UploadSession.objects.select_related("space").get(pk=session.pk)


def test_an_abort_between_completion_and_its_check(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    session, by = sent(ApiClient(user=alice)), Uploader(user=alice)

    def complete_then_give_up(upload: Upload, **checksums: Any) -> ObjectInfo:
        stored = completed(upload, **checksums)
        clean_up.abort(fresh(session), by)
        return stored

    completed = Upload.complete
    monkeypatch.setattr(Upload, "complete", complete_then_give_up)

    assert outcome(complete.complete, fresh(session), by) == "Conflict"
    assert not store().listing(keys.prefix(session.space_id))


def outcome(call: Any, *arguments: Any) -> str:
    try:
        call(*arguments)
    except (Conflict, TooLate) as error:
        return type(error).__name__
    return "done"


def test_two_completions_race(alice: User) -> None:
    caller, by = ApiClient(user=alice), Uploader(user=alice)
    for _ in range(ROUNDS):
        session = sent(caller)

        responses = at_once(*[lambda s=session: outcome(complete.complete, fresh(s), by)] * 3)

        assert responses == ["done", "done", "done"]
        assert events(session.space).count("upload.completed") == 1
        assert store().head(session.key).size == len(SENT)


def test_parts_that_vanish_because_another_process_completes(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """While MinIO completes an upload, it briefly lists it without its parts."""
    session, by = sent(ApiClient(user=alice)), Uploader(user=alice)

    def list_during_completion(upload: Upload) -> list[StoredPart]:
        upload.parts = {part.number: part.etag for part in listed(upload)}
        upload.complete()
        return []

    listed = stored_parts
    monkeypatch.setattr(complete, "stored_parts", list_during_completion)

    assert complete.complete(fresh(session), by).state == "uploaded"
    assert store().head(session.key).size == len(SENT)


def test_parts_that_are_missing(alice: User) -> None:
    caller, by = ApiClient(user=alice), Uploader(user=alice)
    upload = caller.begin(caller.announce().json["id"], SENT).json

    session = UploadSession.objects.select_related("space").get(pk=upload["id"])
    assert outcome(complete.complete, session, by) == "Conflict"
    assert fresh(session).state == "open"


def test_a_completion_races_an_abort(alice: User) -> None:
    caller, by = ApiClient(user=alice), Uploader(user=alice)
    for _ in range(ROUNDS):
        session = sent(caller)

        responses = at_once(
            lambda s=session: outcome(complete.complete, fresh(s), by),  # type: ignore[misc]
            lambda s=session: outcome(clean_up.abort, fresh(s), by),  # type: ignore[misc]
        )

        session.refresh_from_db()
        listing = store().listing(keys.prefix(session.space_id))
        assert sorted(responses) == ["Conflict", "done"]
        assert (session.state, len(listing.versions)) == (("uploaded", 1) if responses[0] == "done" else ("aborted", 0))
        assert listing.uploads == ()


def test_a_completion_races_the_deadline(alice: User) -> None:
    """Whichever wins, nothing is left after the deletion."""
    caller, by = ApiClient(user=alice), Uploader(user=alice)
    for _ in range(ROUNDS):
        session = sent(caller)

        def purge_when_due(session: UploadSession = session) -> str:
            make_due(session.space)
            return str(purge(session.space_id))

        completion, _ = at_once(
            lambda s=session: outcome(complete.complete, fresh(s), by),  # type: ignore[misc]
            purge_when_due,
        )

        logged = events(session.space)
        assert (completion, logged.count("upload.completed")) in [("done", 1), ("TooLate", 0)]
        assert logged.count("deletion.started") == 1
        Space.objects.update(retry_at=None)
        purge(session.space_id)
        assert Space.objects.get(pk=session.space_id).state == "deleted"
        assert not store().listing(keys.prefix(session.space_id))


@pytest.mark.parametrize("order", ["deletion first", "completion first"])
def test_a_deletion_while_the_store_completes(order: str, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    session, by = sent(ApiClient(user=alice)), Uploader(user=alice)

    def delete() -> None:
        make_due(session.space)
        assert purge(session.space_id)

    def complete_and_delete(upload: Upload, **checksums: Any) -> ObjectInfo:
        if order == "deletion first":
            delete()
            return completed(upload, **checksums)
        stored = completed(upload, **checksums)
        delete()
        return stored

    completed = Upload.complete
    monkeypatch.setattr(Upload, "complete", complete_and_delete)

    assert outcome(complete.complete, fresh(session), by) == "TooLate"
    assert "upload.completed" not in events(session.space)
    assert Space.objects.get(pk=session.space_id).state == "deleted"
    assert not store().listing(keys.prefix(session.space_id))


def test_rows_read_before_a_deletion_change_nothing_after_it(alice: User) -> None:
    caller, by = ApiClient(user=alice), Uploader(user=alice)
    session = sent(caller)
    make_due(session.space)
    assert purge(session.space_id)

    assert outcome(complete.complete, session, by) == "TooLate"
    assert outcome(complete.list_parts, session, by) == "TooLate"
    assert outcome(clean_up.abort, session, by) == "TooLate"
    assert outcome(sessions.open_session, session.space_id, FILE, by) == "TooLate"
    assert not store().listing(keys.prefix(session.space_id))


def test_two_recording_uploads_race(alice: User) -> None:
    caller, by = ApiClient(user=alice), Uploader(user=alice)
    for _ in range(ROUNDS):
        space = Space.objects.get(pk=caller.announce().json["id"])

        responses = at_once(*[lambda s=space: outcome(sessions.open_session, s.pk, FILE, by)] * 3)

        assert sorted(responses) == ["Conflict", "Conflict", "done"]
        assert len(store().listing(keys.prefix(space.pk)).uploads) == 1
        UploadSession.objects.update(state="aborted")


def test_the_limit_holds_for_concurrent_uploads(alice: User, settings: Any) -> None:
    settings.MAX_OPEN_UPLOADS = 2
    caller, by = ApiClient(user=alice), Uploader(user=alice)
    spaces = [caller.announce().json["id"] for _ in range(5)]

    responses = at_once(*[lambda s=s: outcome(sessions.open_session, s, FILE, by) for s in spaces])

    assert sorted(responses) == ["Conflict", "Conflict", "Conflict", "done", "done"]


def test_the_deletion_starts_while_an_upload_is_opened(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    caller, by = ApiClient(user=alice), Uploader(user=alice)
    space = Space.objects.get(pk=caller.announce().json["id"])

    def begin_late(*arguments: Any, **checksums: Any) -> Any:
        upload = begin(*arguments, **checksums)
        make_due(space)
        assert begin_purge(space.pk)
        return upload

    monkeypatch.setattr("archive.intake.uploads.sessions.begin", begin_late)

    assert outcome(sessions.open_session, space.pk, FILE, by) == "TooLate"
    assert not store().listing(keys.prefix(space.pk))


def test_activity_races_an_abort(alice: User) -> None:
    """The dispatcher saw the upload abandoned, and waits for the transaction of a request for a part."""
    session = sent(ApiClient(user=alice))
    UploadSession.objects.update(last_activity_at=dbtime.now() - timedelta(hours=25))

    abandoned = commit_first(lambda: sessions.record_activity(session), lambda: clean_up.abandon(session.pk))

    abandoned.result(timeout=PATIENCE)
    session.refresh_from_db()
    assert session.state == "open"
