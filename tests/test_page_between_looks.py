"""A page is made by many looks at the rows, and a worker may be done between any two of them: then it shows what came
of the work, or goes on asking. It never says that there is neither."""

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
LOOKS = 60  # more than a page takes
ASKS = 'hx-trigger="every '


class At:
    """Does `work` before the look of this number, counted from 1. `done`: whether there were so many."""

    def __init__(self, number: int, work: Callable[[], None]) -> None:
        self.left, self.work, self.done = number, work, False

    def __call__(self, execute: Any, sql: Any, *rest: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            self.done = True
            self.work()
        return execute(sql, *rest)


def pages(alice: Client, space: Space, begin: Callable[[], Callable[[], None]]) -> int:
    """How many pages of `space` were got, with its work done at another look each time. `begin` makes the work; all of
    it is rolled back before the next page."""
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
    """With a recording, and without a transcript."""
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
