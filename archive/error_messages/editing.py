"""Edits of a Space after the upload."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "edit.not_the_host": _("Only the host of a Space can edit it."),
    "edit.too_late": _("The deadline of this Space has passed, so it can no longer be edited."),
    "edit.rejected": _("This recording was not accepted, so there is nothing to edit."),
    "edit.not_available": _("This Space is {state:space}. You can edit it when it is available."),
    "edit.changed_meanwhile": _(
        "The Space was changed after you opened this page, in another tab or by an upload. Nothing was saved, and your "
        "changes are still here: check them, then save again."
    ),
    "edit.transcript_changed": _(
        "You edited version {base:number} of the transcript, and version {newest:number} is the newest by now. Nothing "
        "was saved, and your changes are still here: check them, then save again."
    ),
    "edit.no_transcript": _("This Space has no transcript yet. Upload one first."),
    "edit.no_such_version": _("This transcript has no version {base:number}."),
    "edit.no_such_line": _("There is no line {line:number}: the transcript has {count:number} lines."),
    "edit.line_twice": _("Line {line:number} is corrected twice. Send each line once."),
    "edit.line_empty": _("Line {line:number} needs some text."),
    "edit.line_too_long": _("Line {line:number} has more than {limit:number} characters."),
    "edit.speaker_too_long": _("The name of a speaker has at most {limit:number} characters."),
    "edit.too_many_corrections": _(
        "{count:number} lines are corrected at once. Save at most {limit:number} at a time."
    ),
    "edit.too_many_versions": _(
        "The transcript has {limit:number} versions, which is the limit. Download it, correct the file, and upload it."
    ),
    "edit.no_such_speaker": _("The transcript has no speaker “{name}”."),
    "edit.speaker_named_twice": _("The speaker “{name}” is named twice. Send each speaker once."),
    "edit.merges_speakers": _(
        "More than one speaker would be called {names:list}, and can't be told apart afterwards. Confirm that you want "
        "to merge them, or choose other names."
    ),
    "edit.gives_lines": _(
        "A linked account could then download more lines than now: {people:messages}. Confirm that these lines are "
        "that person's, or choose another name."
    ),
    "edit.gain": _("{name} (account {account}): {lines:number} more"),
    "edit.started_after_end": _("The start must be before the end of the Space, {ended_at:time}."),
    "edit.started_too_early": _("The start is more than {days:number} days before the end of the Space."),
    "edit.bad_audience": _("Choose one of the answers to “Who could speak”."),
    "edit.one_host": _("A Space has exactly one host, who can't be changed."),
    "edit.account_twice": _("The account “{account}” is linked to two participants. Link it to one."),
}
