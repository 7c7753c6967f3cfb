"""Search with PostgreSQL. Names: one index row per Space (names.py). Transcripts: one per line of the newest version.

The words of a line have weight A and those of the neighboring lines D, so that a phrase across a line break is found;
but a line matches only if at least one of the words is its own. Lines are parsed with PostgreSQL's configuration for
their transcript's language if there is one, otherwise with `simple`, which does not stem words.
"""

from archive.search.find import FoundLine, FoundSpace, SearchResults, search_lines
from archive.search.highlight import Piece
from archive.search.index import index_transcript
from archive.search.limits import index_order, limited_time
from archive.search.names import MatchingSpaces, check_words, find_spaces, id_range, index_spaces, index_spaces_of

__all__ = [
    "FoundLine",
    "FoundSpace",
    "MatchingSpaces",
    "Piece",
    "SearchResults",
    "check_words",
    "find_spaces",
    "id_range",
    "index_order",
    "index_spaces",
    "index_spaces_of",
    "index_transcript",
    "limited_time",
    "search_lines",
]
