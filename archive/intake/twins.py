"""Find recordings that were probably uploaded before, for a hint that refuses nothing."""

from datetime import datetime, timedelta

from archive.intake.importers.values import YEARS, text
from archive.models import Space, User

TOLERANCE = timedelta(minutes=1)  # because people don't type seconds


def find_twin(host: User, title: str, ended_at: datetime) -> Space | None:
    """Return a Space of this host with the same title, ignoring case, that ended at the same time."""
    title = text(title)
    if not title or ended_at.year not in YEARS:
        return None
    times = (ended_at - TOLERANCE, ended_at + TOLERANCE)
    spaces = Space.objects.kept().filter(host=host, ended_at__range=times, title__iexact=title)
    return spaces.exclude(state=Space.State.RECEIVING).order_by("-created_at").first()
