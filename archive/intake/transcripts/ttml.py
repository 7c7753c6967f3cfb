"""Parse TTML (w3.org/TR/ttml2) and its dialects: IMSC, DFXP, EBU-TT-D, captions of Apple and YouTube.

Each <p> with a begin is a cue; its times are relative to those of its <div> and <body>. Times are clock times, with a
fraction or frames, or offsets (1.5s, 90f, 100t). If <span>s have times and the <p> has none, each of them is a cue,
with the words that follow it. Speakers are `ttm:agent` references, or names in the text (turns.py).

The file is untrusted: a document type is refused, so that no entities are expanded, and no tree is built.
"""

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from archive.cues import plain
from archive.errors import Unreadable, make_problem
from archive.intake.transcripts import turns
from archive.intake.transcripts.documents import language
from archive.intake.transcripts.draft import LAST, MAX_CUES, TranscriptDraft, too_many
from archive.intake.transcripts.timing import MAX_MS, parse_clock

MAX_DEPTH = 100
MAX_TAGS = 1_500_000
HUGE_TAG = re.compile(r"<[^<>]{20000}")
FRAMES = re.compile(r"(\d{1,9}):(\d{1,2}):(\d{1,2}):(\d{1,4})(?:\.\d+)?")
OFFSET = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(h|m|s|ms|f|t)")
TIMED = ("body", "div", "p", "span")
UNITS = {"h": 3_600_000.0, "m": 60_000.0, "s": 1000.0, "ms": 1.0}


@dataclass
class _Element:
    """An open element: the time from which its children count, its end if it has one, and its agents."""

    name: str
    start_ms: int
    end_ms: int | None
    agent: str
    is_timed: bool
    fault: str = ""  # of its times: a code


@dataclass
class _Cue:
    line: int
    start_ms: int
    end_ms: int | None
    agent: str
    text: list[str] = field(default_factory=list)
    fault: str = ""  # a code


def looks_like(text: str) -> bool:
    head = text.lstrip("\ufeff \t\r\n")[:2000]
    return head.startswith("<") and re.search(r"<(?:\w{1,20}:)?tt[\s>]", head) is not None


def check(text: str) -> None:
    """Raise Unreadable if `read` would refuse the XML as a whole. Much faster, since it collects nothing."""
    _limit(text)
    depth = 0

    def start(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise Unreadable("transcript.xml_too_deep")

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = _refuse_doctype
    _parse(parser, text)


def _limit(text: str) -> None:
    if HUGE_TAG.search(text) or text.count("<") > MAX_TAGS:
        raise Unreadable("transcript.xml_too_large")


def _parse(parser: expat.XMLParserType, text: str) -> None:
    try:
        # Drop the XML declaration: its encoding is wrong after decoding.
        parser.Parse(re.sub(r"^\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff"), count=1).encode(), True)
    except expat.ExpatError as error:
        raise Unreadable("transcript.xml_broken", line=error.lineno) from error


def _refuse_doctype(*_: object) -> None:
    raise Unreadable("transcript.xml_doctype")


def read(text: str) -> TranscriptDraft:
    _limit(text)
    document = _Document()
    document.parse(text)
    draft = TranscriptDraft(language=document.language)
    cues = document.cues
    following = [cue.start_ms for cue in cues[1:]]
    spoken = turns.assign([_text_lines(cue.text) for cue in cues]) if not any(cue.agent for cue in cues) else None
    if spoken and spoken.carried:
        draft.note("transcript.speakers_carried")
    for place, cue in enumerate(cues):
        if cue.fault:
            draft.refuse(cue.line, make_problem(cue.fault))
            continue
        until = min(following[place : place + 1] or [0])
        last = until if cue.start_ms < until < cue.start_ms + LAST else cue.start_ms + LAST
        end = last if cue.end_ms is None else cue.end_ms
        whole = turns.Turn(document.names.get(cue.agent, cue.agent), " ".join(_text_lines(cue.text)))
        for turn in spoken.turns[place] if spoken else [whole]:
            draft.add(cue.line, cue.start_ms, end, turn.speaker, turn.text)
    return draft


def _text_lines(pieces: list[str]) -> list[str]:
    """Return the lines of a cue. A <br> is the piece "\\n", and white space within a line counts as one blank."""
    return [line for part in "".join(pieces).split("\x00") if (line := plain(part))]


