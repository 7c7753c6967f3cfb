"""Spaces in every state that looks different, with realistic text, for browser tests of pages.

Each is created at its first use, so that a test of three pages creates only their Spaces.
"""

from datetime import timedelta
from functools import cached_property
from typing import Any

from archive import dbtime, feeds, log, search
from archive.bundles.contents import content_id
from archive.errors import make_problem
from archive.models import Notice, Space, Transcription, UploadSession
from archive.moderation.appeals import appeal, decide
from archive.moderation.evidence import Lines
from archive.moderation.holds import place
from archive.moderation.violations import flag, lift
from archive.notices.outbox import make_notice
from archive.retention.purge import purge
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row, make_user
from tests.support.playable_spaces import make_playable_space

LONG_TITLE = "Café conversations: our week in books, with many guests and a very long title"
UNREADABLE = make_problem("transcript.no_lines", file="talk.vtt")
PARKED = make_problem("work.parked", count=10, reason=make_problem("work.unexpected", error="KeyError"))
FACTS: dict[str, Any] = {"audience": "followed", "listeners_peak": 312, "listeners_total": 1200}


class PageSpaces:
    """Spaces of `alice`. `ada` and `bea` are admins. `bob` spoke in one of the Spaces."""

    def __init__(self) -> None:
        self.alice, self.bob = make_user("alice"), make_user("bob")
        self.ada, self.bea = make_user("ada", "admins"), make_user("bea", "admins")

    def _playable(self, title: str, days_ago: float = 6, **fields: Any) -> Space:
        """A Space with the demo recording and its transcript."""
        peaks = [((n * 37) % 100) / 100 for n in range(400)]
        space = make_playable_space(self.alice, peaks=peaks)
        ended_at = dbtime.now() - timedelta(days=days_ago)
        values = {"ended_at": ended_at, "expires_at": ended_at + timedelta(days=30), "title": title, **fields}
        Space.objects.filter(pk=space.pk).update(**values)
        space.refresh_from_db()
        search.index_spaces(space.pk)
        search.index_transcript(space.transcripts.get())
        return space

    def _add_bundle(self, space: Space, state: str = "ready", **fields: Any) -> Space:
        ready = {
            "size": 84_200_000,
            "ready_at": dbtime.now(),
            "key": f"{space.pk}.zip",
            "etag": "e",
            "crc32": 1,
            "verified_by": "store",
        }
        given = ready if state == "ready" else {}
        name = "The seed library room.zip"
        space.bundles.create(content_digest=content_id(space), state=state, name=name, **given, **fields)
        return space

    @cached_property
    def open(self) -> Space:
        """A Space with everything that its page can show to its host."""
        space = self._playable("The seed library room", **FACTS)
        space.participants.create(role="cohost", seat=1, name="Felix")
        space.participants.create(role="speaker", seat=1, name="Ida", user=self.bob)
        space.participants.create(role="speaker", seat=2, name="Nora Lindqvist-Østergaard of the Harbour Gardens")
        feeds.create_podcast(self.alice, space)
        return self._add_bundle(space)

    @cached_property
    def plain(self) -> Space:
        """A Space with as little as possible."""
        space = self._playable("", 9)
        space.transcripts.all().delete()
        space.derived.all().delete()
        return space

    @cached_property
    def flagged(self) -> Space:
        space = self._playable("City council, live", 25)
        flag(space.pk, "spam", "It advertises a paid scheme.", self.ada, Lines(1, (1, 2)))
        flag(space.pk, "private-information", "It names a street and a door.", self.ada, Lines(1, (3,)))
        return space

    @cached_property
    def appealed(self) -> Space:
        space = self._playable("Fantasy league draft", 12)
        for rule, line, text in (("hate", 3, "It was a quotation."), ("spam", 5, "They were beans.")):
            appeal(flag(space.pk, rule, "An insult.", self.ada, Lines(1, (line,))).pk, text, self.alice)
        return space

    @cached_property
    def decided(self) -> list[Space]:
        """Spaces with a denied appeal, with a granted appeal, and with a lifted flag."""
        spaces = [self._playable(title, 14) for title in ("Night bus stories", "Repair night", LONG_TITLE)]
        for space, granted in zip(spaces, (False, True), strict=False):
            asked = appeal(flag(space.pk, "spam", "It sold watches.", self.ada).pk, "They were beans.", self.alice)
            decide(asked.pk, "The lines are unambiguous.", self.bea, granted=granted)
        flag(spaces[2].pk, "spam", "It sold watches.", self.ada)
        lift(spaces[2].pk, "It was a play.", self.ada)
        return spaces

    @cached_property
    def denied(self) -> Space:
        return self.decided[0]

    @cached_property
    def granted(self) -> Space:
        return self.decided[1]

    @cached_property
    def lifted(self) -> Space:
        return self.decided[2]

    @cached_property
    def held(self) -> Space:
        space = self._playable("Urban gardening with Ida", 5)
        place(space.pk, "The court asked for it.", self.ada, case_number="12/2026", review_on=None)
        place(space.pk, "The police asked for it.", self.bea)
        return space

    @cached_property
    def due(self) -> Space:
        """A Space on its last day, with a banner about it."""
        space = self._playable("Beekeeping for beginners", 29.8)
        kind, deadline = Notice.Kind.DUE_1_DAY, log.rfc3339(space.expires_at)
        make_notice(kind, self.alice, space, deadline, space.expires_at).save()
        return space

    @cached_property
    def due_soon(self) -> Space:
        space = self._playable("Friday hangout", 25.2)
        kind, deadline = Notice.Kind.DUE_7_DAYS, log.rfc3339(space.expires_at)
        make_notice(kind, self.alice, space, deadline, space.expires_at).save()
        return space

    def _arriving(self, title: str, **fields: Any) -> Space:
        return make_row(self.alice, title=title, ended_ago=timedelta(hours=3), **fields)

    def _upload(self, space: Space, **fields: Any) -> UploadSession:
        given = {"kind": "recording", "name": "evening.wav", "size": 40_000_000, "part_size": 5 * 1024**2} | fields
        return UploadSession.objects.create(space=space, created_by=self.alice, upload_id="u", key="k", **given)

    @cached_property
    def empty(self) -> Space:
        return self._arriving("Poetry slam", state="receiving")

    @cached_property
    def receiving(self) -> Space:
        space = self._arriving("Open mic", state="receiving")
        self._upload(space)
        return space

    @cached_property
    def checking(self) -> Space:
        steps = {"processing_step": "checking", "processing_step_done": 4, "processing_step_total": 10}
        return self._arriving("Choir practice", state="processing", transcribe=True, **steps)

    @cached_property
    def paused(self) -> Space:
        problem = make_problem("storage.unreachable", what="The store", error="timeout")
        return self._arriving("Chess club", state="processing", problem=problem)

    @cached_property
    def parked(self) -> Space:
        return self._arriving("Astronomy evening", state="processing", problem=PARKED)

    @cached_property
    def rejecting(self) -> Space:
        problem = make_problem("audio.empty")
        return self._arriving("Silence", state="processing", processing_step="rejecting", problem=problem)

    @cached_property
    def rejected(self) -> Space:
        return self._arriving("Static", state="rejected", problem=make_problem("audio.empty"))

    @cached_property
    def reading(self) -> Space:
        space = self._playable("Book club", 3)
        self._upload(space, kind="transcript", state="uploaded", etag="e", name="talk.vtt")
        return space

    @cached_property
    def broken(self) -> Space:
        space = self._playable("Film club", 3)
        self._upload(space, kind="transcript", state="rejected", problem=UNREADABLE, name="talk.vtt")
        return space

    def _transcribed(self, title: str, state: str, **fields: Any) -> Space:
        space = self._playable(title, 2)
        space.transcripts.all().delete()
        Transcription.objects.create(space=space, state=state, total_ms=88_000, **fields)
        return space

    @cached_property
    def transcription_queued(self) -> Space:
        return self._transcribed("Knitting circle", "requested")

    @cached_property
    def transcription_running(self) -> Space:
        return self._transcribed("Language exchange", "running", done_ms=30_000)

    @cached_property
    def transcription_failed(self) -> Space:
        return self._transcribed("Bird watch", "failed", problem=UNREADABLE)

    @cached_property
    def automatic(self) -> Space:
        space = self._playable("Street music", 4)
        space.transcripts.update(source="automatic")
        return space

    @cached_property
    def bundle_queued(self) -> Space:
        return self._add_bundle(self._playable("History hour", 7), "requested")

    @cached_property
    def bundle_building(self) -> Space:
        return self._add_bundle(
            self._playable("Garden radio", 8), "building", bytes_total=9_000_000, bytes_done=4_000_000
        )

    @cached_property
    def bundle_failed(self) -> Space:
        return self._add_bundle(self._playable("Wine tasting", 8), "failed", problem=UNREADABLE)

    @cached_property
    def expiring(self) -> Space:
        return make_row(self.alice, title="Last summer", state="expiring", ended_ago=timedelta(days=31))

    @cached_property
    def deleted(self) -> Space:
        space = make_row(self.alice, title="Spring fair", ended_ago=timedelta(days=29))
        make_contents(space)
        make_due(space)
        assert purge(space.pk)
        return space

    def make_spaces(self) -> list[Space]:
        """Return one Space of each kind, so that lists are full."""
        names = (
            *(
                "open",
                "plain",
                "flagged",
                "appealed",
                "denied",
                "granted",
                "lifted",
                "held",
                "due",
                "due_soon",
                "empty",
            ),
            *("receiving", "checking", "paused", "parked", "rejecting", "rejected", "reading", "broken", "automatic"),
            *("transcription_queued", "transcription_running", "transcription_failed"),
            *("bundle_queued", "bundle_building", "bundle_failed", "expiring", "deleted"),
        )
        return [getattr(self, name) for name in names]
