"""Format counts for people. Rows are counted up to a limit, and a count at the limit says so."""

from django.utils.translation import gettext as _

from archive.formatting import format_number
from archive.status.work import MAX_COUNTED


def format_count(count: int, *, is_least: bool) -> str:
    """Format a count. `is_least`: there may be more."""
    number = format_number(count)
    return _("{count} or more").format(count=number) if is_least else number


def format_counted(count: int, most: int | None = None) -> str:
    """Format a count that stopped at `most`; by default, MAX_COUNTED."""
    return format_count(count, is_least=count >= (MAX_COUNTED if most is None else most))
