"""The host edits a Space after the upload: its facts, its participants, its transcript.

Only the host may (permission.py), until the deadline; on hold and while flagged, too. Admins change no content. The end
of a Space is not a fact that anybody can edit: the deadline counts from it.

**A transcript is never changed.** Each edit writes a new version (versions.py) with everything that was corrected in
one sitting: the page collects corrections, and saves them as one version. Earlier versions stay until the Space is
deleted, so evidence, which names a version and its lines, stays provable.

**Nothing is overwritten unseen.** An edit names what it was made from: the number of a version, or the edition of the
facts (facts.py). If that is no longer the newest, it is refused as Conflict, and the caller still has the text. An edit
that changes nothing succeeds, so sending one twice is harmless.

A new version's object is stored first, outside of transactions; its row, participants that follow a rename, and the log
entries are committed in one transaction, with the Space locked. A process that is killed in between leaves the old
version and an object without a row, which reconcile removes (archive/retention/reconcile.py).
"""
