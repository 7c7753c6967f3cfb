"""Plant one bug at a time and run the tests that must catch it. Exit status 0 only if every bug was caught.

Arguments are words: only mutants whose name contains one of them. If the tests named for a bug miss it, all others run
before it counts as missed. Each run of tests has its own engines, because a bug may leave data in a database or bucket
on which the next run would fail.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from embedded.process import family, kill_all
from embedded.reaper import no_process_left
from tests.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parent.parent.parent
OFFLINE_PAGE = "archive/display/offline-page.bundle.js"  # built by make, and not under version control
AT_ONCE = 2
SECONDS = 1800  # for the tests of one mutant
FAILED = 1  # pytest's exit status when tests ran and some failed


@contextmanager
def planted(mutant: Mutant) -> Iterator[Path]:
    """Copy the tree, and plant this bug in it."""
    with tempfile.TemporaryDirectory(prefix="spacekeep-mutant-") as name:
        tree = Path(name)
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True, stdout=subprocess.PIPE, check=True
        )
        for file in listed.stdout.splitlines():
            if (ROOT / file).is_file():
                (tree / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / file, tree / file)
        (tree / "node_modules").symlink_to(ROOT / "node_modules")
        shutil.copy2(ROOT / OFFLINE_PAGE, tree / OFFLINE_PAGE)
        code = (tree / mutant.file).read_text()
        if code.count(mutant.old) != 1:
            raise LookupError(f"{mutant.name}: its place is not in {mutant.file} once")
        (tree / mutant.file).write_text(code.replace(mutant.old, mutant.new))
        yield tree


def find_catching_tests(mutant: Mutant) -> str:
    """Return the first failing test, from the files named for the bug or from any other; "" if none fails."""
    with planted(mutant) as tree:
        return find_failure(tree, files(mutant)) or find_failure(tree, ["tests"])


def files(*mutants: Mutant) -> list[str]:
    """Return the files of the tests named for these mutants, each once."""
    return sorted({f"tests/{name}.py" for mutant in mutants for name in mutant.tests})


def find_failure(tree: Path, tests: list[str]) -> str:
    """Return the first of these tests that fails; "" if none does. Raises RuntimeError if they cannot be run."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=tree, text=True, capture_output=True, timeout=SECONDS, check=False)
    if done.returncode not in (0, FAILED):
        raise RuntimeError(f"pytest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    if done.returncode == 0:
        return ""
    failed = re.search(r"^(?:FAILED|ERROR) tests/(.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    return failed[1] if failed else "a test"


@contextmanager
def killing_runs(threads: ThreadPoolExecutor) -> Iterator[None]:
    """On an interrupt, end the test runs that `threads` wait for, and start no others."""
    try:
        yield
    except KeyboardInterrupt:
        threads.shutdown(wait=False, cancel_futures=True)
        kill_all(family(os.getpid()))
        raise


def main(words: list[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant.name for word in words)]
    with no_process_left(lambda: None), ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        stack.enter_context(killing_runs(threads))
        missed = 0
        for mutant, by in zip(chosen, threads.map(find_catching_tests, chosen), strict=True):
            missed += not by
            sys.stdout.write(f"{mutant.name:45} {'caught by ' + by if by else 'MISSED'}\n")
            sys.stdout.flush()
        blind = find_failure(ROOT, files(*chosen)) if chosen else ""
    sys.stdout.write(f"{len(chosen) - missed} of {len(chosen)} caught\n")
    if blind:
        sys.stdout.write(f"Without any bug fails {blind}, too, so this says nothing.\n")
    return 1 if missed or blind or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
