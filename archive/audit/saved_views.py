"""Views of the log that an auditor or admin saved: a name and the filters. Users see only their own."""

from django.db import transaction

from archive.errors import Refused
from archive.models import SavedLogView, User

MAX_VIEWS = 50  # per user


def list_views(user: User) -> list[SavedLogView]:
    return list(SavedLogView.objects.filter(user=user).order_by("name")[:MAX_VIEWS])


def save(user: User, name: str, query: str) -> None:
    """Save the filters under this name, replacing earlier ones. Raises Refused for too many views, or a query that is
    too long."""
    if len(query) > SavedLogView.MAX_QUERY:
        raise Refused("log.view_too_long", limit=SavedLogView.MAX_QUERY)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # so simultaneous requests can't exceed the limit
        views = SavedLogView.objects.filter(user=user)
        if not views.filter(name=name).exists() and views.count() >= MAX_VIEWS:
            raise Refused("log.too_many_views", limit=MAX_VIEWS)
        SavedLogView.objects.update_or_create(user=user, name=name, defaults={"query": query})


def delete(user: User, view_id: int) -> None:
    SavedLogView.objects.filter(user=user, pk=view_id).delete()
