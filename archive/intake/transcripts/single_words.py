"""Join cues of single words into lines: of one speaker, until a sentence ends, a pause of a second, or 7 seconds.

A file counts as single words if it has at least 20 cues, nine of ten are one word, and they last less than a second on
average. Some programs split words into tokens, the first of which begins with a blank. Languages without blanks between
words (Chinese, Japanese, Thai, ...) get none.
"""

from collections.abc import Iterator, Sequence

from archive.cues import Cue

PAUSE, LINE = 1000, 7000  # milliseconds
MIN_CUES, MAX_WORD = 20, 1000  # cues; milliseconds
MAX_TOKEN = 4  # characters of a script without blanks
ENDS = (".", "?", "!", "…", "。", "\uff1f", "\uff01", "｡")
# First and last character: Thai, Lao; Burmese; Khmer; kana, Han and their punctuation. Not Hangul: Korean separates
# words by blanks.
UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3000, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF01, 0xFF9F),
    (0x20000, 0x3FFFF),
)


def are_single_words(cues: Sequence[Cue]) -> bool:
    words = sum(map(_is_word, (cue.text for cue in cues)))
    total_ms = sum(cue.end_ms - cue.start_ms for cue in cues)
    return len(cues) >= MIN_CUES and 10 * words >= 9 * len(cues) and total_ms < MAX_WORD * len(cues)


def join_lines(cues: Sequence[Cue], begins_word: Sequence[bool]) -> list[Cue]:
    """Join cues, sorted by time, into lines. `begins_word`: which texts began with a blank in the file."""
    has_tokens = 2 * sum(begins_word) >= len(cues)
    glued = [has_tokens and not begins for begins in begins_word]
    return [_join(cues[first:end], glued[first:end]) for first, end in _lines(cues, glued)]


def join_words(words: Sequence[str], glued: Sequence[bool] = ()) -> str:
    """Join words into a text, without a blank before a `glued` one and between two of a script without blanks."""
    text = ""
    for place, word in enumerate(words):
        is_glued = bool(glued) and glued[place]
        gap = "" if not text or is_glued or (is_unspaced(text[-1:]) and is_unspaced(word[:1])) else " "
        text += gap + word
    return text


def is_unspaced(character: str) -> bool:
    """Return whether this character belongs to a script without blanks between words."""
    return bool(character) and any(first <= ord(character) <= last for first, last in UNSPACED)


def _is_word(text: str) -> bool:
    return " " not in text and (len(text) <= MAX_TOKEN or not is_unspaced(text[0]))


def _lines(cues: Sequence[Cue], glued: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Yield the first cue of each line, and the one after its last."""
    first = 0
    for place in range(1, len(cues)):
        last, cue = cues[place - 1], cues[place]
        is_full = cue.start_ms - last.end_ms > PAUSE or cue.end_ms - cues[first].start_ms > LINE
        ends = (last.text.endswith(ENDS) or is_full) and not glued[place]
        if ends or cue.speaker != last.speaker:
            yield first, place
            first = place
    yield first, len(cues)


def _join(words: Sequence[Cue], glued: Sequence[bool]) -> Cue:
    end = max(word.end_ms for word in words)
    return Cue(words[0].start_ms, end, words[0].speaker, join_words([word.text for word in words], glued))
