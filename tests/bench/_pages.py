"""The measures of pages.py, once Django has its settings.

Both sides are in one database, one after the other: first there are few Spaces, then many (_rows.py). Every list,
filter and order is measured for an admin and for two hosts with many Spaces. `page_` compares times, which other
processes disturb; `blocks_` counts the blocks of 8 KiB that PostgreSQL looked at, which nothing disturbs.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.test import Client

from archive.models import Space, User
from portal.forms.lists import SPACE_FILTERS, SPACE_ORDERS
from tests.bench import Figure, at_most, without_goal
from tests.bench._rows import fill
from tests.support.factory import make_user
from tests.support.http_clients import make_client
from tests.support.search_urls import search_url

MAX_BLOCKS = 10_000  # about 10 ms of PostgreSQL's time
# Words of titles that all Spaces have, 2 % of them, and one.
WORDS = {"common": "evening", "some": "topicb1", "rare": "901"}
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
    "log_event": "/log/?event=space.available",
    "log_days": "/log/?since=2026-11-01&until=2026-11-10",
    "deadlines": "/log/deadlines/",
    "certificates": "/certificates/",
    "people": "/people/",
}
OF_HOSTS = {"notices": "/notices/", "spoken_in": "/my-lines/", "export": "/export/", "upload": "/upload/"}
Pages = dict[str, tuple[str, str]]


def ratios(small: int, large: int, entries: int, requests: int) -> Iterator[Figure]:
    users = {name: make_user(name, "admins" if name == "admin" else "") for name in ("admin", "busy", "huge")}
    ids = {name: user.pk for name, user in users.items()}
    clients = {name: make_client(user) for name, user in users.items()}
    fill(1, small, entries=entries, **ids)
    pages = addresses(users)
    before, blocks_before = measure(clients, pages, requests), count_blocks(clients, pages)
    fill(small + 1, large, entries=entries, **ids)
    after, blocks_after = measure(clients, pages, requests), count_blocks(clients, pages)
    for name in pages:
        yield at_most(f"page_{name}", round(after[name] / before[name], 2), "x", 1.5)
        yield without_goal(f"blocks_{name}_small", blocks_before[name], "blocks")
        yield at_most(f"blocks_{name}", blocks_after[name], "blocks", MAX_BLOCKS)
    yield without_goal("page_slowest_p95", round(1000 * max(after.values())), "ms")


def addresses(users: dict[str, User]) -> Pages:
    """{name: (who, address)}"""
    pages: Pages = {}
    for who, user in users.items():
        for code in SPACE_FILTERS:
            orders = ["deadline"] if code == "deleted" else SPACE_ORDERS
            pages |= {f"{who}_{code}_{sort}": (who, f"/?filter={code}&sort={sort}") for sort in orders}
        for kind, words in WORDS.items():
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
        "people_search": ("admin", search_url(admin, "user1010", "/people/")),
        "space": ("huge", f"/spaces/{one}/"),
        "moderate": ("admin", f"/moderation/spaces/{one}/"),
        "history": ("admin", f"/log/spaces/{one}/"),
    }


def measure(clients: dict[str, Client], pages: Pages, requests: int) -> dict[str, float]:
    """{name: the 95th percentile of the times of its page, in seconds}. The pages take turns."""
    times: dict[str, list[float]] = {name: [] for name in pages}
    for turn in range(requests + 1):
        for name, (who, address) in pages.items():
            begun = time.perf_counter()
            get(clients[who], address)
            if turn:  # the first one fills caches
                times[name].append(time.perf_counter() - begun)
    return {name: statistics.quantiles(values, n=20)[-1] for name, values in times.items()}


def get(client: Client, address: str) -> None:
    connection.cursor().execute("DELETE FROM archive_ratelimit")
    answer = client.get(address)
    assert answer.status_code == 200, address


def count_blocks(clients: dict[str, Client], pages: Pages) -> dict[str, int]:
    """{name: how many blocks PostgreSQL looks at for the SELECT statements of its page}"""
    counts = {}
    for name, (who, address) in pages.items():
        with recorded() as statements:
            get(clients[who], address)
        counts[name] = sum(blocks(*statement) for statement in statements)
    return counts


@contextmanager
def recorded() -> Iterator[list[tuple[str, Any]]]:
    """The SELECT statements of the block, with their parameters. Not those that lock: so would their plan."""
    statements: list[tuple[str, Any]] = []

    def record(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if str(sql).startswith("SELECT") and "FOR UPDATE" not in sql and "set_config" not in sql:
            statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(record):
        yield statements


def blocks(sql: str, params: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
        (found,) = cursor.fetchone()
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
