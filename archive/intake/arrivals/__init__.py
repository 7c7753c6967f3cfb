"""Fetch recordings that recorders leave for us: in LiveKit's bucket, or in an inbox.

Each recording has an `Arrival` row, whose state names the next step:

1. `waiting`: seen, but not complete. LiveKit reports it (livekit_webhook.py, livekit_events.py, livekit_poll.py);
   inboxes are scanned once a minute (inbox_scan.py).
2. `pending`: complete. take.py reads the facts of the Space (livekit_facts.py, inbox_sidecar.py) and registers it in
   the transaction that moves the arrival to `copying`, so that an arrival never has two Spaces.
3. `copying`: the bytes are copied into an upload session of that Space (copying.py), inside the store if source and
   target are the same one, otherwise through the worker, a part at a time (sources.py). An interrupted run is resumed
   from the parts in the store.
4. `examining`: from here on it is an upload like any other (archive/intake/publish.py).
5. `accepted` or `refused`: settle.py writes the outcome beside an inbox's recording, and removes the source of an
   accepted one after verifying the stored copy. The source of a refused one stays until its deadline
   (inbox_clean_up.py).

Everything is idempotent: a repeated event or scan finds the row, and a finished step is not repeated.
"""
