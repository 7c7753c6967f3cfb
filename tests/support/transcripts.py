"""Create transcripts as rows, without an object in the store: enough for search and for corrections by speakers."""

from collections.abc import Sequence

from archive import search
from archive.models import Space, Transcript

Line = str | tuple[str, str]


def make_transcript(space: Space, lines: Sequence[Line], language: str = "en", number: int = 1) -> Transcript:
    """Create and index a transcript with one line per second. A line is a text, or (speaker, text)."""
    pairs = [("", line) if isinstance(line, str) else line for line in lines]
    cues = [
        {"start_ms": 1000 * n, "end_ms": 1000 * n + 900, "speaker": speaker, "text": text}
        for n, (speaker, text) in enumerate(pairs)
    ]
    key = f"spaces/{space.pk}/transcript/{number}.{language}.vtt"
    stored = {"key": key, "size": 1, "sha256": "0" * 64, "crc32": 1, "etag": "e"}
    transcript = Transcript.objects.create(space=space, number=number, language=language, cues=cues, **stored)
    search.index_transcript(transcript)
    return transcript
