"""Write the search index of a transcript."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from archive.models import SearchLine, Transcript
from archive.search.normalize import plain

BATCH = 2000  # cues in one statement; a 6-hour transcript has about 5,000
MAX_LENGTH = 60_000  # characters of one cue: three such cues always fit into a tsvector (1 MiB)

SIMPLE = "simple"
HOST_MARK = "@"  # not a letter, so no word begins with it
# BCP 47 primary subtag -> PostgreSQL configuration. Which of them exist depends on PostgreSQL's version.
CONFIGS = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}

# The vectors of neighboring lines are concatenated. Stop words take a position but have no entry in a vector, and `||`
# continues counting from the last entry. So each vector gets an end marker at its true length, which is removed at the
# end. `simple` has no stop words, so it gives the true length. Each vector also has the number of the host, so the
# index finds the lines of one host quickly, however common the words are.
WRITE = """
WITH given AS (
    SELECT ordinality + %(first)s - 1 AS number, to_tsvector(%(config)s::regconfig, text) AS words, (
        SELECT max(place) FROM unnest(to_tsvector('pg_catalog.simple', text)) AS word, unnest(word.positions) AS place
    ) AS length
    FROM unnest(%(texts)s::text[]) WITH ORDINALITY AS given (text, ordinality)
), ended AS (
    SELECT number,
        CASE WHEN length > 0 THEN (setweight(words, 'A')::text || ' ''|'':' || length)::tsvector ELSE '' END AS own,
        CASE WHEN length > 0 THEN (setweight(words, 'D')::text || ' ''|'':' || length)::tsvector ELSE '' END AS near
    FROM given
), joined AS (
    SELECT number, ts_delete(
        coalesce(lag(near) OVER (ORDER BY number), '') || own || coalesce(lead(near) OVER (ORDER BY number), ''), '|'
    ) AS vector
    FROM ended
)
INSERT INTO archive_searchline (transcript_id, space_id, number, config, vector)
SELECT %(transcript)s, %(space)s, number, %(name)s, vector || array_to_tsvector(ARRAY[%(mark)s || host_id])
FROM joined, archive_space WHERE archive_space.id = %(space)s AND number >= %(from)s AND number < %(to)s
"""


def index_transcript(transcript: Transcript) -> None:
    """Index this transcript instead of older ones of its Space, in the caller's transaction. Does nothing if it is
    outdated."""
    if Transcript.objects.filter(space_id=transcript.space_id, number__gt=transcript.number).exists():
        return
    SearchLine.objects.filter(space_id=transcript.space_id).delete()
    write(transcript.pk, transcript.space_id, transcript.language, transcript.cues)


def write(transcript_id: int, space_id: UUID, language: str, cues: Sequence[Mapping[str, Any]]) -> None:
    """Write the lines of one transcript."""
    name = config_for(language)
    ids: dict[str, Any] = {
        "transcript": transcript_id,
        "space": space_id,
        "name": name,
        "config": f"pg_catalog.{name}",
        "mark": HOST_MARK,
    }
    texts = [plain(cue["text"])[:MAX_LENGTH] for cue in cues]
    with connection.cursor() as cursor:
        for start in range(0, len(texts), BATCH):
            first, end = max(0, start - 1), start + BATCH  # including the neighbors of the first and the last line
            place = {"texts": texts[first : end + 1], "first": first, "from": start, "to": end}
            cursor.execute(WRITE, ids | place)


def config_for(language: str) -> str:
    """Return the PostgreSQL configuration for a language (BCP 47); `simple` if there is none."""
    wanted = CONFIGS.get(language.replace("_", "-").split("-")[0].lower(), SIMPLE)
    return wanted if wanted in configs() else SIMPLE


def configs() -> list[str]:
    """Return those of our configurations that this PostgreSQL has."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT cfgname::text FROM pg_ts_config WHERE cfgnamespace = 'pg_catalog'::regnamespace"
            " AND cfgname = ANY(%s) ORDER BY cfgname",
            [[SIMPLE, *CONFIGS.values()]],
        )
        return [name for (name,) in cursor.fetchall()]
