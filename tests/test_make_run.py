"""`make run` in a clean checkout: it starts, prints accounts, restarts what died, and ends without leftovers."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from embedded import envfile
from embedded.process import facts, family
from tests.support.checkout import Clone, Visitor
from tests.support.processes import wait_until
from tests.support.procfs import listening_sockets

TITLE = "The seed library room"


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """Another clone, that starts while `clone` does."""
    neighbour = Clone(tmp_path_factory.mktemp("neighbour") / "second clone")
    neighbour.begin()
    yield neighbour
    neighbour.run.stop(signal.SIGINT, 20)


@pytest.fixture(scope="module")
def clone(neighbour: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """Up, in a folder with a blank in its name; each test leaves it so."""
    clone = Clone(tmp_path_factory.mktemp("make run") / "first clone")
    clone.begin()
    try:
        clone.wait()
        yield clone
    finally:
        neighbour.run.ask_to_stop(signal.SIGINT)  # side by side
        clone.run.stop(signal.SIGINT, 20)


def test_it_says_how_to_get_in(clone: Clone) -> None:
    assert {name: role for name, (role, _) in clone.accounts.items()} == {
        "nora": "host",
        "felix": "host",
        "ada": "admin",
        "otto": "auditor",
    }
    pages = {name: Visitor(clone.address).sign_in(name, password) for name, (_, password) in clone.accounts.items()}
    assert [signed_in(page) for page in pages.values()] == ["nora", "felix", "ada", "otto"]
    assert TITLE in pages["nora"]
    assert TITLE not in pages["felix"]


def test_a_wrong_password_does_not_get_in(clone: Clone) -> None:
    page = Visitor(clone.address).sign_in("nora", "not-the-password")

    assert signed_in(page) is None
    assert "not correct" in page


def test_commands_from_a_second_terminal(clone: Clone) -> None:
    done = clone.manage("sweep", "--dry-run")
    later = clone.manage("sweep", "--dry-run", "--json", "--at", "2100-01-01T00:00:00Z")

    assert (done.returncode, done.stdout, done.stderr) == (0, "Nothing is due.\n", "")
    assert [due["id"] for due in json.loads(later.stdout)["due"]] == [demo_space(clone)]


def test_a_second_run_of_the_same_clone_is_refused(clone: Clone) -> None:
    command = [str(clone.python), "-m", "embedded", "run"]
    second = subprocess.run(command, cwd=clone.folder, env=clone.env, text=True, capture_output=True, check=False)

    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == (
        f"  this clone is running already, at {clone.address}: stop that one first (Ctrl-C in its terminal)\n"
    )
    assert clone.run.running


def test_clones_that_start_together_do_not_collide(clone: Clone, neighbour: Clone) -> None:
    neighbour.wait()

    for each in (clone, neighbour):
        addresses = listening_sockets(family(each.run.pid or 0))
        assert ("127.0.0.1", urlsplit(each.address).port) in addresses
        assert {host for host, _ in addresses} == {"127.0.0.1"}
    assert demo_space(neighbour) != demo_space(clone)
    assert (neighbour.interrupt(), neighbour.left()) == (0, {})
    assert demo_space(clone)


def test_control_c_ends_all_of_it_and_the_next_start_finds_everything(clone: Clone) -> None:
    space, accounts = demo_space(clone), clone.accounts
    below = family(clone.run.pid or 0)
    assert len(below) > 10

    status = clone.interrupt()

    assert status == 0
    assert "your data is kept" in clone.said
    assert clone.left() == {}
    assert [pid for pid, seen in below.items() if facts(pid) == seen] == []
    clone.begin()
    clone.wait()
    assert clone.accounts == accounts
    assert demo_space(clone) == space


def test_a_worker_that_is_killed_comes_back_and_works(clone: Clone) -> None:
    worker = clone.service("worker")
    os.kill(worker, signal.SIGKILL)

    wait_until(lambda: "worker is started again" in clone.said, "the worker is started again")

    assert "worker was killed (SIGKILL)" in clone.said
    assert clone.service("worker") not in {0, worker}
    nora, path = Visitor(clone.address), f"/spaces/{demo_space(clone)}/"
    nora.sign_in("nora", clone.accounts["nora"][1])
    nora.post(f"{path}bundle", nora.get(path))
    wait_until(lambda: 'data-state="ready"' in nora.get(path), "the bundle is ready")


def test_an_engine_that_is_killed_comes_back_where_it_was(clone: Clone) -> None:
    url = envfile.read(clone.data / "env")["DATABASE_URL"]
    killed = int((clone.data / "postgres.pid").read_text())
    os.kill(killed, signal.SIGKILL)

    wait_until(lambda: "postgres is started again" in clone.said, "PostgreSQL is started again")

    assert "postgres was killed (SIGKILL)" in clone.said
    assert int((clone.data / "postgres.pid").read_text()) != killed
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT title FROM archive_space").fetchall() == [(TITLE,)]
    nora = Visitor(clone.address)
    assert TITLE in nora.sign_in("nora", clone.accounts["nora"][1])


def signed_in(page: str) -> str | None:
    """Who is signed in, as the page's header says."""
    found = re.search(r"Signed in as <bdi>(\w+)</bdi>", page)
    return found and found[1]


def demo_space(clone: Clone) -> str:
    """The id of the one Space that the demo's host has, out of their first page."""
    page = Visitor(clone.address).sign_in("nora", clone.accounts["nora"][1])
    (space,) = set(re.findall(r"/spaces/([0-9a-f-]{36})/", page))
    return str(space)
