"""The program that listens: one process for each file, so that what was made to break a decoder breaks nothing else.

    python -m archive.intake.audio.decoder ORDER      ORDER: JSON; the file is descriptor 0

It knows nothing of Django, settings, the database or the store. Before it looks at the file it gives up, for good,
everything that it won't need (confine.py). It tells its story in JSON lines on the descriptor `says`:

    {"guards": [...]}                           what keeps it in, once, before the file is looked at
    {"heard": 60.0}                             seconds so far, about once a minute of sound
    {"refused": "audio.silent", "params": {...}}        the last line: why this is no recording (archive/messages)
    {"measured": {...}, "peaks": {...}, "listening": true}      or, the last line: what was found
    {"failed": "OSError", "errno": 28}          or, the last line: the machine's fault
    {"crashed": "TypeError", "at": "work.py:31"}        or, the last line: a bug of ours, and where (faults.py)

The other end is archive/intake/audio/sandbox.py, which believes none of it unseen.
"""
