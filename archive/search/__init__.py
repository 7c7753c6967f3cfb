"""Search with PostgreSQL. Names: one index row for each Space (names.py). Transcripts: one for each line of the newest.

The words of a line have weight A, those of the neighboring lines D, so that a phrase across a line break is found; but
a line is a hit only if at least one of the words is its own. Lines are parsed with the configuration of their
transcript's language where PostgreSQL has one, else with `simple`, which takes words as they are.
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
