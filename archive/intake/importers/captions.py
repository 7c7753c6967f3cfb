"""Find the transcripts beside a recording: by name, and by whether archive/intake/transcripts can parse them.

A transcript is named after its recording, with or without the recording's extension, then perhaps a language and a word
such as "transcript": talk.vtt, talk.ogg.vtt (whisper.cpp), talk.en-orig.vtt (yt-dlp), "talk CC.jsonl"
(HitomaruKonpaku/twspace-crawler, src/modules/SpaceWatcher.ts), talk_cc.jsonl, talk.transcript.vtt. Its extension says
nothing about its content.
"""

import re
from dataclasses import dataclass

from archive.errors import Problem, Unreadable, make_problem
from archive.intake import transcripts
from archive.intake.importers.sniff import SNIFFED_BYTES, Kind
from archive.intake.importers.tree import SOUND_ENDINGS, Tree, comparable, ending, folder, split_heads, stem
from archive.intake.limits import MAX_TRANSCRIPT_BYTES
from archive.intake.transcripts import segments
from archive.language_tags import is_original, language_in_name

WORDS = {"cc", "captions", "transcript", "transcription", "subtitle", "subtitles", "subs"}
PREFERRED = (".vtt", ".srt", ".jsonl", ".json")  # before all others
# Codes of archive/intake/transcripts for a file that is not a transcript, as opposed to a broken one.
NO_TRANSCRIPT = {"transcript.unknown_format", "transcript.not_podcasting", "transcript.json_not_an_object"}
NO_TRANSCRIPT |= {"transcript.json_broken", "transcript.json_too_deep", "transcript.json_too_large"}
NO_TRANSCRIPT |= {
    "transcript.xml_broken",
    "transcript.xml_doctype",
    "transcript.xml_too_deep",
    "transcript.xml_too_large",
}
# Matches the head of JSON that is too long to parse: a list of segments by its name, or a segment of an unnamed list.
SEGMENTS = re.compile(rb'"(?:%s)"\s*:\s*\[|^\[\s*\{[^{}]*"start' % "|".join(segments.LISTS).encode())


@dataclass(frozen=True, order=True)
class Named:
    """A file that is named after a recording. Of several, the smallest is preferred."""

    choice: int  # 0: in the wanted language; 1: by its name, in the spoken one; 2: in another
    place: int  # of its extension in PREFERRED
    words: int
    name: str
    language: str = ""


def rank(tree: Tree, sound: str, language: str = "") -> list[Named]:
    """Return the files that are named after this recording, the preferred first, whatever their content."""
    return sorted(one for name in pair(tree).get(sound, []) if (one := _match(sound, name, language)))


def pair(tree: Tree) -> dict[str, list[str]]:
    """Return the files that begin with the name of each recording, in its folder, as {recording: files}.

    A file belongs to the recordings with the longest matching name: beside talk.ogg and talk.en.ogg, talk.en.vtt
    belongs to the latter.
    """
    if tree.pairs is None:
        sounds: dict[tuple[str, str], list[str]] = {}
        recordings = tree.sounds()
        for sound in recordings:
            for whole in {_last(sound), stem(sound)}:
                sounds.setdefault((folder(sound), comparable(whole)), []).append(sound)
        tree.pairs = {}
        for name in set(tree.names) - set(recordings) - tree.unrelated:
            heads = [head for head in split_heads(stem(name)) if (folder(name), head) in sounds]
            for sound in sounds[folder(name), max(heads, key=len)] if heads else []:
                tree.pairs.setdefault(sound, []).append(name)
    return tree.pairs


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _match(sound: str, name: str, wanted: str) -> Named | None:
    """Read the rest of the name: only a language and known words may follow the recording's name."""
    heads = split_heads(stem(name))
    rest = next((heads[head] for whole in (_last(sound), stem(sound)) if (head := comparable(whole)) in heads), None)
    if rest is None:
        return None
    tag, is_spoken, words = "", False, [word for word in re.split(r"[._ ]+", rest) if word]
    for word in words:
        if word.lower() in WORDS or f".{word.lower()}" in SOUND_ENDINGS:
            continue
        if tag or not (tag := language_in_name(word)):
            return None
        is_spoken = is_original(word)
    extension = ending(name)
    place = PREFERRED.index(extension) if extension in PREFERRED else len(PREFERRED)
    is_wanted = bool(wanted) and tag.split("-")[0] == wanted.lower().split("-")[0]
    return Named(0 if is_wanted else 1 if is_spoken or not tag else 2, place, len(words), name, tag)


def find_fault(tree: Tree, name: str) -> Problem:
    """Return why the file is not a transcript, or {}. A file with broken lines is a transcript."""
    if name not in tree.no_transcripts:
        tree.no_transcripts[name] = _find_fault(tree, name)
    return tree.no_transcripts[name]


def _find_fault(tree: Tree, name: str) -> Problem:
    if tree.kind(name) != Kind.TEXT:
        return make_problem("transcript.unknown_format")
    try:
        head = tree.head(name, SNIFFED_BYTES)
        if tree.size(name) <= MAX_TRANSCRIPT_BYTES and tree.has_all_of(name):
            return _check(tree.read(name, MAX_TRANSCRIPT_BYTES))
    except Unreadable as error:
        return error.problem
    return _judge_head(head)


def _judge_head(head: bytes) -> Problem:
    """Judge a file by its first bytes. JSON or XML that is cut off there is not a fault."""
    begins = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if begins.startswith((b"{", b"[{")) and b"\n{" not in begins:  # not captions, which are lines of JSON
        return {} if SEGMENTS.search(begins) else make_problem("transcript.unknown_format")
    is_wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    problem = _check(head[: len(head) // 2 * 2] if is_wide else head[: head.rfind(b"\n") + 1] or head)
    return {} if problem and problem["code"] == "transcript.xml_broken" else problem


def _check(data: bytes) -> Problem:
    try:
        transcripts.check_format(data)
    except Unreadable as error:
        if error.code in NO_TRANSCRIPT or error.code == "transcript.not_utf8":
            return error.problem
    return {}
