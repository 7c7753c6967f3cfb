"""Find the speakers in formats where people write "Ida: ..." before the text. The rules are the same for all formats.

Names are searched at the beginning of each line, before the lines of a cue are joined: two people may share a cue. A
dash, ">>" or brackets may be around the name, and the colon may be a fullwidth one. `Remember this: ...` is not a name,
nor is `Warning: ...` (introductions.py), so a file must show that it names its speakers:

- At least half of its cues begin with a name; or
- it names them at changes, as SRT of Podcasting 2.0 does: its first cue begins with a name, and there are two names or
  more, or names that a program wrote ("Speaker 1"); or
- two names or more occur at least three times each.

If no name follows itself, and cues without a name come between those with one, the file names speakers only at changes,
and a speaker is carried forward to the cues after it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from archive.intake.transcripts import introductions

MAX_WORDS = 5  # of a name
RECURS = 3
PARTICLES = re.compile(r"a[fl]|bin|d[aeiou]|del|della|de[nrs]|dos|e|el|ibn|l[ae]|of|te[nr]|und|v[ao]n|y|zu")
MARK = re.compile(r"[-\u2013—\u2012•‣]\s*(?!\d)|>{2,3}\s*")  # but not the minus of "-5 degrees"
PREFIX = re.compile(
    r"(?:\[(?P<square>[^][:\uff1a]{1,60})\]|(?P<bare>[^][:\uff1a]{1,60}?))\s*(?P<colon>[:\uff1a])(?P<gap>\s*)"
)
# Names that programs give to unknown speakers.
LABEL = re.compile(
    r"(?:speaker|spk|sprecher|locuteur|hablante|interviewer|说话人|発言者|話者|发言人)[\s_-]*[0-9A-Z]{1,3}",
    re.IGNORECASE,
)
TAGGED = re.compile(r"\[(SPEAKER_\d{1,3})\]\s*(?=[^\s:\uff1a])")
SOUND = re.compile(r"[(\[♪♫*].*[)\]♪♫*]")
CHANGE = re.compile(r"\s+(?=>>>?\s*[^>:\uff1a]{1,60}[:\uff1a])")  # ">> IDA: ..." in the middle of a line
BRACKETED = re.compile(r"[(\uff08][^()\uff08\uff09]*[)\uff09]")
SENTENCE = re.compile(r"[,;!?\"…。\uff01\uff1f\uff0c、]|\w{3}\.\s")


class Turn(NamedTuple):
    """`speaker` is "" if unknown."""

    speaker: str
    text: str


class _Line(NamedTuple):
    """A line of a cue, or the part of one from ">>" on. `mark` is the dash or ">>" before `text`. If `name` is accepted
    as a name, `rest` is the text."""

    whole: str
    mark: str
    text: str
    name: str
    rest: str
    is_tight: bool  # no blank after the colon


@dataclass
class Assigned:
    """The turns of each cue, and whether speakers were carried forward."""

    turns: list[list[Turn]] = field(default_factory=list)
    carried: bool = False


def assign(cues: Sequence[Sequence[str]]) -> Assigned:
    """Split each cue, given as its lines, into the turns of its speakers. Cues without lines have no turn."""
    parsed = [[_parse(piece) for line in lines for piece in CHANGE.split(line)] for lines in cues]
    names, is_sparse = _find_names(parsed)
    if not names:
        return Assigned([[Turn("", " ".join(lines))] if lines else [] for lines in cues])
    turns = [list(_split(lines, names)) for lines in parsed]
    if _names_changes(turns, is_sparse):
        return Assigned(list(_carry(turns)), carried=True)
    return Assigned([[Turn(speaker or "", text) for speaker, text in cue] for cue in turns])


def _parse(line: str) -> _Line:
    mark = MARK.match(line)
    text = line[mark.end() :] if mark else line
    sign = mark[0].strip() if mark else ""
    if match := TAGGED.match(text):
        return _Line(line, sign, text, match[1], text[match.end() :], False)
    if (match := PREFIX.match(text)) is None:
        return _Line(line, sign, text, "", text, False)
    name, rest = (match["square"] or match["bare"]).strip(), text[match.end() :]
    is_tight = match["colon"] == ":" and not match["gap"] and bool(rest)
    if is_tight and not (rest[0].isalpha() and any(map(str.isalpha, name))):
        name = ""  # 10:30, https://
    return _Line(line, sign, text, name, rest, is_tight)


def _find_names(cues: list[list[_Line]]) -> tuple[set[str], bool]:
    """Return the prefixes that are names of speakers, and whether fewer than half of the cues begin with one."""
    counts = Counter(line.name for lines in cues for line in lines if line.name)
    tight = {line.name for lines in cues for line in lines if line.is_tight}
    good = {
        name for name, count in counts.items() if _is_name(name, count) and (name not in tight or is_capitalized(name))
    }
    good = _without_introductions(good, counts, [line for lines in cues for line in lines])
    first = [lines[0].name for lines in cues if lines]
    if good and 2 * sum(name in good for name in first) >= len(first):
        return good, False
    sure = {name for name in good if is_capitalized(name)}
    labels = {name for name in sure if LABEL.fullmatch(name)}
    if first and first[0] in sure and (len(sure) > 1 or first[0] in labels):
        return sure, True
    recurring = labels | {name for name in sure if counts[name] >= RECURS}
    return recurring if len(recurring) > 1 else set(), True


def _without_introductions(names: set[str], counts: Counter[str], lines: list[_Line]) -> set[str]:
    """Return the names without words that introduce a sentence (introductions.py)."""
    names = {name for name in names if not introductions.introduces(name, counts[name], names, RECURS)}
    begins = {line: introductions.begins_lower(line.rest) for line in lines if line.name in names}
    doubtful = {line.name for line, lower in begins.items() if lower and counts[line.name] == 1}
    if not doubtful:
        return names
    doubtful &= {word.capitalize() for word in introductions.words_in_lower_case(line.rest for line in lines)}
    others = [lower for line, lower in begins.items() if line.name not in doubtful and lower is not None]
    return names if any(others) or len(others) < introductions.LEAST else names - doubtful


def _is_name(name: str, count: int) -> bool:
    if not any(map(str.isalnum, name)) or SENTENCE.search(name):
        return False
    words = BRACKETED.sub("", name).split() or name.split()
    if len(words) > MAX_WORDS:
        return False
    if len(words) == 1 or is_capitalized(name):
        return True
    # "Remember this: ...", but "ida bean: ..." if it recurs
    return words[0][0].islower() and count >= RECURS


def is_capitalized(name: str) -> bool:
    """Return whether all words are written like names: capitalized, or in a script without cases."""
    words = BRACKETED.sub("", name).split()
    parts = (not word[0].islower() or PARTICLES.fullmatch(word) for word in words)
    return bool(words) and not words[0][0].islower() and all(parts)


def _split(lines: list[_Line], names: set[str]) -> Iterator[tuple[str | None, str]]:
    """Yield (speaker, text). The speaker is None without a name: it is the one before, or unknown."""
    speaker: str | None = None
    texts: list[str] = []
    for line in lines:
        has_name = line.name in names
        if not (has_name or line.mark):
            texts.append(line.whole)
            continue
        if any(texts):
            yield speaker, " ".join(filter(None, texts))
        # After a mark without a name another person speaks, whom the file does not name.
        speaker, texts = (line.name, [line.rest]) if has_name else ("", [line.text])
    if any(texts):
        yield speaker, " ".join(filter(None, texts))
    elif speaker:
        yield None, lines[-1].whole  # a name without words


def _names_changes(cues: list[list[tuple[str | None, str]]], is_sparse: bool) -> bool:
    """Return whether the file names speakers only at changes."""
    speakers = [speaker for cue in cues for speaker, text in cue if not SOUND.fullmatch(text)]
    named = [place for place, speaker in enumerate(speakers) if speaker]
    if not named or any(speakers[one] == speakers[two] for one, two in pairwise(named)):
        return False
    return is_sparse or None in speakers[named[0] : named[-1]]


def _carry(cues: list[list[tuple[str | None, str]]]) -> Iterator[list[Turn]]:
    """Give turns without a name to the speaker before them. Sounds, such as "[Music]", belong to nobody."""
    last = ""
    for cue in cues:
        turns = []
        for speaker, text in cue:
            if speaker is None and SOUND.fullmatch(text):
                turns.append(Turn("", text))
                continue
            last = last if speaker is None else speaker
            turns.append(Turn(last, text))
        yield turns
