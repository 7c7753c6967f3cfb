"""Hostile transcripts are refused clearly, or read within bounded time and memory."""

import subprocess
import sys
import time
from contextlib import suppress

import pytest

from archive.cues import Cue
from archive.errors import Unreadable
from archive.intake.transcripts import parse
from tests.support.errors import raises_error

TIMES = b"00:01.000 --> 00:02.000\n"
MESSAGE = (
    b'{"kind": 1, "payload": {"body": {"final": true, "body": "x", "username": "n", "timestamp": 1638704725994}}}\n'
)
LONG_RUN = pytest.mark.long
Limit = tuple[str, dict[str, int]]
NESTED: Limit = ("transcript.json_too_deep", {})
PARTS: Limit = ("transcript.json_too_large", {})
MANY = ("transcript.too_many_cues", {"limit": 100_000})
LONG = ("transcript.line_too_long", {"line": 4, "limit": 100_000})
LINES = ("transcript.too_many_lines", {"limit": 1_000_000})
LARGE = ("transcript.too_large", {"limit": 20 * 10**6})


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"WEBVTT\n\n" + TIMES + b"x" * 50_000_000, LARGE),
        (b"WEBVTT\n\n" + TIMES + b"x" * 19_000_000, LONG),
        (b"1\n00:00:01,000 --> 00:00:02,000\nx\n" + b"x" * 19_000_000, LONG),
        (b"[00:01] x\n\n\n" + b"x" * 19_000_000, LONG),
        (b"\n" * 19_000_000, LINES),
        (b"WEBVTT\n" + b"\n" * 19_000_000, LINES),
        (b"WEBVTT\n\n" + (TIMES + b"\n") * 1_000_000, LARGE),
        (b"WEBVTT\n\n" + (b"0:1.0 --> 0:2.0\n\n") * 100_001, MANY),
        pytest.param(b"[00:01] x\n" * 100_001, MANY, marks=LONG_RUN),
        pytest.param(MESSAGE + b"x\n" * 400_000, MANY, marks=LONG_RUN),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, NESTED),
        (b'{"segments":' + b"[" * 10_000 + b"]" * 10_000 + b"}", NESTED),
        (b'{"segments": [{"startTime": ' + b"9" * 1_000_000 + b"}]}", NESTED),
        (b'{"segments": [' + b"{}," * 600_000 + b"{}]}", PARTS),
        (b'{"segments": [' + b'"x",' * 4_000_000 + b"1]}", PARTS),
        (
            b'{"segments": [' + b"0," * 600_000 + b"0]}",
            ("transcript.too_many_cues", {"limit": 500_000}),
        ),
    ],
    ids=[
        *("50 MB", "long line", "long line of srt", "long line of text", "empty lines", "empty lines after a head"),
        *("a million cues", "empty cues", "lines of text", "bad captions"),
        *("deep objects", "deep lists", "a million digits", "600,000 objects", "4 million words", "numbers"),
    ],
)
def test_too_large_transcripts_are_refused_with_a_reason(data: bytes, problem: Limit) -> None:
    code, params = problem

    with raises_error(Unreadable, code, file="words", **params):
        parse(data, "words", lenient=True)


LINE = 90_000


