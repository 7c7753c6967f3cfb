"""The measures of pages.py. Import it only after Django has its settings.

There are two databases in one PostgreSQL, with few Spaces and with many (_rows.py), each with its own web process
(_web.py). Every list, filter and order is measured for an admin and for two hosts with many Spaces. `page_` compares
times: the two sides take turns, request by request, so that other load on the machine affects both. `cpu_` is the CPU
time of the web process. `blocks_` counts the 8 KiB blocks that PostgreSQL read, which no other load affects.
"""

import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.db import connection
from django.test import Client

from archive.models import Space, User
from portal.forms.lists import SPACE_FILTERS, SPACE_ORDERS
from tests.bench import Figure, at_most, without_goal
from tests.bench._peer import peer
from tests.bench._rows import allow_long_transactions, copy_database, fill, has_database
from tests.bench._web import GUNICORN, MeasuredWeb, Sample, web
from tests.support.factory import make_user
from tests.support.http_clients import make_client, session_cookie
from tests.support.search_urls import search_url

MAX_RATIO = 1.5
MAX_CPU = 25  # ms
WARM_UP = 3  # requests of each page
MAX_BLOCKS = 10_000  # about 10 ms of PostgreSQL's time
# Words that are in the titles of all Spaces, of 2 % of them, and of one. In the small archive a third has the second
# word, because the sides are comparable only if both fill a page.
WORDS = {"common": "evening", "some": "topicb1", "rare": "901th"}
RARE_OF_HUGE = "921th"
QUEUES = {
    "review": "",
    "newest": "order=newest",
    "listened": "order=listened",
    "reviewed": "tab=reviewed",
    "flagged": "tab=flagged",
}
OTHERS = {
    "appeals": "/moderation/appeals/",
    "decided": "/moderation/appeals/decided/",
    "holds": "/moderation/holds/",
    "log": "/log/",
    "log_all": "/log/?event=all",  # a full page: 100 entries
    "log_event": "/log/?event=space.available",
    "log_days": "/log/?since=2026-11-01&until=2026-11-10",
    "deadlines": "/log/deadlines/",
    "certificates": "/certificates/",
    "people": "/people/",
}
OF_HOSTS = {"notices": "/notices/", "spoken_in": "/my-lines/", "export": "/export/", "upload": "/upload/"}
# Pages whose CPU time has a goal: {name: page}
OF_CPU = {
    "log_full": "log_all",
    "my_spaces": "huge_all_deadline",
    "space": "space",
    "moderation": "queue_review",
    "log": "log",
}
Pages = dict[str, tuple[str, str]]  # {name: (who, address)}
Samples = dict[str, dict[str, list[Sample]]]  # {name: {side: its requests}}
SIDES = ("small", "large")
WHO = ("admin", "busy", "huge")


def ratios(  # one argument for each variable of pages.py
    folder: Path, small: int, large: int, entries: int, requests: int, only: str, *, with_peer: bool
) -> Iterator[Figure]:
    """`only`: names of pages, separated by spaces; "" for all."""
    databases = make_databases(small, large, entries)
    pages = addresses({name: User.objects.get(username=name) for name in WHO})
    if only:
        pages = {name: pages[name] for name in only.split()}
    samples = measure(folder, databases, pages, requests)
    counted = {}
    for side, database in databases.items():
        with connected_to(database):
            clients = {name: make_client(User.objects.get(username=name)) for name in WHO}
            counted[side] = count_blocks(clients, pages)
    p95 = {name: {side: percentile_95(of_page[side]) for side in SIDES} for name, of_page in samples.items()}
    for name in pages:
        yield at_most(f"page_{name}", round(p95[name]["large"] / p95[name]["small"], 2), "x", MAX_RATIO)
        yield without_goal(f"page_{name}_p95", round(1000 * p95[name]["large"], 1), "ms")
        yield without_goal(f"blocks_{name}_small", counted["small"][name], "blocks")
        yield at_most(f"blocks_{name}", counted["large"][name], "blocks", MAX_BLOCKS)
    for name, page in OF_CPU.items():
        for side in SIDES if page in samples else ():
            yield at_most(f"cpu_{name}_{side}", cpu(samples[page][side]), "ms", MAX_CPU)
    if with_peer:
        yield from cpu_of_peer(folder, requests)
    slowest = max(pages, key=lambda name: p95[name]["large"])
    yield without_goal(f"page_slowest_p95 ({slowest})", round(1000 * p95[slowest]["large"]), "ms")


def cpu_of_peer(folder: Path, requests: int) -> Iterator[Figure]:
    """Measure a list of a well-known project in the same run. Yields nothing without PyPI."""
    try:
        with peer(folder) as (measured, address, cookie):
            samples = [measured.get(address, cookie) for _ in range(WARM_UP + requests)][WARM_UP:]
            yield without_goal("cpu_peer_wagtail", cpu(samples), "ms")
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"No peer to compare with: {error}\n")


def percentile_95(samples: list[Sample]) -> float:
    """Return the 95th percentile of response times, in seconds."""
    return statistics.quantiles([sample.wall for sample in samples], n=20)[-1]


