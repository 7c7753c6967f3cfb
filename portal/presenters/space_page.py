"""The page of one Space. Plain values for templates; no request in here."""

from typing import Any

from archive import cues
from archive.display.chapters import chapter_rows
from archive.display.facts import list_facts
from archive.display.transcript import cue_rows, describe_length
from archive.error_messages import render
from archive.intake.transcription import enqueue
from archive.models import User, Violation
from archive.models.of_space import find_recording, find_transcript, list_participants, list_violations
from archive.moderation.conflicts import find_lift_conflict
from archive.moderation.violations import preview_flag
from portal.access import VisibleSpace
from portal.forms.moderation import AppealForm, EvidenceFlagForm, LiftForm
from portal.forms.requests import ParticipantAccountForm
from portal.presenters import clock as clock_presenter
from portal.presenters.intake_progress import intake_status
from portal.presenters.log import accesses, history
from portal.presenters.panels import bundle_panel, podcast_panel, single_files, transcription_panel
from portal.presenters.player import player
from portal.presenters.violations import describe_change, flags, reason_templates, rules


def space_page(visible: VisibleSpace, user: User) -> dict[str, Any]:
    """The context of spaces/detail.html."""
    space, now = visible.space, visible.now
    # Read work in progress before its results: a worker may finish in between. Read the other way round, the page
    # could show neither.
    intake, transcription = intake_status(space), enqueue.current(space)
    recording = find_recording(space)
    transcript = find_transcript(space)
    served = visible.may_play and space.is_served(now)
    violations = list_violations(space)
    context = {
        "space": space,
        "face": clock_presenter.clock_face(space, now),
        "recording": recording,
        "length": clock_presenter.length(recording),
        "facts": list_facts(space),
        "participants": list_participants(space),
        "violations": flags(space, violations, now, content=served),
        "may_appeal": space.host_id == user.pk,
        "history": history(space, user),
        "accesses": accesses(space, user),
        "may_play": visible.may_play,
        "may_edit": served and space.host_id == user.pk,
        "may_flag": visible.may_flag,
        "served": served,
        "waiting": intake,
        "appeal_form": AppealForm(),
        "account_form": ParticipantAccountForm(),
    }
    if served:
        rows = cue_rows(cues.load(transcript.cues)) if transcript else []
        context |= {
            **player(space),
            "chapters": chapter_rows(recording),
            "transcript_number": transcript.number if transcript else 0,
            "cues": rows,
            "transcript_length": describe_length(rows),
            "transcript_notes": [render(note) for note in transcript.notes] if transcript else [],
            "recording_notes": [render(note) for note in recording.list_notes()] if recording else [],
            "downloads": single_files(space, recording, transcript),
            "speech": transcription_panel(transcription, transcript),
            "bundle_panel": bundle_panel(space, user),
        }
        context |= podcast_panel(space, user)
    if visible.may_flag:
        context |= {"rules": rules(), "reason_templates": reason_templates()}
        context |= {"flag_form": EvidenceFlagForm(), "lift_form": LiftForm()}
        context |= deadline_previews(visible, user, violations)
    return context


def deadline_previews(visible: VisibleSpace, user: User, violations: list[Violation]) -> dict[str, Any]:
    """Preview in words how a flag or a lift would change the deadline. `lift_conflict`: why this admin may not lift."""
    space = visible.space
    flagged, lifted = preview_flag(space, visible.now)
    standing = [violation for violation in violations if violation.state != Violation.State.LIFTED]
    return {
        "flag_until": describe_change(space.expires_at, flagged),
        "lift_until": describe_change(space.expires_at, lifted) if standing else None,
        "lift_conflict": find_lift_conflict(space, standing, user),
    }
