"""A request wakes a worker at once, without waiting for the dispatcher's next round."""

from collections.abc import Callable

import pytest

from archive.models import Bundle, Space, User
from tests.support.http_clients import request_bundle, session_cookie
from tests.support.processes import Services
from tests.support.waiting import wait_until


@pytest.mark.usefixtures("committed")
def test_a_bundle_is_built_without_beat(services: Services, alice: User, make_space: Callable[..., Space]) -> None:
    space = make_space()
    services.web()
    worker = services.worker()
    wait_until(lambda: "ready" in worker.log.read_text(), "the worker is ready")

    status, _ = request_bundle(services.url, space, session_cookie(alice))

    assert status == 302
    wait_until(lambda: Bundle.objects.get(space=space).state == "ready", "the bundle is ready")
