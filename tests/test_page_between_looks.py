"""A page needs many queries, and a worker may finish between any two of them. Then the page shows the result of the
work, or continues to poll. It never misses both."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from pytest_django import Settings

from archive import lifecycle
from archive.intake.transcripts.import_upload import read
from archive.log import SYSTEM
from archive.models import Space, Transcription, User
from tests.support import speech_samples
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client
from tests.support.transcripts import make_transcript
from tests.support.uploads import store_upload

pytestmark = pytest.mark.usefixtures("db")
LOOKS = 60  # more queries than a page needs
ASKS = 'hx-trigger="every '


class At:
    """Does `work` before the query with this number, counted from 1. `done`: whether there were that many queries."""

    def __init__(self, number: int, work: Callable[[], None]) -> None:
        self.left, self.work, self.done = number, work, False

    def __call__(self, execute: Any, sql: Any, *rest: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            self.done = True
            self.work()
        return execute(sql, *rest)


def pages(alice: Client, space: Space, begin: Callable[[], Callable[[], None]]) -> int:
    """Load the page of `space` with its work done before another query each time, and return the number of loads.
    `begin` creates the work; everything is rolled back after each load."""
    for number in range(1, LOOKS):
        with transaction.atomic():
            at = At(number, begin())
            with connection.execute_wrapper(at):
                page = alice.get(f"/spaces/{space.pk}/").content.decode()
            transaction.set_rollback(True)
        if not at.done:
            return number - 1
        shown = "Runner beans." in page
        asks = re.search(f'hx-get="/spaces/{space.pk}/(progress|transcription)"', page) is not None and ASKS in page
        assert shown or asks, f"at look {number}: neither what it waits for nor that it waits"
    pytest.fail("the page takes too many looks")


@pytest.fixture
def waiting(alice: User) -> Space:
    """A Space with a recording, but without a transcript."""
    space = make_row(alice)
    make_contents(space)
    space.transcripts.all().delete()
    return space


def test_a_transcript_is_imported_between_two_queries(alice: User, waiting: Space, tmp_path: Path) -> None:
    words = tmp_path / "words.vtt"
    words.write_text("WEBVTT\n\n00:00.000 --> 00:01.000\n<v Nora>Runner beans.\n")

    def begin() -> Callable[[], None]:
        upload = store_upload(waiting, words, "transcript")
        return lambda: (read(upload.pk), None)[1]

    assert pages(make_client(alice), waiting, begin) > 10


@pytest.mark.long
def test_an_automatic_transcript_finishes_between_two_queries(alice: User, waiting: Space, settings: Settings) -> None:
    settings.TRANSCRIPTION_MODEL = speech_samples.MODEL

    def begin() -> Callable[[], None]:
        work = Transcription.objects.create(space=waiting, state="running", done_ms=60_000, total_ms=74_000)

        def keep() -> None:
            make_transcript(waiting, ["Runner beans."])
            assert lifecycle.transition(work, Transcription.State.RUNNING, Transcription.State.DONE, actor=SYSTEM)

        return keep

    assert pages(make_client(alice), waiting, begin) > 10
