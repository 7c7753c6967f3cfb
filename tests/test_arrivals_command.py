"""`manage.py arrivals` lists recordings that could not be imported, and fetches a refused one again."""

import json
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from archive import recorders
from archive.models import Arrival, LogEntry, RecorderToken, User
from tests.support.factory import make_row

REFUSED = {"state": "refused", "settled": True, "problem": {"code": "arrival.empty", "params": {}}}


@pytest.fixture
def token(db: None, alice: User, admin: User) -> RecorderToken:
    return recorders.create_token("studio", 30, admin, [alice])[0]


def make(token: RecorderToken, name: str, **fields: Any) -> Arrival:
    return Arrival.objects.create(recorder=token, source="inbox", source_id=name, path=name, **fields)


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command("arrivals", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())["arrivals"]


def test_accepted_ones_are_not_listed(token: RecorderToken) -> None:
    make(token, "in", state="accepted", settled=True)
    left = make(token, "left", state="accepted")
    refused = make(token, "bad", **REFUSED)

    assert run() == [
        {
            "id": str(refused.pk),
            "state": "refused",
            "source": "inbox",
            "recorder": token.prefix,
            "name": "bad",
            "code": "arrival.empty",
            "text": "The recording is empty.",
        },
        {
            "id": str(left.pk),
            "state": "accepted",
            "source": "inbox",
            "recorder": token.prefix,
            "name": "left",
            "code": "",
            "text": "",
        },
    ]


def test_a_refused_one_is_fetched_again(token: RecorderToken) -> None:
    arrival = make(token, "bad", **REFUSED)

    (listed,) = run("--retry", str(arrival.pk))

    arrival.refresh_from_db()
    assert (listed["state"], arrival.state, arrival.settled, arrival.problem) == ("pending", "pending", False, {})
    assert LogEntry.objects.filter(event="arrival.restarted").count() == 1


@pytest.mark.parametrize("case", ["accepted", "examined", "unknown", "no id"])
def test_others_are_not(token: RecorderToken, alice: User, case: str) -> None:
    arrival = make(token, "in", **({"state": "accepted"} if case == "accepted" else REFUSED))
    if case == "examined":
        Arrival.objects.update(space=make_row(alice, state="rejected", problem=REFUSED["problem"]))
    name = {"unknown": str(uuid4()), "no id": "x"}.get(case, str(arrival.pk))

    with pytest.raises(CommandError):
        call_command("arrivals", "--retry", name, stdout=StringIO())

    assert not LogEntry.objects.filter(event="arrival.restarted").exists()
