"""Plants one bug at a time and runs the tests that must catch it. Exit status 0 only when every one was caught.

Arguments are words: only mutants whose name has one of them. A bug that the tests named for it do not catch has the
chance of all others before it counts as missed. Those that are named share engines, and a database that is made once;
all the others, which also stop engines, start their own.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from embedded.engines import Engines
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
    """A copy of the tree, with this bug in it."""
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


@contextmanager
def lent() -> Iterator[dict[str, str]]:
    """Engines for runs of the tests, one after the other; as variables of their environment (tests/plugin.py)."""
    with tempfile.TemporaryDirectory(prefix="spacekeep-mutants-") as name:
        engines = Engines(Path(name) / "data", fast=True)
        engines.start()
        try:
            yield {**engines.env, "TEST_ENGINES": str(engines.data_dir)}
        finally:
            engines.destroy()


def find_catching_tests(mutant: Mutant, free: "SimpleQueue[dict[str, str]]") -> str:
    """By which tests: those named for it, or others; "" by none. Takes engines from `free`, and gives them back."""
    with planted(mutant) as tree:
        borrowed = free.get()
        try:
            if fails(tree, files(mutant), borrowed):
                return " ".join(mutant.tests)
        finally:
            free.put(borrowed)
        return "others" if fails(tree, ["tests"], {}) else ""


def files(*mutants: Mutant) -> list[str]:
    """Of the tests that are named for them, each once."""
    return sorted({f"tests/{name}.py" for mutant in mutants for name in mutant.tests})


def fails(tree: Path, tests: list[str], engines: Mapping[str, str]) -> bool:
    """Whether one of these tests fails. Raises RuntimeError when they could not be run."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        command, cwd=tree, env={**os.environ, **engines}, text=True, capture_output=True, timeout=SECONDS, check=False
    )
    if done.returncode not in (0, FAILED):
        raise RuntimeError(f"pytest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == FAILED


@contextmanager
def killing_runs(threads: ThreadPoolExecutor) -> Iterator[None]:
    """An interrupt ends the runs that `threads` wait for, and begins no other."""
    try:
        yield
    except KeyboardInterrupt:
        threads.shutdown(wait=False, cancel_futures=True)
        kill_all(family(os.getpid()))
        raise


def main(words: list[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant.name for word in words)]
    free: SimpleQueue[dict[str, str]] = SimpleQueue()
    with no_process_left(lambda: None), ExitStack() as stack:
        for _ in range(AT_ONCE):
            free.put(stack.enter_context(lent()))
        threads = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        stack.enter_context(killing_runs(threads))
        missed = 0
        for mutant, by in zip(chosen, threads.map(partial(find_catching_tests, free=free), chosen), strict=True):
            missed += not by
            sys.stdout.write(f"{mutant.name:45} {'caught by ' + by if by else 'MISSED'}\n")
            sys.stdout.flush()
        # On engines that saw so many bugs: otherwise it could be those that fail, and not the tests.
        blind = bool(chosen) and fails(ROOT, files(*chosen), free.get())
    sys.stdout.write(f"{len(chosen) - missed} of {len(chosen)} caught\n")
    if blind:
        sys.stdout.write("The tests fail without any bug, too, so this says nothing.\n")
    return 1 if missed or blind or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
