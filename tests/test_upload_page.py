"""The upload page: access, prefilled facts, and its messages during uploads."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from archive.errors import Problem, make_problem
from archive.models import Space, UploadSession, User
from tests.support.factory import make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")


def make_upload(space: Space, by: User, **fields: object) -> UploadSession:
    given = {"kind": "recording", "name": "talk.wav", "size": 40_000_000, "part_size": 5 * 1024**2, "key": "k"}
    return UploadSession.objects.create(space=space, created_by=by, upload_id="u", **given | fields)


def test_hosts_and_admins_may_upload_and_auditors_may_not(alice: User, admin: User, auditor: User) -> None:
    assert [make_client(user).get("/upload/").status_code for user in (alice, admin, auditor)] == [200, 200, 404]
    assert make_client().get("/upload/").status_code == 302
    assert make_client(alice).post("/upload/").status_code == 405


def test_a_space_of_another_host_is_404(alice: User, bob: User) -> None:
    space = make_row(bob, state="receiving")
    gone = make_row(alice, ended_ago=timedelta(days=31))

    assert make_client(alice).get(f"/upload/?space={space.pk}").status_code == 404
    assert make_client(alice).get("/upload/?space=nonsense").status_code == 404
    assert make_client(alice).get(f"/spaces/{space.pk}/progress", HTTP_HX_REQUEST="true").status_code == 404
    assert make_client(alice).get(f"/upload/?space={gone.pk}").status_code == 410


def test_only_ones_own_open_uploads_are_listed(alice: User, bob: User) -> None:
    make_upload(make_row(alice, state="receiving"), alice, name="mine.wav")
    make_upload(make_row(alice, state="receiving"), alice, name="over.wav", state="aborted")
    make_upload(make_row(bob, state="receiving"), bob, name="bobs.wav")

    shown = make_client(alice).get("/upload/").content.decode()

    assert "Choose <bdi>mine.wav</bdi> (40 MB) again" in shown
    assert "over.wav" not in shown
    assert "bobs.wav" not in shown


def test_titles_and_names_are_escaped(alice: User) -> None:
    make_upload(make_row(alice, state="receiving", title="<b>x</b>"), alice, name='"><script>.wav')

    shown = make_client(alice).get("/upload/").content.decode()

    assert "<script>.wav" not in shown
    assert "<b>x</b>" not in shown


def test_inspecting_stores_nothing_and_is_limited(alice: User, auditor: User) -> None:
    small = SimpleUploadedFile("talk.json", b"{}")
    answer = make_client(alice).post("/upload/inspect", {"file": small, "recording": ""})
    assert answer.status_code == 200
    assert answer.json()["ended_at"] is None

    many = [SimpleUploadedFile(f"{number}.json", b"{}") for number in range(6)]
    assert make_client(alice).post("/upload/inspect", {"file": many}).status_code == 413
    assert make_client(auditor).post("/upload/inspect", {"file": [small]}).status_code == 404
    assert make_client(alice).get("/upload/inspect").status_code == 405
    assert make_client(alice, enforce_csrf_checks=True).post("/upload/inspect", {"file": [small]}).status_code == 403
    assert not Space.objects.exists()


def test_the_page_shows_processing_steps(alice: User) -> None:
    space = make_row(
        alice,
        state="processing",
        processing_step="checking",
        processing_step_done=20_000_000,
        processing_step_total=40_000_000,
    )
    make_upload(space, alice, state="uploaded", etag="e")
    page = make_client(alice)

    shown = page.get(f"/spaces/{space.pk}/progress", HTTP_HX_REQUEST="true")
    assert "20 MB of 40 MB" in shown.content.decode()
    assert "HX-Refresh" not in shown.headers

    Space.objects.update(processing_step="measuring", processing_step_done=754_000, processing_step_total=0)
    assert "12:34 checked" in page.get(f"/spaces/{space.pk}/progress", HTTP_HX_REQUEST="true").content.decode()

    Space.objects.update(state="available")
    UploadSession.objects.update(state="accepted")
    assert page.get(f"/spaces/{space.pk}/progress", HTTP_HX_REQUEST="true").headers["HX-Refresh"] == "true"


def test_the_page_shows_the_next_step_before_it_starts(alice: User, settings: Settings) -> None:
    settings.TRANSCRIPTION_MODEL = "/models/tiny"
    space = make_row(alice, state="processing", transcribe=True)
    make_upload(space, alice, state="uploaded", etag="e")
    path = f"/spaces/{space.pk}/progress"

    assert "Creating the automatic transcript" in make_client(alice).get(path, HTTP_HX_REQUEST="true").content.decode()

    make_upload(space, alice, kind="transcript", state="uploaded", etag="e")
    shown = make_client(alice).get(path, HTTP_HX_REQUEST="true").content.decode()
    assert "Reading the transcript" in shown
    assert "by machine" not in shown


@pytest.mark.parametrize(
    ("problem", "is_offered"),
    [
        (make_problem("transcript.broken_lines", usable=1, broken=1, cues=[]), True),
        (make_problem("transcript.wrong_ends", cues=[]), True),
        (make_problem("transcript.all_broken", cues=[]), False),
        (make_problem("transcript.unknown_format"), False),
    ],
    ids=lambda value: value["code"] if isinstance(value, dict) else None,
)
def test_keeping_the_rest_is_offered_only_if_there_is_one(alice: User, problem: Problem, is_offered: bool) -> None:
    space = make_row(alice)
    make_upload(space, alice, kind="transcript", state="rejected", etag="e", problem=problem)

    assert ("Keep the rest" in make_client(alice).get(f"/spaces/{space.pk}/").content.decode()) is is_offered


def test_only_the_owner_may_partly_accept_a_transcript(alice: User, bob: User) -> None:
    space = make_row(alice)
    broken = make_upload(
        space, alice, kind="transcript", state="rejected", etag="e", problem=make_problem("transcript.no_lines")
    )
    path = f"/spaces/{space.pk}/accept-partial/{broken.pk}"

    assert (
        "The file has no line of speech with its times."
        in make_client(alice).get(f"/spaces/{space.pk}/").content.decode()
    )
    assert make_client(bob).post(path).status_code == 404
    assert make_client(alice).get(path).status_code == 405
    assert make_client(alice).post(path).status_code == 302
    broken.refresh_from_db()
    assert (broken.state, broken.lenient) == ("uploaded", True)
