"""The decoder: one sandboxed process per file, so a file made to break a decoder breaks nothing else.

    python -m archive.intake.audio.decoder ORDER      ORDER is JSON; the file is descriptor 0

The process imports neither Django nor settings, and reaches neither the database nor the store. Before it opens the
file, it gives up every right that it does not need (confine.py). Samples go to standard output. The process reports
in JSON lines on the descriptor `says`:

    {"guards": [...]}                                   first line: the guards that hold
    {"measured": {...}, "access_copy": "audio.copy_gaps",
     "notes": [{"code": ..., "params": {...}}]}         last line: description, reason for a copy, notes
    {"done": true}                                      or: all samples were written
    {"refused": "audio.silent", "params": {...}}        or: why this is no recording (archive/error_messages)
    {"failed": "OSError", "errno": 28}                  or: the machine's fault
    {"crashed": "TypeError", "at": "run.py:31"}         or: a bug of ours, and its location (faults.py)

archive/intake/audio/sandbox.py reads and validates these lines.
"""
