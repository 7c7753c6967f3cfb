"""Faults of a transcript and of single cues."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "transcript.too_large": _("The file has more than {limit:size}, so it is not a transcript."),
    "transcript.not_utf8": _(
        "From line {line:number} on, the file is not text in UTF-8. Save it as UTF-8, and upload it again."
    ),
    "transcript.unknown_format": _(
        "The file has no times in a known format. Known are WebVTT, SRT, SBV, JSON of Podcasting 2.0 and of Whisper, "
        "WhisperX and whisper.cpp, TSV of Whisper, TTML, ASS and SSA, LRC, text of Otter, captions of X (JSON lines), "
        "and text with a time like [00:12:34] in each line. Export the transcript in one of them, WebVTT for example."
    ),
    "transcript.no_lines": _("The file has no line of speech with its times."),
    "transcript.too_many_cues": _("The transcript has more than {limit:number} timed lines, which is the limit."),
    "transcript.too_many_lines": _("The file has more than {limit:number} lines, so it is not a transcript."),
    "transcript.line_too_long": _(
        "Line {line:number} has more than {limit:number} characters, so the file is not a transcript."
    ),
    "transcript.json_too_large": _("The file is JSON with more values than a transcript can have."),
    "transcript.json_broken": _("The file starts like JSON, but can't be read from line {line:number} on."),
    "transcript.json_too_deep": _("The file is JSON that is nested too deeply, or has numbers that are too long."),
    "transcript.json_not_an_object": _("The JSON is not an object."),
    "transcript.not_podcasting": _(
        'The file is JSON, but not a transcript: it has no list of segments with times ("segments", "transcription", '
        '"chunks" or "words"). Export the transcript with its segments.'
    ),
    "transcript.xml_broken": _("The file is XML, but can't be read from line {line:number} on. Export it again."),
    "transcript.xml_doctype": _(
        "The file is XML with a document type, which no transcript needs. Remove the line with <!DOCTYPE, and upload "
        "it again."
    ),
    "transcript.xml_too_deep": _("The file is XML that is nested too deeply to be a transcript."),
    "transcript.xml_too_large": _(
        "The file is XML with more tags than a transcript can have, or with a tag that is too long."
    ),
    "transcript.all_broken": _(
        "No line can be used: {cues:messages}. Nothing was saved. Correct the file, and upload it again."
    ),
    "transcript.wrong_ends": _(
        "No line has a valid end: {cues:messages}. Nothing was saved. Correct the file and upload it again, or keep "
        "the lines with new ends."
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
    "transcript.rescued": _(
        "Lines with an invalid end last until the next line begins ({count:number}): {cues:messages}."
    ),
    "transcript.no_length": _(
        "Lines that end when they start were given the shortest length ({count:number}, the first at {first:message})."
    ),
    "transcript.no_words": _("Lines without text were left out ({count:number}, the first at {first:message})."),
    "transcript.empty_line": _(
        "Text after an empty line was added to the line before ({count:number} times, the first at {first:message})."
    ),
    "transcript.sorted": _("Its lines were not in the order of their times, so they were sorted."),
    "transcript.rolling": _(
        "Its rolling captions repeat each line: {count:number} captions became {lines:number} lines."
    ),
    "transcript.words_joined": _("Its {words:number} single words were joined into {lines:number} lines."),
    "transcript.speakers_carried": _(
        "It names speakers only where they change, so lines without a name were given to the speaker before them."
    ),
    "transcript.names_shared": _(
        "These names were not applied, because another speaker in it has them: {names:list}. To merge speakers, edit "
        "the Space."
    ),
    "transcript.no_ends": _("Plain text has no ends: each line lasts until the next begins."),
    "transcript.past_end": _(
        "It continues until {end:duration}, past the end of the recording at {duration:duration} (lines: "
        "{count:number}). Check that it belongs to this recording."
    ),
    "transcript.from_first_message": _(
        "Captions contain times of day. They were counted from the first message in the file."
    ),
    "transcript.other_clock": _(
        "Captions contain times of day, but these don't match the time of the recording. They were counted from the "
        "first message in the file, so all of them may be early or late."
    ),
    "transcript.before_recording": _(
        "Captions from before the recording were put at its beginning ({count:number}, the first at {first:message})."
    ),
    "cue.line": _("line {number:number}"),
    "cue.segment": _("segment {number:number}"),
    "cue.more": _("and {count:number} more"),
    "cue.at_line": _("line {number:number}: {reason:message}"),
    "cue.at_segment": _("segment {number:number}: {reason:message}"),
    "cue.ends_before_start": _("it ends before it starts"),
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
