"""One order, one file, one answer."""

import json
import os
import sys
import threading

from archive.intake.audio.decoder import (  # and all they rest on: nothing can be imported once we are confined
    faults,
    run,
)
from archive.intake.audio.decoder.confine import confine, end_with

THREAD = 2**19  # bytes of stack: 8 MiB is the usual, and counts


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
        except Exception as error:  # also for want of memory: no file was looked at yet, so none is to blame
            say(**faults.crash(error))
            return
        try:
            with os.fdopen(0, "rb", buffering=0) as file:
                run.carry_out(order, file, say)
        except BrokenPipeError:
            pass  # they have heard enough
        except Exception as error:
            say(**faults.last_line(error))


if __name__ == "__main__":
    main()
