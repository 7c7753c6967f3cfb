"""`make run` in a clean checkout starts, prints accounts, restarts processes that died, and leaves no process
behind."""

import json
import os
import re
import signal
import stat
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from embedded import envfile
from embedded.process import facts, family
from tests.support.checkout import Checkout, HttpSession
from tests.support.procfs import listening_sockets
from tests.support.waiting import wait_until

TITLE = "The seed library room"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A running checkout in a path with a space; each test leaves it running."""
    checkout = Checkout(tmp_path_factory.mktemp("make run") / "first clone")
    checkout.start()
    try:
        checkout.wait_until_up()
        yield checkout
        assert_control_c_ends_all_of_it(checkout)
    finally:
        checkout.run.stop(signal.SIGINT, 20)


def assert_control_c_ends_all_of_it(checkout: Checkout) -> None:
    """Interrupt it. Runs last in the module, so that the tests share one start."""
    below = family(checkout.run.pid or 0)
    assert len(below) > 10

    assert checkout.interrupt() == 0

    assert "your data is kept" in checkout.output
    assert checkout.leftover_processes() == {}
    assert [pid for pid, seen in below.items() if facts(pid) == seen] == []


def test_it_says_how_to_get_in(checkout: Checkout) -> None:
    assert {name: role for name, (role, _) in checkout.accounts.items()} == {
        "nora": "host",
        "felix": "host",
        "ada": "admin",
        "bea": "admin",
        "otto": "auditor",
    }
    pages = {
        name: HttpSession(checkout.address).sign_in(name, password) for name, (_, password) in checkout.accounts.items()
    }
    assert [signed_in(page) for page in pages.values()] == ["nora", "felix", "ada", "bea", "otto"]
    assert TITLE in pages["nora"]
    assert TITLE not in pages["felix"]


def test_browsers_get_a_name_and_not_a_number(checkout: Checkout) -> None:
    """Passkeys need a host name: in what it prints, in its redirects, and in the store's CORS rules."""
    site, values = checkout.address, envfile.read(checkout.data / "env")
    number = HTTPConnection("127.0.0.1", urlsplit(site).port or 0)
    number.request("GET", "/log/")
    store = urlsplit(values["S3_PUBLIC_ENDPOINT_URL"])
    preflight = HTTPConnection("127.0.0.1", store.port or 0)
    asked = {"Host": store.netloc, "Origin": site, "Access-Control-Request-Method": "PUT"}
    preflight.request("OPTIONS", f"/{values['S3_BUCKET']}/x", headers=asked)

    assert number.getresponse().headers["Location"] == f"{site}/log/"
    assert preflight.getresponse().headers["Access-Control-Allow-Origin"] == site
    assert (values["SITE_URL"], store.hostname) == (site, "localhost")
    number.close()
    preflight.close()


def test_a_wrong_password_does_not_get_in(checkout: Checkout) -> None:
    page = HttpSession(checkout.address).sign_in("nora", "not-the-password")

    assert signed_in(page) is None
    assert "No account has this name and password" in page


def test_commands_from_a_second_terminal(checkout: Checkout) -> None:
    done = checkout.manage("sweep", "--dry-run", "--json", "--at", "2100-01-01T00:00:00Z")

    assert (done.returncode, done.stderr) == (0, "")
    assert [due["id"] for due in json.loads(done.stdout)["due"]] == [demo_space(checkout)]


def test_a_second_run_of_the_same_clone_is_refused(checkout: Checkout) -> None:
    command = [str(checkout.python), "-m", "embedded", "run"]
    second = subprocess.run(command, cwd=checkout.folder, env=checkout.env, text=True, capture_output=True, check=False)

    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == (
        f"  this clone is running already, at {checkout.address}: stop that one first (Ctrl-C in its terminal)\n"
    )
    assert checkout.run.running


