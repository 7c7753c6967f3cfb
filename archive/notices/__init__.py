"""Notify users: by e-mail, and by a note on their pages.

`tell` writes a row in the transaction of the change; a task sends it afterwards (`send`). The text is rendered at send
time, so an e-mail is never out of date, and the row holds no personal data.

Notices are idempotent: repeating `tell` adds no row, one worker claims a row, and the claim is checked again right
before the message goes to the mail server. One gap remains and cannot be closed: if the worker dies (or the answer gets
lost) after the server accepted the message and before the commit, the message is sent again, with the same Message-ID,
so that mail programs show it once.
"""

from archive.notices.deliver import send
from archive.notices.open import count_open, find_banner, open_notices, retire, with_superseded
from archive.notices.outbox import dismiss, pending_notices, tell, tell_hosts
from archive.notices.reminders import create_hold_reviews, create_reminders
from archive.notices.validity import visible_notices

__all__ = [
    "count_open",
    "create_hold_reviews",
    "create_reminders",
    "dismiss",
    "find_banner",
    "open_notices",
    "pending_notices",
    "retire",
    "send",
    "tell",
    "tell_hosts",
    "visible_notices",
    "with_superseded",
]
