"""Whether an error of the database means that PostgreSQL can't be reached. Any other error is an answer of it."""

from django.db import Error, InterfaceError, OperationalError

# Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html: the connection failed, PostgreSQL
# stops or starts, it has too many connections.
UNREACHABLE = ("08", "57P", "53300")


def is_unreachable(error: Error) -> bool:
    """Whether nobody answered, or PostgreSQL refused or ended the connection. Without a code, the error is not its
    answer."""
    state: str | None = getattr(error.__cause__, "sqlstate", None)
    return isinstance(error, OperationalError | InterfaceError) and (state is None or state.startswith(UNREACHABLE))


def describe(error: Error) -> str:
    """The first line of it, without a full stop: the others quote the statement."""
    return str(error).strip().partition("\n")[0].rstrip(".")


def describe_unreachable(error: Error) -> str:
    """For whoever ran a command."""
    return f"The database can't be reached: {describe(error)}. Run the command again when it is back: nothing was lost."
