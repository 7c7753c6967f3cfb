"""Let the host edit a Space after the upload: its facts, its participants, its transcript.

Only the host may edit (permission.py), until the deadline, also on hold and while flagged. Admins change no content.
Nobody can edit the end of a Space, since the deadline counts from it.

**A transcript never changes.** Each edit writes a new version (versions.py) with all corrections of one sitting: the
page collects corrections, and saves them as one version. Earlier versions stay until the Space is deleted, so evidence,
which names a version and its lines, stays provable.

**Edits use optimistic locking.** An edit names its base: the number of a version, or the edition of the facts
(facts.py). If that is no longer the newest, the edit is refused as Conflict, and the caller still has the text. An edit
that changes nothing succeeds, so sending one twice is harmless.

A new version's object is stored first, outside of transactions; its row, renamed participants, and the log entries are
committed in one transaction, with the Space locked. A process that is killed in between leaves the old version and an
orphan, which reconcile removes (archive/retention/reconcile.py).
"""
