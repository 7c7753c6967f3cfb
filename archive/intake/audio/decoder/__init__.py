"""The decoder: one sandboxed process per file, so that a malicious file can harm nothing else.

    python -m archive.intake.audio.decoder ORDER      ORDER is JSON; the file is descriptor 0

The process imports neither Django nor settings, and reaches neither the database nor the store. Before it opens the
file, it gives up every right that it does not need (confine.py). Samples go to standard output. The process reports
in JSON lines on the descriptor `says`:

    {"guards": [...]}                                   first line: the guards in effect
    {"measured": {...}, "access_copy": "audio.copy_gaps",
     "notes": [{"code": ..., "params": {...}}]}         last line: description, reason for a copy, notes
    {"done": true}                                      or: all samples were written
    {"refused": "audio.silent", "params": {...}}        or: why the file is refused (archive/error_messages)
    {"failed": "OSError", "errno": 28}                  or: a failure of the machine
    {"crashed": "TypeError", "at": "run.py:31"}         or: a bug of ours, and its location (faults.py)

archive/intake/audio/sandbox.py reads and validates these lines.
"""
