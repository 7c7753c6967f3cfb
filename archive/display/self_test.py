"""Render the offline page of a made-up Space, without a database, to check that this process can do it."""

from datetime import UTC, datetime, timedelta

from archive.display.assets import assets
from archive.display.offline_page import File, Related, render_offline_page
from archive.models import Participant, Recording, Space, Transcript, User

ENDED_AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
LINE = "Seeds are <small> & many."


class PageIncomplete(Exception):
    """The rendered page lacks something."""


def run() -> None:
    """Raise PageIncomplete, or what rendering raises: ImproperlyConfigured if a style, a script or an icon is
    missing."""
    host = User(username="nora", first_name="Nora")
    space = Space(host=host, title="A self-test", ended_at=ENDED_AT, expires_at=ENDED_AT + timedelta(days=30))
    cues = [{"start_ms": 0, "end_ms": 900, "speaker": "Nora", "text": LINE}]
    page = render_offline_page(
        space,
        Recording(space=space, number=1, duration_ms=2000, sha256="0" * 64, chapters=[]),
        Transcript(space=space, number=1, language="en", cues=cues),
        sound="recording.m4a",
        peaks=[[0.0, 1.0]],
        files=[File("recording.m4a", "Recording", 1)],
        nonce="0" * 32,
        related=Related([Participant(space=space, name="Nora", role=Participant.Role.HOST)], []),
    ).decode()
    needed = ("A self-test", "Seeds are &lt;small&gt; &amp; many.", "recording.m4a", assets().script, assets().style)
    if missing := [text[:40] for text in needed if not text or text not in page]:
        raise PageIncomplete(f"it lacks {missing[0]!r}")
