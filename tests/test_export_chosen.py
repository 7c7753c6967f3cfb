"""Exports of chosen Spaces contain exactly those, exist beside an export of all, are for their host only, and end at
the first deadline."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from archive.bundles.exports import SizedSpace, newest, request, smallest_size, visible_parts
from archive.errors import Refused
from archive.models import Export, Recording, Space, User
from archive.retention.purge import begin
from tests.support.api_client import ApiClient
from tests.support.deadlines import make_due
from tests.support.errors import raises_error
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client

GB = 10**9
SMALL = Export.Size.SMALL


@pytest.fixture
def three(db: None, alice: User) -> list[Space]:
    spaces = [make_row(alice, title=title, ended_ago=timedelta(days=days)) for title, days in TITLES.items()]
    for space in spaces:
        make_contents(space)
    return spaces


TITLES = {"Seeds": 9, "Soil": 8, "Beans": 7}


def content(export: Export) -> list[list[UUID]]:
    """Return the Spaces in each part."""
    parts = visible_parts(export)
    return [[entry.space_id for entry in part.places.all() if not entry.excluded] for part in parts]


def test_exactly_the_chosen_ones(three: list[Space], alice: User) -> None:
    seeds, soil, beans = (space.pk for space in three)
    everything = request(alice, SMALL)

    export = request(alice, SMALL, [beans, seeds])

    assert content(export) == [[seeds, beans]]
    assert content(everything) == [[seeds, soil, beans]]
    assert set(everything.parts.values_list("state", flat=True)) == {"requested"}  # the export of all stays
    assert (newest(alice), newest(alice, chosen=True)) == (everything, export)
    assert request(alice, SMALL, [seeds, beans, seeds]) == export

    other = request(alice, SMALL, [soil])

    assert content(other) == [[soil]]
    assert set(export.parts.values_list("state", flat=True)) == {"failed"}  # at most one export of each kind


def test_larger_ones_come_in_numbered_parts(three: list[Space], alice: User) -> None:
    Recording.objects.filter(space=three[0]).update(size=3 * GB)

    export = request(alice, SMALL, [three[0].pk, three[2].pk])

    assert content(export) == [[three[0].pk], [three[2].pk]]


@pytest.mark.parametrize(
    ("sizes", "best"), [([1, 1], 2 * GB), ([GB, GB, GB], 10 * GB), ([30 * GB, 30 * GB], 2 * GB), ([11 * GB], 2 * GB)]
)
def test_the_fewest_parts(sizes: list[int], best: int) -> None:
    assert smallest_size([SizedSpace(uuid4(), size) for size in sizes]) == best


def test_nobody_elses_and_nothing_that_is_gone(three: list[Space], alice: User, bob: User) -> None:
    seeds, soil, _beans = (space.pk for space in three)
    make_due(three[1])

    for host, chosen in ((bob, [seeds]), (alice, [seeds, soil]), (alice, [seeds, uuid4()])):
        with raises_error(Refused, "export.not_downloadable"):
            request(host, SMALL, chosen)
    with raises_error(Refused, "export.nothing"):
        request(alice, SMALL, [])
    assert not Export.objects.exists()


def test_a_deadline_revokes_the_part(three: list[Space], alice: User) -> None:
    seeds, _soil, beans = (space.pk for space in three)
    export = request(alice, SMALL, [seeds, beans])
    make_due(three[0])

    assert begin(seeds)

    assert content(export) == [[beans]]
    assert [part.state for part in export.parts.order_by("requested_at")] == ["failed", "requested"]
    page = make_client(alice).get(f"/export/{export.pk}/").content.decode()
    assert "Beans" in page
    assert "Seeds" not in page


def test_ticked_in_a_list(three: list[Space], alice: User, bob: User) -> None:
    client = make_client(alice)

    answer = client.post("/export/chosen", {"space": [str(three[0].pk), "x", str(three[2].pk)]})

    export = Export.objects.get()
    assert answer["Location"] == f"/export/{export.pk}/"
    assert content(export) == [[three[0].pk, three[2].pk]]
    page = client.get(answer["Location"]).content.decode()
    assert "Download 2 Spaces" in page
    assert "Soil" not in page
    assert make_client(bob).get(answer["Location"]).status_code == 404


@pytest.mark.parametrize("chosen", [lambda space: [], lambda space: [str(uuid4())]])
def test_a_refused_choice_leads_back(three: list[Space], alice: User, chosen: Callable[[Space], list[str]]) -> None:
    answer = make_client(alice).post("/export/chosen", {"space": chosen(three[0])}, follow=True)

    assert answer.redirect_chain == [("/", 302)]
    assert "Nothing was lost." in answer.content.decode()
    assert not Export.objects.exists()


def test_the_page_of_all_is_not_that_of_chosen_ones(three: list[Space], alice: User, bob: User) -> None:
    chosen = request(alice, SMALL, [three[0].pk])

    assert f"/export/{chosen.pk}/" not in make_client(alice).get("/export/").content.decode()
    everything = request(alice, SMALL)
    assert make_client(alice).get(f"/export/{everything.pk}/").status_code == 404
    assert make_client(bob).get(f"/export/{chosen.pk}/").status_code == 404


def test_through_the_api(three: list[Space], alice: User, bob: User) -> None:
    chosen = [str(three[0].pk), str(three[2].pk)]

    answer = ApiClient(user=alice).post("/exports", {"max_part_size": 2 * GB, "spaces": chosen})

    assert answer.status == 202
    assert [part["spaces"] for part in answer.json["parts"]] == [chosen]
    for user, spaces in ((bob, chosen), (alice, [str(uuid4())]), (alice, [])):
        assert ApiClient(user=user).post("/exports", {"max_part_size": 2 * GB, "spaces": spaces}).status == 422
    assert Export.objects.count() == 1
