"""One order, one file, one answer."""

import errno
import json
import os
import sys
import threading
import traceback

from archive.errors import Unreadable
from archive.intake.hearing import work  # and all that it rests on: nothing can be imported once we are confined
from archive.intake.hearing.confine import confine, end_with

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
            with os.fdopen(0, "rb", buffering=0) as file:
                work.carry_out(order, file, say)
        except Unreadable as error:
            say(refused=str(error))
        except (MemoryError, RuntimeError):  # the second: no room for a thread or for a buffer of samples
            say(refused=work.TOO_MUCH_MEMORY)
        except BrokenPipeError:
            pass  # they have heard enough
        except OSError as error:
            if error.errno == errno.EFBIG:
                say(refused=work.TOO_LARGE)
            else:
                say(failed=type(error).__name__, errno=error.errno)
        except Exception:
            say(crashed=traceback.format_exc()[-2000:])


if __name__ == "__main__":
    main()