@pytest.mark.parametrize(
    "line",
    [
        *(b"<" * LINE, b"<v " * (LINE // 3), b"<v a>x" * (LINE // 6), b"</v" * (LINE // 3), b"&" * LINE),
        *(b"&#9999999999999" * (LINE // 15), b"<1:" * (LINE // 3), b"{\\" * (LINE // 2), b"<1" * (LINE // 2)),
        *(b" " * LINE + b"-->", b"1" * LINE + b"-->", b"1" * LINE + b":00:00.0 --> 1", b"a:b " * (LINE // 4) + b"-->"),
        *(b"[1" * (LINE // 2), b"a" * 59 + b": " * (LINE // 2)),
    ],
)
@pytest.mark.parametrize(
    "head",
    [
        b"WEBVTT\n\n" + TIMES,
        pytest.param(b"1\n00:00:01,000 --> 00:00:02,000\n", marks=LONG_RUN),
        pytest.param(b"[00:01] x\n", marks=LONG_RUN),
    ],
    ids=["vtt", "srt", "text"],
)
def test_parsing_time_is_linear(head: bytes, line: bytes) -> None:
    """In linear time these lines take some tens of milliseconds, in quadratic time minutes."""
    begins = head.splitlines(keepends=True)
    data = b"".join([*begins[:-1], *[begins[-1] + line + b"\n\n"] * 20])
    before = time.process_time()

    with suppress(Unreadable):
        parse(data)

    assert time.process_time() - before < 5


WHOLE = 2_000_000  # bytes of a file that may have no line ends
ASS = b"[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,"
TTML = b'<tt xmlns="http://www.w3.org/ns/ttml"><body><div>'


@pytest.mark.parametrize(
    "data",
    [
        *(ASS + b"{" * LINE, ASS + b"{\\p1" * (LINE // 4), ASS + b"{}" * (LINE // 2), ASS + b"}" * LINE),
        *(TTML + b"<p>" * (WHOLE // 3), TTML + b"<p begin='1s'/>" * (WHOLE // 15), TTML + b"&amp;" * (WHOLE // 5)),
        *(TTML + b"<p " + b"a='1' " * (WHOLE // 6) + b"/>", TTML + b"<br/>" * (WHOLE // 5)),
        *(b"[00:01]" * (LINE // 7), b"[ti:" * (LINE // 4), b"[00:01] " + b"<00:01" * (LINE // 6)),
        *(b"Ida  0:01\n" + b"a " * (LINE // 2), b"start\tend\ttext\n" + b"1\t" * (LINE // 2)),
        *(b"WEBVTT\n\n" + TIMES + b"a: >> " * (LINE // 6), b"WEBVTT\n\n" + TIMES + b"<b a=" * (LINE // 5)),
        *(b"WEBVTT\n\n" + TIMES + b"<b" + b" a=1" * (LINE // 4), b"0:00:01.0,0:00:02.0\n" + b"[br]" * (LINE // 4)),
        b'{"segments": [' + b'{"start": 0, "text": "a"}, ' * (WHOLE // 27) + b'{"start": 0, "text": "a"}]}',
    ],
    ids=range(19),
)
@pytest.mark.long
def test_parsing_time_of_other_formats_is_linear(data: bytes) -> None:
    before = time.process_time()

    with suppress(Unreadable):
        parse(data, lenient=True)

    assert time.process_time() - before < 10


def test_repeating_captions_take_linear_time() -> None:
    data = b"WEBVTT\n\n" + (TIMES + b"a\nb\nc\n\n") * 20_000
    before = time.process_time()

    assert parse(data).cues

    assert time.process_time() - before < 10


MEASURED = """
import resource, sys
from archive.errors import Unreadable
from archive.intake.transcripts import parse
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    parse(eval(sys.argv[1]))
except Unreadable:
    pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            """b'{"segments":[],' + b",".join(b'"a%d":1' % n for n in range(1_400_000)) + b"}" """, marks=LONG_RUN
        ),
        """("WEBVTT\\n\\nSTYLE\\n" + "🌱\\n" * 990_000).encode()""",
    ],
    ids=["keys", "lines of one block"],
)
def test_memory_is_bounded(data: str) -> None:
    done = subprocess.run([sys.executable, "-c", MEASURED, data], capture_output=True, text=True, check=True)

    assert int(done.stdout) < 500  # MiB, including the 20 MB of the text itself


@pytest.mark.long
def test_a_hundred_thousand_cues_are_read() -> None:
    text = b"WEBVTT\n\n" + (TIMES + b"x\n\n") * 100_000

    assert len(parse(text).cues) == 100_000


def test_a_cue_of_ten_thousand_characters_is_read_and_a_longer_one_is_broken() -> None:
    text = b"WEBVTT\n\n" + TIMES + b"x" * 10_000 + b"\n\n" + TIMES + b"x" * 10_001

    parsed = parse(text, lenient=True)

    assert parsed.cues == [Cue(1000, 2000, "", "x" * 10_000)]
    assert parsed.notes == ["Broken lines that were left out (1): line 6: it has more than 10\u202f000 characters."]


def test_a_long_name_is_cut() -> None:
    text = b"WEBVTT\n\n" + TIMES + b"<v " + b"N" * 500 + b">Hm\n"

    assert parse(text).cues == [Cue(1000, 2000, "N" * 100, "Hm")]
