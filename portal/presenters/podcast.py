"""One Space as a podcast feed: RSS 2.0, with the tags of iTunes and of Podcasting 2.0.

The namespace of Podcasting 2.0 (podcastindex.org/namespace/1.0) has transcripts, chapters and persons.
"""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.feedgenerator import Enclosure, Rss201rev2Feed
from django.utils.translation import gettext as _

from archive import formatting
from archive.models import Space

NAMESPACES = {
    "xmlns:itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "xmlns:podcast": "https://podcastindex.org/namespace/1.0",
}


@dataclass(frozen=True)
class PodcastFile:
    """A file in the feed: its absolute URL, its media type, its size in bytes."""

    url: str
    media_type: str
    size: int = 0


@dataclass(frozen=True)
class Podcast:
    """The content of a feed. `persons`: name and role. `transcripts`: with their language."""

    space: Space
    feed_url: str
    recording: PodcastFile
    duration_seconds: int
    language: str = ""
    persons: list[tuple[str, str]] = field(default_factory=list)
    transcripts: list[PodcastFile] = field(default_factory=list)
    chapters: PodcastFile | None = None


class PodcastRss(Rss201rev2Feed):
    """Add the elements that podcast programs read beyond RSS."""

    def rss_attributes(self) -> dict[str, str]:
        return {**super().rss_attributes(), **NAMESPACES}

    def add_root_elements(self, handler: Any) -> None:
        super().add_root_elements(handler)
        handler.addQuickElement("itunes:author", self.feed["author_name"])
        handler.addQuickElement("itunes:explicit", "false")
        handler.addQuickElement("itunes:block", "Yes")  # a private feed: directories must not list it
        handler.addQuickElement("podcast:locked", "yes")

    def add_item_elements(self, handler: Any, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item)
        podcast: Podcast = item["podcast"]
        handler.addQuickElement("itunes:duration", str(podcast.duration_seconds))
        for name, role in podcast.persons:
            handler.addQuickElement("podcast:person", name, {"role": role})
        for file in podcast.transcripts:
            attributes = {"url": file.url, "type": file.media_type}
            handler.addQuickElement("podcast:transcript", "", attributes | _language(podcast.language))
        if podcast.chapters:
            handler.addQuickElement(
                "podcast:chapters", "", {"url": podcast.chapters.url, "type": podcast.chapters.media_type}
            )


def render_podcast(podcast: Podcast) -> str:
    """Render the feed as XML: a channel with the Space as its only item."""
    space, page = podcast.space, settings.SITE_URL + reverse("space", args=[podcast.space.pk])
    until = space.expires_at
    text = _("Available here until {time}.").format(time=formatting.format_utc(until)) if until else ""
    feed = PodcastRss(
        title=_clean(str(space)),
        link=page,
        description=text or _("A Space from Spacekeep."),
        language=podcast.language or None,
        author_name=_clean(space.host.display_name),
        feed_url=podcast.feed_url,
    )
    feed.add_item(
        title=_clean(str(space)),
        link=page,
        description=text,
        unique_id=str(space.pk),
        unique_id_is_permalink=False,
        pubdate=space.ended_at,
        enclosures=[Enclosure(podcast.recording.url, str(podcast.recording.size), podcast.recording.media_type)],
        podcast=podcast,
    )
    return feed.writeString("utf-8")


def _language(language: str) -> dict[str, str]:
    return {"language": language} if language else {}


def _clean(text: str) -> str:
    """Remove the characters that XML 1.0 does not allow."""
    return "".join(char for char in text if char >= " " and char not in "\ufffe\uffff")
