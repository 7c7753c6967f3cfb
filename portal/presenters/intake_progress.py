"""What the page of a Space says while its files are being taken in. Plain values for templates; no request in here."""

from dataclasses import dataclass, field, replace

from archive import formatting
from archive.intake.transcription import enqueue
from archive.models import Space, UploadSession


@dataclass(frozen=True)
class Step:
    """One step of taking a recording in. `state`: done, now or next. `percent` is None where the end is not known."""

    name: str
    state: str
    note: str = ""
    percent: int | None = None


@dataclass(frozen=True)
class IntakeStatus:
    """`polling`: something is being done, so the page asks again. `open`: the recording that is on its way.
    `reading`: a transcript that is being read. `broken`: the newest transcript, if it could not be read."""

    polling: bool
    steps: list[Step] = field(default_factory=list)
    open: UploadSession | None = None
    reading: UploadSession | None = None
    broken: UploadSession | None = None


def intake_status(space: Space) -> IntakeStatus:
    uploads = list(space.uploads.order_by("-created_at"))
    recording = next((upload for upload in uploads if upload.kind == UploadSession.Kind.RECORDING), None)
    told = [u for u in uploads if u.kind == UploadSession.Kind.TRANSCRIPT and u.state != UploadSession.State.ABORTED]
    newest = told[0] if told else None
    reading = newest if newest and newest.state == UploadSession.State.UPLOADED else None
    processing = space.state == Space.State.PROCESSING
    return IntakeStatus(
        polling=space.state == Space.State.RECEIVING or processing or reading is not None,
        steps=[*_steps(space, recording), *_words(space, reading)] if processing else [],
        open=recording if recording and recording.state == UploadSession.State.OPEN else None,
        reading=reading,
        broken=newest if newest and newest.state == UploadSession.State.REJECTED else None,
    )


def _steps(space: Space, recording: UploadSession | None) -> list[Step]:
    done, total = space.processing_step_done, space.processing_step_total
    percent = min(100, 100 * done // total) if total else None
    # A recording that a command stored was measured before: it is looked for once more, and that is all.
    checking = Step("Checking that every byte is there", "now", "" if space.processing_step else "waits for its turn")
    listened = Step("Listening through it", "next")
    if space.processing_step == Space.ProcessingStep.CHECKING:
        checking = replace(
            checking, note=_of(formatting.format_size(done), total and formatting.format_size(total)), percent=percent
        )
    elif space.processing_step == Space.ProcessingStep.MEASURING:
        heard = formatting.format_duration(done / 1000)
        checking = replace(checking, state="done")
        note = _of(heard, formatting.format_duration(total / 1000)) if total else f"{heard} heard"
        listened = replace(listened, state="now", note=note, percent=percent)
    size = formatting.format_size(recording.size) if recording else ""
    return [Step("Received", "done", size), checking, listened, Step("Ready to play, read and download", "next")]


def _words(space: Space, reading: UploadSession | None) -> list[Step]:
    """What follows when it can be played. The page goes on showing how far that is."""
    if reading:
        return [Step("Reading the transcript", "next")]
    return [Step("Writing down what is said, by machine", "next")] if enqueue.will_be_requested(space) else []


def _of(done: str, total: str | int) -> str:
    return f"{done} of {total}" if total else done
