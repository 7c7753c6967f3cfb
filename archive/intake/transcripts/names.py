"""Speakers in forms that have no place for them: people write "Ida: ..." before what was said."""

import re
from collections.abc import Sequence
from dataclasses import replace

from archive.cues import Cue

PREFIX = re.compile(r"([^:\n]{1,60}):\s+(?=\S)")


def split_speaker(cues: Sequence[Cue]) -> list[Cue]:
    """A name is believed where at least half of the lines have one; elsewhere "Remember this: ..." would become
    somebody's name."""
    split = [(cue, PREFIX.match(cue.text)) for cue in cues]
    if 2 * sum(found is not None for _, found in split) < len(cues):
        return list(cues)
    return [
        replace(cue, speaker=found[1].strip(), text=cue.text[found.end() :]) if found else cue for cue, found in split
    ]
