"""Webhooks: signed HTTP requests that tell other programs about events of Spaces (standardwebhooks.com, 1.0.0).

`announce` writes a row for each endpoint in the transaction of the change, and a worker sends it afterwards
(`deliver`): at least once, always with the same `webhook-id`. A payload has ids, codes and times, no names, no texts.

Admins set up endpoints, for all Spaces. An endpoint works only while its owner is an active admin, since nobody else
may know of all Spaces.
"""

from archive.webhooks.deliver import deliver
from archive.webhooks.outbox import announce, announce_all, announce_overdue, delete_old

__all__ = ["announce", "announce_all", "announce_overdue", "delete_old", "deliver"]