def cpu(samples: list[Sample]) -> float:
    """Return the mean CPU time in ms, because it includes garbage collection and other occasional work."""
    return round(1000 * statistics.mean(sample.cpu for sample in samples), 1)


def make_databases(small: int, large: int, entries: int) -> dict[str, str]:
    """Return {side: name of its database}. An archive that already exists in engines lent to this run is reused."""
    name = str(connection.settings_dict["NAME"])
    databases = dict(zip(SIDES, (name, f"{name}_large"), strict=True))
    if has_database(databases["large"]):
        return databases
    ids = {who: make_user(who, "admins" if who == "admin" else "").pk for who in WHO}
    connection.close()
    allow_long_transactions()
    fill(databases["small"], 1, small, entries=entries, **ids)
    copy_database(databases["small"], databases["large"])
    fill(databases["large"], small + 1, large, entries=entries, **ids)
    return databases


@contextmanager
def connected_to(database: str) -> Iterator[None]:
    """Connect this process's queries to another database."""
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = database
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


def addresses(users: dict[str, User]) -> Pages:
    pages: Pages = {}
    for who, user in users.items():
        for code in SPACE_FILTERS:
            orders = ["deadline"] if code == "deleted" else SPACE_ORDERS
            pages |= {f"{who}_{code}_{sort}": (who, f"/?filter={code}&sort={sort}") for sort in orders}
        for kind, words in {**WORDS, **({"rare": RARE_OF_HUGE} if who == "huge" else {})}.items():
            pages[f"{who}_box_{kind}"] = (who, search_url(user, words, "/"))
            pages[f"{who}_box_{kind}_title"] = (who, search_url(user, words, "/", sort="title"))
            pages[f"{who}_search_{kind}"] = (who, search_url(user, words))
        pages |= {f"{who}_{name}": (who, address) for name, address in OF_HOSTS.items()}
    pages |= {name: ("admin", address) for name, address in OTHERS.items()}
    admin = users["admin"]
    for name, query in QUEUES.items():
        pages[f"queue_{name}"] = ("admin", f"/moderation/?{query}")
        pages[f"queue_{name}_words"] = ("admin", f"{search_url(admin, WORDS['some'], '/moderation/')}&{query}")
        for who in ("busy", "huge"):
            pages[f"queue_{name}_of_{who}"] = ("admin", f"/moderation/?{query}&host={users[who].pk}")
    one = Space.objects.filter(host=users["huge"], state="available", expires_at__isnull=False).latest("expires_at").pk
    return pages | {
        "people_search": ("admin", search_url(admin, "user10", "/people/")),
        "space": ("huge", f"/spaces/{one}/"),
        "moderate": ("admin", f"/moderation/spaces/{one}/"),
        "history": ("admin", f"/log/spaces/{one}/"),
    }


def measure(folder: Path, databases: dict[str, str], pages: Pages, requests: int) -> Samples:
    """Request each page on each side. Pages and sides take turns; the first rounds warm up caches."""
    samples: Samples = {name: defaultdict(list) for name in pages}
    with ExitStack() as stack:
        webs, cookies = {}, {}
        for side, database in databases.items():
            with connected_to(database):
                cookies[side] = {who: session_cookie(User.objects.get(username=who)) for who in WHO}
            webs[side] = stack.enter_context(web_on(database, folder))
        for turn in range(-WARM_UP, requests):
            for name, (who, address) in pages.items():
                for side in SIDES if turn % 2 else reversed(SIDES):
                    sample = webs[side].get(address, f"{cookies[side][who]}; zone=Europe/Berlin")
                    if turn >= 0:
                        samples[name][side].append(sample)
    return samples


@contextmanager
def web_on(database: str, folder: Path) -> Iterator[MeasuredWeb]:
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()
    with web(f"web-{database}", folder, (*GUNICORN, "portal.wsgi"), {**os.environ, "DATABASE_URL": url}) as measured:
        yield measured


def count_blocks(clients: dict[str, Client], pages: Pages) -> dict[str, int]:
    """Return {name: the number of blocks that PostgreSQL reads for the SELECT statements of its page}."""
    counts = {}
    for name, (who, address) in pages.items():
        with explained() as statements:
            assert clients[who].get(address).status_code == 200, address
        counts[name] = sum(count for _, _, count in statements)
    return counts


@contextmanager
def explained() -> Iterator[list[tuple[str, Any, int]]]:
    """Collect (statement, parameters, blocks) of each SELECT in the block. Each is explained right where it runs,
    because some pages change PostgreSQL's settings. Statements that lock rows are left out, because explaining them
    would lock, too."""
    statements: list[tuple[str, Any, int]] = []

    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if str(sql).startswith("SELECT") and "FOR UPDATE" not in sql and "set_config" not in sql:
            statements.append((sql, params, blocks(sql, params)))
        return answer

    with connection.execute_wrapper(explain):
        yield statements


def blocks(sql: str, params: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
        (found,) = cursor.fetchone()
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
