"""Run one order on one file and report one answer."""

import json
import os
import sys
import threading

from archive.intake.audio.decoder import (  # imports all modules now: a confined process can't import any
    faults,
    run,
)
from archive.intake.audio.decoder.confine import confine, end_with

BLOCK = 2**18  # bytes per write, since each write wakes the reader
THREAD = 2**19  # bytes of stack: the default of 8 MiB would count against the memory limit


def main() -> None:
    order = json.loads(sys.argv[1])
    end_with(order["parent"])
    threading.stack_size(THREAD)
    with os.fdopen(order["says"], "w", encoding="utf-8") as pipe:

        def say(**line: object) -> None:
            pipe.write(json.dumps(line) + "\n")
            pipe.flush()

        try:
            say(guards=confine(parent=order["parent"], **order["limits"]))
        except Exception as error:  # even MemoryError: the file is not open yet, so it is not to blame
            say(**faults.crash(error))
            return
        try:
            with os.fdopen(0, "rb", buffering=0) as file, os.fdopen(1, "wb", buffering=BLOCK) as out:
                run.carry_out(order, file, out, say)
        except BrokenPipeError:
            pass  # the reader has stopped reading
        except Exception as error:
            say(**faults.make_last_line(error))


if __name__ == "__main__":
    main()
    os._exit(0)  # everything is written and closed; unloading FFmpeg would take 10 ms of CPU
