"""The automatic transcript on the page of a Space, and who may request one."""

import pytest
from pytest_django import Settings

from archive.errors import make_problem
from archive.models import Space, Transcript, Transcription, User
from tests.support import speech_samples
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def on(settings: Settings) -> None:
    settings.TRANSCRIPTION_MODEL = speech_samples.MODEL


@pytest.fixture
def space(alice: User) -> Space:
    """A Space with a recording, but without a transcript."""
    space = make_row(alice)
    make_contents(space)
    space.transcripts.all().delete()
    return space


def panel(user: User, space: Space) -> str:
    """Return the panel as htmx gets it."""
    answer = make_client(user).get(f"/spaces/{space.id}/transcription", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


def page(user: User, space: Space) -> str:
    return make_client(user).get(f"/spaces/{space.id}/").content.decode()


def test_the_page_shows_the_progress(alice: User, space: Space) -> None:
    work = Transcription.objects.create(space=space)
    assert "Automatic transcript: waiting" in page(alice, space)

    Transcription.objects.filter(pk=work.pk).update(state="running", done_ms=65_000, total_ms=260_000)

    for shown in (panel(alice, space), page(alice, space)):
        assert '<progress max="100" value="25"' in shown
        assert "1:05 of 4:20 done" in shown
        assert f'hx-get="/spaces/{space.id}/transcription"' in shown


def test_a_partial_transcript_is_not_shown(alice: User, space: Space) -> None:
    cue = {"start_ms": 0, "end_ms": 900, "speaker": "", "text": "Runner beans."}
    Transcription.objects.create(space=space, state="running", done_ms=1, total_ms=2, cues=[cue])

    assert "Runner beans." not in page(alice, space)


def test_the_page_shows_the_failure_and_offers_a_retry(alice: User, space: Space) -> None:
    Transcription.objects.create(space=space, state="failed", problem=make_problem("transcription.no_speech"))
    shown = panel(alice, space)
    assert "transcript failed: No speech was found" in shown
    assert "Nothing was lost." in shown
    assert "hx-trigger" not in shown

    answer = make_client(alice).post(f"/spaces/{space.id}/transcription", headers={"HX-Request": "true"})

    assert "Automatic transcript: waiting" in answer.content.decode()
    assert list(space.transcriptions.order_by("requested_at").values_list("state", flat=True)) == [
        "failed",
        "requested",
    ]


def test_a_first_request_without_scripts(alice: User, space: Space) -> None:
    assert "Create an automatic transcript" in page(alice, space)

    answer = make_client(alice).post(f"/spaces/{space.id}/transcription")

    assert answer["Location"] == f"/spaces/{space.id}/#speech"
    assert space.transcriptions.get().state == "requested"


def test_the_page_says_when_transcription_is_off(alice: User, space: Space, settings: Settings) -> None:
    settings.TRANSCRIPTION_MODEL = ""

    shown = page(alice, space)

    assert "Automatic transcripts are not available here." in shown
    assert f'<a href="/upload/?space={space.id}">upload a transcript</a>' in shown
    assert "Create an automatic transcript" not in shown
    refused = (
        make_client(alice).post(f"/spaces/{space.id}/transcription", headers={"HX-Request": "true"}).content.decode()
    )
    assert "not available here. Upload a transcript instead. Nothing was lost." in refused
    assert not space.transcriptions.exists()


@pytest.mark.parametrize(("source", "warned"), [("automatic", True), ("given", False)])
def test_an_automatic_transcript_is_marked(alice: User, space: Space, source: str, warned: bool) -> None:
    make_transcript(space, ["Runner beans."])
    Transcript.objects.filter(space=space).update(source=source)

    shown = page(alice, space)

    assert "Runner beans." in shown
    assert ("It may contain mistakes" in shown) is warned


def test_only_users_with_access_see_it(alice: User, bob: User, admin: User, auditor: User, space: Space) -> None:
    address = f"/spaces/{space.id}/transcription"

    assert make_client().post(address)["Location"].startswith("/accounts/login/")
    assert make_client(bob).post(address).status_code == 404
    assert make_client(auditor).get(address).status_code == 404
    assert make_client(alice).put(address).status_code == 405
    assert "Create an automatic transcript" in panel(admin, space)
    assert "Create an automatic transcript" not in page(auditor, space)
    assert not space.transcriptions.exists()
    make_due(space)
    assert make_client(alice).get(address).status_code == 410
    assert make_client(alice).post(address).status_code == 410
