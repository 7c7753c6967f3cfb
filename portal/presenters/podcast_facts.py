"""Collect the content of a Space's podcast feed: recording, transcript, people."""

from archive.models import Derived, Feed, Participant, Recording, Space
from portal.feed_links import chapters_url, file_url
from portal.presenters.podcast import Podcast, PodcastFile

# Transcript formats that podcast programs read, with their media types.
TRANSCRIPTS = {"vtt": "text/vtt", "srt": "application/x-subrip", "json": "application/json"}
ROLES = {Participant.Role.HOST: "host", Participant.Role.COHOST: "co-host", Participant.Role.SPEAKER: "guest"}


def playable_file(space: Space) -> Recording | Derived | None:
    """Return the recording, or the access copy if most programs can't play the recording."""
    copy = space.derived.filter(kind=Derived.Kind.ACCESS_COPY).first()
    return copy or space.recordings.first()


def collect_podcast(space: Space, feed: Feed, url: str) -> Podcast:
    """Return the content of the feed at `url`. The Space has a recording, since its content is served."""
    stored, recording, transcript = playable_file(space), space.recordings.get(), space.transcripts.last()
    assert stored is not None
    ending = stored.key.rpartition(".")[2]
    return Podcast(
        space=space,
        feed_url=url,
        recording=PodcastFile(file_url(feed, "feed-recording", ending), stored.content_type, stored.size),
        duration_seconds=round(recording.duration_ms / 1000),
        language=transcript.language if transcript and transcript.language != "und" else "",
        persons=[(person.name, ROLES[Participant.Role(person.role)]) for person in space.participants.all()],
        transcripts=[
            PodcastFile(file_url(feed, "feed-transcript", ending), media_type)
            for ending, media_type in (TRANSCRIPTS.items() if transcript else ())
        ],
        chapters=PodcastFile(chapters_url(feed), "application/json+chapters") if recording.chapters else None,
    )
