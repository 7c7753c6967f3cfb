"""PostgreSQL dies under the API: callers get JSON, and a recorder resumes its upload."""

import pytest
from django.db import connection, transaction

from archive import recorders
from archive.models import User
from tests.plugin import engines
from tests.support.api_client import RemoteApiClient
from tests.support.processes import Services
from tests.support.waiting import wait_until
from tests.test_outages import down


def write_commits_down() -> None:
    """Flush all commits so far to disk. The tests' PostgreSQL confirms a commit before it flushes; one synchronous
    commit flushes all commits before it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = on")
        cursor.execute("SELECT pg_logical_emit_message(true, 'tests', '')")


@pytest.mark.usefixtures("committed")
def test_the_database_is_down(services: Services, alice: User, admin: User) -> None:
    caller = RemoteApiClient(services.url, recorders.create_token("studio", 30, admin, for_anybody=True)[1])
    services.web()
    upload = caller.begin(caller.announce(host="alice").json["id"], b"RIFF").json

    write_commits_down()

    with down(engines.postgres):
        connection.close()  # our connection broke with the engine
        refused = caller.get(f"/uploads/{upload['id']}")
        assert (refused.status, "database does not answer" in refused.words) == (503, True)
        assert refused.headers["Retry-After"] == "30"

    wait_until(lambda: caller.get("/uploads").status == 200, "the API answers again")
    caller.send(upload, b"RIFF")
    assert caller.post(f"/uploads/{upload['id']}/complete").status == 200
