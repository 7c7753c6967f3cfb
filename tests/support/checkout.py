"""Run `make run` in its own checkout, as on another person's machine: without any environment variable of ours."""

import re
import shutil
import signal
import subprocess
import sys
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from embedded.process import Process, family
from tests.support.processes import ROOT
from tests.support.procfs import read_words
from tests.support.waiting import wait_until

TREE = ("archive", "embedded", "portal", "proxy", "templates", "requirements")
FILES = ("manage.py", "package.json", "package-lock.json")


class Checkout:
    """The working tree, copied to `folder`. Installed packages are symbolic links."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / ".data"
        self.python = folder / ".venv" / "bin" / "python"
        folder.mkdir(parents=True)
        for name in TREE:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc.*"))
        for name in FILES:
            shutil.copy2(ROOT / name, folder / name)
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / "node_modules").symlink_to(ROOT / "node_modules")
        self.run = Process("run", folder.with_name(f"{folder.name}.log"))

    @property
    def env(self) -> dict[str, str]:
        """Return an environment with only what a person's shell has."""
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.folder.parent), "PWD": str(self.folder)}

    @property
    def output(self) -> str:
        """Everything that the last `make run` has printed."""
        return self.run.log.read_text()

    @property
    def address(self) -> str:
        match = re.search(r"Spacekeep is at (http://localhost:\d+)$", self.output, re.MULTILINE)
        assert match, self.output
        return match[1]

    @property
    def accounts(self) -> dict[str, tuple[str, str]]:
        """Return {name: (role, password)}, as printed."""
        rows = re.findall(r"^    (host|admin|auditor) +(\w+) +(\S+)$", self.output, re.MULTILINE)
        return {name: (role, password) for role, name, password in rows}

    def start(self) -> None:
        """Run the command that `make run` executes when everything is installed."""
        self.run = Process("run", self.run.log)
        command = [str(self.python), "-m", "embedded", "run"]
        self.run.spawn(command, cwd=self.folder, env=self.env, death_signal=signal.SIGINT)

    def wait_until_up(self) -> None:
        """Wait until `make run` has started everything."""
        wait_until(lambda: "Ctrl-C stops it" in self.output or not self.run.running, "make run is up")
        assert self.run.running, self.output

    def interrupt(self) -> int | None:
        """Press Ctrl-C, and return the exit status."""
        self.run.ask_to_stop(signal.SIGINT)
        wait_until(lambda: not self.run.running, "make run ends")
        return self.run.exit_status

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run manage.py as in a second terminal: in another folder, and without any variable set."""
        command = [str(self.python), str(self.folder / "manage.py"), *arguments]
        return subprocess.run(command, env={}, cwd="/", text=True, capture_output=True, check=False)

    def service(self, *words: str) -> int:
        """Return the pid of the service whose command line has these words, or 0 if it does not run.

        It is a child of `make run`. Its own children have the same words.
        """
        assert self.run.pid is not None
        below = family(self.run.pid).items()
        mine = [
            pid for pid, seen in below if seen.parent == self.run.pid and set(words) <= set(read_words(pid, "cmdline"))
        ]
        return mine[0] if mine else 0

    def leftover_processes(self) -> dict[int, list[str]]:
        """Return every process on the machine that works in this folder, or whose command or environment names it."""
        here = str(self.folder)
        pids = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
        facts = {pid: [working_folder(pid), *read_words(pid, "cmdline"), *read_words(pid, "environ")] for pid in pids}
        return {pid: words for pid, words in facts.items() if any(here in word for word in words)}


def working_folder(pid: int) -> str:
    """Return the working folder of a process."""
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return ""


class HttpSession:
    """An HTTP client that keeps cookies and follows redirects."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        with self._opener.open(f"{self.address}{path}", timeout=120) as answer:
            return str(answer.read().decode())

    def post(self, path: str, page: str, **fields: str) -> str:
        """Send the form on `page` to `path`, with the form's CSRF token. Return the next page."""
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]
        form = urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
        with self._opener.open(f"{self.address}{path}", form, timeout=120) as answer:
            return str(answer.read().decode())

    def sign_in(self, name: str, password: str) -> str:
        """Sign in. Return the next page: the user's, or the form with its errors."""
        path = "/accounts/login/"
        return self.post(path, self.get(path), login=name, password=password)
