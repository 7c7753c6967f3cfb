"""Find speakers in formats without a field for them, where people write "Ida: ..." before the text."""

import re
from collections.abc import Sequence
from dataclasses import replace

from archive.cues import Cue

PREFIX = re.compile(r"([^:\n]{1,60}):\s+(?=\S)")


def split_speaker(cues: Sequence[Cue]) -> list[Cue]:
    """Move names from the text to `speaker`, if at least half of the cues have one.

    With fewer, "Remember this: ..." would become a speaker.
    """
    pairs = [(cue, PREFIX.match(cue.text)) for cue in cues]
    if 2 * sum(match is not None for _, match in pairs) < len(cues):
        return list(cues)
    return [
        replace(cue, speaker=match[1].strip(), text=cue.text[match.end() :]) if match else cue for cue, match in pairs
    ]
