"""Every URL and every API operation, for twelve kinds of callers and seven methods. tests/access_matrix.txt lists the
expected statuses.

`make test` checks the cells where a wrong status would be a security hole, `make test-long` checks all.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from portal.api.app import api
from tests.support.access_world import CALLERS, METHODS, AccessWorld, normalize, routes

TABLE = Path(__file__).parent / "access_matrix.txt"
TOKENS = CALLERS[8:]

Row = tuple[str, str]  # method, route


def read_table() -> dict[Row, tuple[str, ...]]:
    """Return {(method, route): the expected status for each caller}."""
    rows: dict[Row, tuple[str, ...]] = {}
    for line in TABLE.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        methods, route, *statuses = line.split()
        assert len(statuses) == len(CALLERS), line
        for method in methods.split(","):
            assert (method, route) not in rows, f"{method} {route} is in the table twice"
            rows[method, route] = tuple(statuses)
    return rows


TABLE_ROWS = read_table()


def test_every_address_is_in_the_table() -> None:
    named = {route for _, route in TABLE_ROWS}
    existing = set(routes())

    assert existing - named == set(), (
        f"New addresses. For each, add rows to {TABLE.name}: the methods with a comma, the address, and the status that"
        f" each of these callers must get: {' '.join(CALLERS)}"
    )
    assert named - existing == set(), f"Addresses that are no more: remove their rows from {TABLE.name}"
    methods = Counter(route for _, route in TABLE_ROWS)
    assert {route: count for route, count in methods.items() if count != len(METHODS)} == {}, "a method is missing"


def test_every_operation_of_the_api_is_an_address() -> None:
    document = api.get_openapi_schema()

    assert {normalize(path.lstrip("/")) for path in document["paths"]} <= {route for _, route in TABLE_ROWS}
    assert {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if set(TABLE_ROWS[method.upper(), path]) == {"405"}
    } == set()


def wrong_cells(is_asked: Callable[[str, str, str, str], bool]) -> list[str]:
    """Return a sentence for each cell whose status differs from the table. `is_asked` selects cells by method, route,
    caller and expected status."""
    world, wrong = AccessWorld(), []
    for (method, route), expected in TABLE_ROWS.items():
        for caller, status in zip(CALLERS, expected, strict=True):
            if not is_asked(method, route, caller, status):
                continue
            got = world.status(caller, method, route)
            if str(got) != status:
                wrong.append(f"{method} {route}: {caller} gets {got}, the table says {status}")
    return wrong


def is_refusal_of_a_page(method: str, route: str, caller: str, status: str) -> bool:
    """Select pages of our own that refuse a session: a wrong status there would be a security hole. test_access.py
    checks the pages that sessions may open, `make test-long` the whole table."""
    of_libraries = route.startswith(("/accounts/", "/admin/")) and not (
        route.startswith("/admin/") and caller in ("other", "audit", "admin") and method == "GET"
    )
    is_page = not of_libraries and not route.startswith("/api/")
    asks = method == "GET" or (method == "POST" and caller not in ("anon", "inact"))  # middleware refuses their POSTs
    return asks and is_page and caller not in TOKENS and status not in ("200", "405")


@pytest.mark.usefixtures("db")
def test_pages_refuse_whom_the_table_says() -> None:
    assert wrong_cells(is_refusal_of_a_page) == []


@pytest.mark.usefixtures("db")
def test_the_api_answers_as_the_table_says() -> None:
    paths = api.get_openapi_schema()["paths"]

    assert wrong_cells(lambda method, route, *_: method.lower() in paths.get(route, {})) == []


@pytest.mark.long
@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("asked", METHODS)
def test_every_cell(asked: str) -> None:
    assert wrong_cells(lambda method, *_: method == asked) == []


@pytest.mark.usefixtures("db")
def test_an_expired_token_is_as_good_as_a_revoked_one() -> None:
    world = AccessWorld()
    operations = [row for row in TABLE_ROWS if row[1].startswith("/api/") and row[0] in ("GET", "POST", "DELETE")]

    got = {row: str(world.status("expired", *row)) for row in operations}

    assert got == {row: TABLE_ROWS[row][CALLERS.index("tRev")] for row in operations}


# What a session without the required second factor may still open: pages to set one up and to sign out, and URLs that
# need no session.
WITHOUT_SECOND_FACTOR = (
    "/accounts/2fa/",
    "/accounts/logout/",
    "/accounts/reauthenticate/",
    "/admin/login/",
    "/download/",
)


@pytest.mark.usefixtures("db")
def test_an_admin_without_the_second_factor_is_led_to_its_set_up(settings: Settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    world, admin = AccessWorld(), CALLERS.index("admin")
    rows = [
        (method, route)
        for (method, route), expected in TABLE_ROWS.items()
        if method == ("POST" if TABLE_ROWS["GET", route][admin] == "405" else "GET")
        and not route.startswith(WITHOUT_SECOND_FACTOR)
        if TABLE_ROWS["GET", route][0] == "302" or expected[0] == "401"
    ]

    answers = {row: world.ask("admin", *row) for row in rows}

    assert len(answers) > 100
    assert [
        f"{method} {route}: {answer.status_code} {answer.get('Location')}"
        for (method, route), answer in answers.items()
        if answer.status_code != (403 if route.startswith("/api/") else 302)
        or answer.get("Location", "/accounts/2fa/") != "/accounts/2fa/"
    ] == []
