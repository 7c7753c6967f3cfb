"""Progress of an upload and its examination, for the page of a Space."""

from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from archive import formatting
from archive.intake.transcription import enqueue
from archive.models import Space, UploadSession
from archive.models.of_space import list_uploads


@dataclass(frozen=True)
class Step:
    """One step of the intake. `state`: done, now or next. `percent` is None if the total is not known."""

    name: str
    state: str
    note: str = ""
    percent: int | None = None


KEEPABLE = {"transcript.broken_lines", "transcript.wrong_ends"}
PARKED = "work.parked"


@dataclass(frozen=True)
class IntakeStatus:
    """`polling`: work is in progress, so the page polls. `open`: the recording that is being uploaded. `reading`: a
    transcript that is being parsed. `broken`: the newest transcript, if it could not be parsed. `is_recording_parked`:
    its examination failed so often that it is retried once a day."""

    polling: bool
    steps: list[Step] = field(default_factory=list)
    open: UploadSession | None = None
    reading: UploadSession | None = None
    broken: UploadSession | None = None
    is_recording_parked: bool = False

    @property
    def is_transcript_parked(self) -> bool:
        """Whether parsing the transcript failed so often that it is retried once a day."""
        return bool(self.reading and self.reading.problem_code == PARKED)

    @property
    def is_parked(self) -> bool:
        """Whether a day may pass before anything changes."""
        return self.is_recording_parked or self.is_transcript_parked

    @property
    def summary(self) -> str:
        """The text that screen readers announce when it changes: the step, without its progress."""
        if step := next((step.name for step in self.steps if step.state == "now"), ""):
            return step
        if self.open:
            return _("The upload is in progress.")
        return _("The transcript is being read.") if self.reading and not self.is_transcript_parked else ""

    @property
    def can_accept_partial(self) -> bool:
        """Whether some lines of the broken transcript can be kept, and its file is still stored."""
        upload = self.broken
        return bool(upload and upload.upload_id and upload.problem.get("code") in KEEPABLE)


def intake_status(space: Space) -> IntakeStatus:
    uploads = list_uploads(space)
    recording = next((upload for upload in uploads if upload.kind == UploadSession.Kind.RECORDING), None)
    transcripts = [
        u for u in uploads if u.kind == UploadSession.Kind.TRANSCRIPT and u.state != UploadSession.State.ABORTED
    ]
    newest = transcripts[0] if transcripts else None
    reading = newest if newest and newest.state == UploadSession.State.UPLOADED else None
    processing = space.state == Space.State.PROCESSING
    return IntakeStatus(
        polling=space.state == Space.State.RECEIVING or processing or reading is not None,
        steps=[*_steps(space, recording), *_transcript_steps(space, reading)] if processing else [],
        open=recording if recording and recording.state == UploadSession.State.OPEN else None,
        reading=reading,
        broken=newest if newest and newest.state == UploadSession.State.REJECTED else None,
        is_recording_parked=processing and space.problem_code == PARKED,
    )


def _steps(space: Space, recording: UploadSession | None) -> list[Step]:
    done, total = space.processing_step_done, space.processing_step_total
    percent = min(100, 100 * done // total) if total else None
    # A recording stored by a command was measured before; only its existence is checked.
    checking = Step(_("Comparing every byte"), "now", "" if space.processing_step else _("waiting"))
    listened = Step(_("Checking the audio"), "next")
    if space.processing_step == Space.ProcessingStep.CHECKING:
        checking = replace(
            checking, note=_of(formatting.format_size(done), total and formatting.format_size(total)), percent=percent
        )
    elif space.processing_step == Space.ProcessingStep.MEASURING:
        heard = formatting.format_duration(done / 1000)
        checking = replace(checking, state="done")
        note = _of(heard, formatting.format_duration(total / 1000)) if total else _("{time} checked").format(time=heard)
        listened = replace(listened, state="now", note=note, percent=percent)
    size = formatting.format_size(recording.size) if recording else ""
    return [Step(_("Uploaded"), "done", size), checking, listened, Step(_("Ready to play, read and download"), "next")]


def _transcript_steps(space: Space, reading: UploadSession | None) -> list[Step]:
    """The steps of the transcript, which follow when the recording can be played."""
    if reading:
        return [Step(_("Reading the transcript"), "next")]
    return [Step(_("Creating the automatic transcript"), "next")] if enqueue.will_be_requested(space) else []


def _of(done: str, total: str | int) -> str:
    return _("{done} of {total}").format(done=done, total=total) if total else done
