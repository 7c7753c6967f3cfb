"""Search stays bounded: a transcript of a whole day, and a slow query."""

import os
import time

import psycopg
import pytest

from archive import search
from archive.errors import Refused
from archive.models import SearchLine, Space, User
from archive.search.find import MAX_RANKED
from tests.support.errors import raises_error
from tests.support.factory import make_row
from tests.support.paused_at import dsn
from tests.support.transcripts import make_transcript

CUES = int(os.environ.get("SEARCH_CUES", "5000"))  # 6 hours of speech; 100000 is a day of quick talk
WORDS = ["seed", "library", "evening", "bean", "tin", "harvest", "story", "packet", "spring", "autumn", "chair"]


@pytest.mark.usefixtures("db")
def test_a_long_transcript_is_indexed_and_found_quickly(alice: User) -> None:
    space = make_row(alice)
    lines = [f"{WORDS[n % 11]} and {WORDS[n % 7]} word{n}, {WORDS[n % 5]} again" for n in range(CUES)]

    begun = time.monotonic()
    make_transcript(space, lines)
    indexed = time.monotonic() - begun
    begun = time.monotonic()
    result = search.search_lines(Space.objects.all(), "seeds")
    searched = time.monotonic() - begun

    assert SearchLine.objects.count() == CUES
    assert result.line_count == min(MAX_RANKED, sum("seed" in line for line in lines))
    assert indexed < max(60, CUES / 100)  # seconds on any machine; quadratic time would be an hour
    assert searched < 60


@pytest.mark.usefixtures("committed")
def test_a_slow_query_times_out_with_a_message(alice: User) -> None:
    make_transcript(make_row(alice), ["bean"])

    with psycopg.connect(dsn()) as other:
        other.execute("LOCK TABLE archive_searchline IN ACCESS EXCLUSIVE MODE")
        with raises_error(Refused, "search.too_slow"):
            search.search_lines(Space.objects.all(), "bean", seconds=0.2)
        other.rollback()

    assert search.search_lines(Space.objects.all(), "bean").line_count == 1
