"""Full-text search over transcripts with PostgreSQL: one index row for each line of a Space's newest transcript.

The words of a line have weight A, those of the neighboring lines D, so that a phrase across a line break is found; but
a line is a hit only if at least one of the words is its own. Lines are parsed with the configuration of their
transcript's language where PostgreSQL has one, else with `simple`, which takes words as they are.
"""

from archive.search.find import FoundLine, FoundSpace, SearchResults, search_lines
from archive.search.highlight import Piece
from archive.search.index import index_transcript

__all__ = ["FoundLine", "FoundSpace", "Piece", "SearchResults", "index_transcript", "search_lines"]
