"""Telling people: by e-mail, and as a note on the page.

`tell` writes a row in the transaction of the change that it tells of; a task sends it afterwards (`send`). What it says
is read from the rows at that moment, so a mail never repeats what is no longer true, and the row holds nothing
personal.

Each notice is sent once: asking twice is one row, a row is claimed by one worker, and the claim is asked for again
right before the hand-over. Only one window is left, and nobody can close it: the mail server took the message, and the
worker died (or the answer was lost) before the commit. Then it is sent again, with the same Message-ID, so that mail
programs show it once.
"""

from archive.notices.deliver import send
from archive.notices.outbox import dismiss, pending_notices, tell, tell_hosts
from archive.notices.reminders import create_reminders
from archive.notices.validity import visible_notices

__all__ = ["create_reminders", "dismiss", "pending_notices", "send", "tell", "tell_hosts", "visible_notices"]
