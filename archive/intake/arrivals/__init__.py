"""Recordings that arrive by themselves: a recorder leaves a recording somewhere, and workers fetch it.

An `Arrival` is a row for each of them; its state names the next step:

1. `waiting`: seen, but not complete. LiveKit reports it (livekit_webhook.py, livekit_events.py, livekit_poll.py);
   an inbox is looked at once a minute (inbox_scan.py).
2. `pending`: complete. take.py reads the facts of the Space (livekit_facts.py, inbox_sidecar.py) and registers it,
   in the transaction that moves the arrival to `copying`. So an arrival has one Space, whatever dies.
3. `copying`: the bytes go into an upload session of that Space (copying.py), inside the store where both are one, else
   through the worker, a part at a time (sources.py). A run that dies or ends is resumed from the parts in the store.
4. `examining`: from here on it is an upload like any other (archive/intake/publish.py).
5. `accepted` or `refused`: settle.py writes the outcome beside an inbox's recording, and removes the source of an
   accepted one after it has verified the stored copy. The source of a refused one stays until its deadline
   (inbox_clean_up.py).

Everything is idempotent: an event or a scan that comes twice finds the row, and a step that was done is not repeated.
"""
