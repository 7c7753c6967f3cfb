"""The query count of API requests does not grow with the amount of data."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.models import UploadSession, User
from tests.support.api_client import ApiClient, ApiResponse

pytestmark = pytest.mark.django_db


def queries(call: Callable[[], ApiResponse]) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert call().status in (200, 201)
    return len(seen)


@pytest.fixture
def caller(db: None, alice: User) -> ApiClient:
    return ApiClient(user=alice)


def test_query_count_of_registering_a_space_with_many_participants(caller: ApiClient) -> None:
    few = queries(lambda: caller.announce(speakers=[{"name": "Nora", "account": "alice"}]))
    many = queries(lambda: caller.announce(speakers=[{"name": f"N{n}", "account": "alice"} for n in range(10)]))

    assert few == many


def test_query_count_of_reading_a_space_with_many_uploads(caller: ApiClient) -> None:
    space = caller.announce().json["id"]
    caller.begin(space, b"x", kind="transcript")
    one = queries(lambda: caller.get(f"/spaces/{space}"))
    for _ in range(5):
        caller.begin(space, b"x", kind="transcript")

    assert queries(lambda: caller.get(f"/spaces/{space}")) == one
    assert queries(lambda: caller.get("/uploads")) <= one


def test_query_count_of_signing_many_parts(caller: ApiClient, settings: Any) -> None:
    settings.UPLOAD_PART_BYTES = 5 * 1024**2
    space = caller.announce().json["id"]
    upload = caller.post(f"/spaces/{space}/uploads", {"kind": "recording", "name": "a", "size": 300 * 1024**2}).json

    def sign(first: int, last: int) -> ApiResponse:
        parts = [{"number": number} for number in range(first, last + 1)]
        return caller.post(f"/uploads/{upload['id']}/parts", {"parts": parts})

    assert queries(lambda: sign(1, 1)) == queries(lambda: sign(2, 51))
    assert UploadSession.objects.get().parts.count() == 51
