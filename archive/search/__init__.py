"""Search over what was said: PostgreSQL's full-text search, a row for each line of the transcript that a Space's page
shows.

The words of a line weigh A, those of its neighbours D, so that words on both sides of a line's end are found together;
but a line is a hit only if at least one of the words is its own. Each line is read by the rules of its transcript's
language, where PostgreSQL has them; all others word by word as they are (configuration `simple`).
"""

from archive.search.find import FoundLine, FoundSpace, SearchResults, search_lines
from archive.search.highlight import Piece
from archive.search.index import index_transcript

__all__ = ["FoundLine", "FoundSpace", "Piece", "SearchResults", "index_transcript", "search_lines"]
