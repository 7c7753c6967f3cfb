"""What is wrong with a transcript, and with single cues of one."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "transcript.too_large": _("The file has more than {limit:size}, so it is not a transcript."),
    "transcript.not_utf8": _("The file is not text in UTF-8. Save it as UTF-8, and upload it again."),
    "transcript.unknown_format": _(
        "The file has no times in a known format. Known are WebVTT, SRT, Podcasting 2.0 JSON, captions of X (JSON "
        "lines), and text with a time like [00:12:34] in each line."
    ),
    "transcript.no_lines": _("The file has no line of speech with its times."),
    "transcript.too_many_cues": _("The file has more than {limit:number} cues, which is the limit."),
    "transcript.too_many_lines": _("The file has more than {limit:number} lines, so it is not a transcript."),
    "transcript.line_too_long": _(
        "Line {line:number} has more than {limit:number} characters, so the file is not a transcript."
    ),
    "transcript.json_too_large": _("The file is JSON with more values than a transcript has."),
    "transcript.json_broken": _("The file starts like JSON, but can't be read from line {line:number} on."),
    "transcript.json_too_deep": _("The file is JSON that is nested too deeply, or has numbers that are too long."),
    "transcript.json_not_an_object": _("The JSON is not an object."),
    "transcript.not_podcasting": _('The file is JSON, but not a Podcasting 2.0 transcript: it has no list "segments".'),
    "transcript.all_broken": _(
        "No line can be used: {cues:messages}. Nothing was saved. Correct the file, and upload it again."
    ),
    "transcript.broken_lines": _(
        "{usable:number} of its lines can be used, {broken:number} can't: {cues:messages}. Nothing was saved. Correct "
        "the file and upload it again, or keep the other lines."
    ),
    "transcript.too_late": _("The deadline of this Space has passed, so no transcript can be added to it."),
    "transcript.give_option": _(
        "{reason:message} Give --lenient-transcript to keep the rest of it, or --skip-bad-transcript to ingest the "
        "recording without it."
    ),
    "transcript.left_out": _("Broken lines that were left out ({count:number}): {cues:messages}."),
    "cue.more": _("and {count:number} more"),
    "cue.at_line": _("line {number:number}: {reason:message}"),
    "cue.at_segment": _("segment {number:number}: {reason:message}"),
    "cue.ends_before_start": _("it ends before it starts"),
    "cue.ends_at_start": _("it ends when it starts"),
    "cue.before_recording": _("it starts before the recording"),
    "cue.beyond_limit": _("its time is beyond {days} days"),
    "cue.too_long": _("it has more than {limit:number} characters"),
    "cue.no_times": _("it has no times"),
    "cue.bad_times": _("its times can't be read"),
    "cue.bad_time": _("its time can't be read"),
    "cue.bad_seconds": _("its times are not numbers of seconds"),
    "cue.no_text": _("it has no text"),
    "cue.not_a_segment": _("it is not a segment"),
    "cue.not_a_message": _("it is not a message of a Space's chat"),
}