class _Document:
    """Reads the XML, event by event."""

    def __init__(self) -> None:
        self.cues: list[_Cue] = []
        self.names: dict[str, str] = {}  # id of an agent -> name
        self.language: str | None = None
        self._rates = {"f": 1000 / 30, "t": 1.0}
        self._open: list[_Element] = []
        self._cue: _Cue | None = None
        self._last: _Cue | None = None  # the cue before, in the same <p>: words without a time continue it
        self._agent: str | None = None  # the id of the agent whose name is being read
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.StartDoctypeDeclHandler = _refuse_doctype

    def parse(self, text: str) -> None:
        _parse(self._parser, text)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        values = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        if len(self._open) >= MAX_DEPTH:
            raise Unreadable("transcript.xml_too_deep")
        if name == "tt":
            self._read_root(values)
        if name == "agent":
            self._agent = values.get("id", "")
        if name == "br" and (cue := self._cue or self._last):
            cue.text.append("\x00")
        self._open.append(self._element(name, values))
        element = self._open[-1]
        if name == "p" or (name == "span" and element.is_timed and not self._is_in_timed_p()):
            self._finish()
            self._last = None
            element.fault = self._find_fault(values)
            self._open_cue(element)
            if len(self.cues) >= MAX_CUES:
                raise too_many(MAX_CUES)

    def _end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        element = self._open.pop()
        if name == "agent":
            self._agent = None
        if name == "p" or (name == "span" and element.is_timed and not self._is_in_timed_p()):
            self._finish()
        if name == "p":
            self._last = None
            # A <p> in a <p> is invalid; the words after it get the times of the outer one.
            outer = next((element for element in reversed(self._open) if element.name == "p"), None)
            if outer:
                self._open_cue(outer)

    def _open_cue(self, element: _Element) -> None:
        line = self._parser.CurrentLineNumber
        self._cue = _Cue(line, element.start_ms, element.end_ms, element.agent, fault=element.fault)

    def _data(self, data: str) -> None:
        if self._agent is not None and self._open[-1].name == "name":
            self.names[self._agent] = (self.names.get(self._agent, "") + data)[:1000]
        cue = self._cue or self._last
        if cue and not any(element.name == "metadata" for element in self._open):
            cue.text.append(data.replace("\x00", ""))

    def _finish(self) -> None:
        if self._cue and _text_lines(self._cue.text):
            self.cues.append(self._cue)
            self._last = self._cue
        self._cue = None

    def _is_in_timed_p(self) -> bool:
        return any(element.name == "p" and element.is_timed for element in self._open)

    def _read_root(self, values: dict[str, str]) -> None:
        self.language = language(values.get("lang", ""))
        rate = _number(values.get("frameRate")) or 30.0
        numerator, _, denominator = values.get("frameRateMultiplier", "1 1").replace(":", " ").partition(" ")
        rate *= (_number(numerator) or 1.0) / (_number(denominator) or 1.0)
        self._rates = {"f": 1000 / rate, "t": 1000 / (_number(values.get("tickRate")) or rate)}

    def _element(self, name: str, values: dict[str, str]) -> _Element:
        outer = self._open[-1] if self._open else _Element("", 0, None, "", False)
        if name not in TIMED:
            return _Element(name, outer.start_ms, outer.end_ms, outer.agent, False)
        begin, end, length = (self._time(values.get(key, "")) for key in ("begin", "end", "dur"))
        start_ms = min(outer.start_ms + (begin or 0), 2 * MAX_MS)
        end_ms = outer.end_ms
        if end is not None:
            end_ms = outer.start_ms + end
        elif length is not None:
            end_ms = start_ms + length
        agent = (values.get("agent", "").split() or [outer.agent])[0]
        return _Element(name, start_ms, end_ms, agent, begin is not None)

    def _find_fault(self, values: dict[str, str]) -> str:
        if any(self._time(values[key]) is None for key in ("begin", "end", "dur") if key in values):
            return "cue.bad_times"
        return "" if any(element.is_timed for element in self._open) else "cue.no_times"

    def _time(self, text: str) -> int | None:
        """Parse a time expression to milliseconds, or return None."""
        text = text.strip()
        if match := OFFSET.fullmatch(text):
            return round(min(float(match[1]) * ({**UNITS, **self._rates}[match[2]]), 2 * MAX_MS))
        if match := FRAMES.fullmatch(text):
            clock = parse_clock(":".join(match.groups()[:3]))
            return clock + round(int(match[4]) * self._rates["f"]) if clock is not None else None
        return parse_clock(text)


def _number(text: str | None) -> float | None:
    match = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*", text or "")
    return (float(match[1]) or None) if match else None
