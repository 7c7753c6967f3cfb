"""If a machine has IPv6, `localhost` is two addresses. No other user may listen on the one that we do not use."""

import socket

import pytest

from embedded.state import has_ipv6, is_free, occupy_ipv6
from tests.support.processes import free_port

HOSTS = {"127.0.0.1": socket.AF_INET} | ({"::1": socket.AF_INET6} if has_ipv6() else {})


@pytest.mark.parametrize("host", HOSTS)
def test_a_port_is_free_if_nothing_has_it_at_either_address(host: str) -> None:
    port = free_port()

    with socket.create_server((host, port), family=HOSTS[host]):
        assert not is_free(port)
    assert is_free(port)


def test_an_occupied_address_refuses_browsers_and_other_programs() -> None:
    port = free_port()
    occupied = occupy_ipv6(port)

    with socket.create_server(("127.0.0.1", port)), socket.create_connection(("localhost", port), timeout=20) as client:
        assert client.getpeername()[0] == "127.0.0.1"
    assert is_free(port) == (occupied is None)
    if occupied is not None:
        with pytest.raises(OSError, match="in use"):
            occupy_ipv6(port)
        occupied.close()
    assert is_free(port)