@pytest.mark.long
def test_clones_that_start_together_do_not_collide(tmp_path: Path) -> None:
    both = [Checkout(tmp_path / name / "a clone") for name in ("first", "second")]
    try:
        for each in both:
            each.start()
        for each in both:
            each.wait_until_up()

        for each in both:
            addresses = listening_sockets(family(each.run.pid or 0))
            assert ("127.0.0.1", urlsplit(each.address).port) in addresses
            assert {host for host, _ in addresses} <= {"127.0.0.1", "::1"}
        assert demo_space(both[0]) != demo_space(both[1])
        assert (both[0].interrupt(), both[0].leftover_processes()) == (0, {})
        assert demo_space(both[1])
    finally:
        for each in both:
            each.run.stop(signal.SIGINT, 20)


@pytest.mark.long
def test_the_next_start_finds_everything(checkout: Checkout) -> None:
    space, accounts = demo_space(checkout), checkout.accounts
    assert_control_c_ends_all_of_it(checkout)

    checkout.start()
    checkout.wait_until_up()

    assert checkout.accounts == accounts
    assert demo_space(checkout) == space


@pytest.mark.long
def test_a_worker_that_is_killed_comes_back_and_works(checkout: Checkout) -> None:
    worker = checkout.service("worker")
    os.kill(worker, signal.SIGKILL)

    wait_until(lambda: "worker is started again" in checkout.output, "the worker is restarted")

    assert "worker was killed (SIGKILL)" in checkout.output
    assert checkout.service("worker") not in {0, worker}
    nora, path = HttpSession(checkout.address), f"/spaces/{demo_space(checkout)}/"
    nora.sign_in("nora", checkout.accounts["nora"][1])
    nora.post(f"{path}bundle", nora.get(path))
    wait_until(lambda: 'data-state="ready"' in nora.get(path), "the bundle is ready")


def test_an_engine_that_is_killed_comes_back_where_it_was(checkout: Checkout) -> None:
    url = envfile.read(checkout.data / "env")["DATABASE_URL"]
    killed = int((checkout.data / "postgres.pid").read_text())
    os.kill(killed, signal.SIGKILL)

    wait_until(lambda: "postgres is started again" in checkout.output, "PostgreSQL is restarted")

    assert "postgres was killed (SIGKILL)" in checkout.output
    assert int((checkout.data / "postgres.pid").read_text()) != killed
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT title FROM archive_space").fetchall() == [(TITLE,)]
    nora = HttpSession(checkout.address)
    assert TITLE in nora.sign_in("nora", checkout.accounts["nora"][1])


def test_only_nginx_can_be_reached(checkout: Checkout) -> None:
    """gunicorn listens on sockets in a closed folder, so no client can bypass the proxy and its limits."""
    pids = [checkout.service("gunicorn", name) for name in ("portal.wsgi", "portal.health")]
    assert all(pids)
    assert [listening_sockets([pid, *family(pid)]) for pid in pids] == [set(), set()]
    assert stat.S_IMODE(checkout.data.stat().st_mode) == 0o700


def test_nginx_that_is_killed_comes_back(checkout: Checkout) -> None:
    """nginx's workers survive it, and still hold the port."""
    killed = int((checkout.data / "nginx.pid").read_text())
    os.kill(killed, signal.SIGKILL)

    wait_until(lambda: "nginx is started again" in checkout.output, "nginx is restarted")

    assert int((checkout.data / "nginx.pid").read_text()) != killed
    assert '"ok": true' in HttpSession(checkout.address).get("/healthz")
    assert "Sign in" in HttpSession(checkout.address).get("/accounts/login/")


def signed_in(page: str) -> str | None:
    """Return the signed-in user, as in the page's header."""
    match = re.search(r"Signed in as <bdi>(\w+)</bdi>", page)
    return match and match[1]


def demo_space(checkout: Checkout) -> str:
    """Return the id of the demo host's only Space, from their first page."""
    page = HttpSession(checkout.address).sign_in("nora", checkout.accounts["nora"][1])
    (space,) = set(re.findall(r"/spaces/([0-9a-f-]{36})/", page))
    return str(space)
