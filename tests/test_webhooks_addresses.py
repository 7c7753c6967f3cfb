"""URLs that webhooks refuse, and addresses to which nothing is ever sent."""

import ipaddress
from collections.abc import Callable
from typing import Any

import pytest

from archive.errors import DeliveryFailed, Refused
from archive.webhooks.addresses import Target, find_addresses, is_allowed, look_up, parse_url

FORBIDDEN = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "127.0.0.1", "127.255.255.254"),  # noqa: S104  (nothing listens)
    *("169.254.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "198.18.0.1", "198.19.255.255"),
    *("192.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"),  # assignments, documentation, relays
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),  # multicast, reserved, broadcast
    *("169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254"),  # clouds
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fdff::1", "ff02::1", "100::1", "4000::1"),
    *("::ffff:10.0.0.1", "::ffff:8.8.8.8", "::10.0.0.1", "::ffff:0:10.0.0.1"),  # IPv4 inside IPv6
    *("64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::1"),  # NAT64
    *("2002:a00:1::1", "2002:808:808::1"),  # 6to4
    *("2001::1", "2001:0:a00:1::1", "2001:20::1", "2001:db8::1", "3fff::1"),  # Teredo, ORCHID, documentation
]
PUBLIC = ["1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1"]
PUBLIC += ["168.63.129.15", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1", "2001:200::1", "2003::1"]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_nothing_is_sent_to_a_forbidden_address(address: str) -> None:
    target = Target("https", "example.org", 443, "/")

    assert not is_allowed(ipaddress.ip_address(address))
    with pytest.raises(DeliveryFailed) as refused:
        find_addresses(target, lambda host, port: [address])
    assert refused.value.code == "webhook.forbidden_address"


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    target = Target("https", "example.org", 443, "/")

    assert find_addresses(target, lambda host, port: [address, address]) == [ipaddress.ip_address(address)]


def test_one_forbidden_address_among_others_is_enough() -> None:
    with pytest.raises(DeliveryFailed, match=r"127\.0\.0\.1"):
        find_addresses(Target("https", "example.org", 443, "/"), lambda host, port: ["1.1.1.1", "127.0.0.1"])


def test_allowed_networks_are_exceptions(settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("fd00::/64")]

    allowed = [text for text in ("10.20.3.4", "10.21.0.1", "fd00::5", "fd00:1::5", "::ffff:10.20.3.4") if
               is_allowed(ipaddress.ip_address(text))]  # fmt: skip

    assert allowed == ["10.20.3.4", "fd00::5"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "localhost", "0", "ip6-localhost", "::1"]
)
def test_what_the_system_resolves_to_loopback_is_refused(host: str) -> None:
    """The real resolver gets numbers in every base, and this machine's own names."""
    with pytest.raises(DeliveryFailed) as refused:
        find_addresses(Target("https", host, 443, "/"))

    assert refused.value.code in ("webhook.forbidden_address", "webhook.unknown_host")
    if refused.value.code == "webhook.unknown_host":
        assert host == "ip6-localhost"


def test_an_unknown_host() -> None:
    with pytest.raises(DeliveryFailed, match="could not be found"):
        find_addresses(Target("https", "nowhere.invalid", 443, "/"))


def test_the_system_resolves() -> None:
    assert "127.0.0.1" in look_up("localhost", 443)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.org", Target("https", "example.org", 443, "/")),
        ("HTTPS://Example.ORG:8443/a?b=c&d", Target("https", "example.org", 8443, "/a?b=c&d")),
        ("https://straße.example/ä?ö=%20", Target("https", "xn--strae-oqa.example", 443, "/%C3%A4?%C3%B6=%20")),
        ("https://\uff45xample.org/", Target("https", "example.org", 443, "/")),
        ("https://1.1.1.1/x", Target("https", "1.1.1.1", 443, "/x")),
        ("https://[2606:4700::1111]:444/x", Target("https", "2606:4700::1111", 444, "/x")),
    ],
)
def test_urls(url: str, target: Target) -> None:
    assert parse_url(url) == target


@pytest.mark.parametrize(
    ("url", "host_header"),
    [
        ("https://example.org/", "example.org"),
        ("https://example.org:444/", "example.org:444"),
        ("https://[2606:4700::1111]/", "[2606:4700::1111]"),
        ("https://[2606:4700::1111]:444/", "[2606:4700::1111]:444"),
    ],
)
def test_the_host_header(url: str, host_header: str) -> None:
    assert parse_url(url).host_header == host_header


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.org/", "webhook.not_https"),
        ("ftp://example.org/", "webhook.not_https"),
        ("file:///etc/passwd", "webhook.not_https"),
        ("gopher://example.org/", "webhook.not_https"),
        ("example.org", "webhook.not_https"),
        ("", "webhook.not_https"),
        ("https://", "webhook.bad_url"),
        ("https:///x", "webhook.bad_url"),
        ("https://example.org:0/", "webhook.bad_url"),
        ("https://example.org:65536/", "webhook.bad_url"),
        ("https://example.org:port/", "webhook.bad_url"),
        ("https://[::1/", "webhook.bad_url"),
        ("https://example.org/a b", "webhook.bad_url"),
        ("https://example.org/\r\nX: y", "webhook.bad_url"),
        ("https://exam\tple.org/", "webhook.bad_url"),
        ("https://example.org\\@127.0.0.1/", "webhook.bad_url"),
        ("https://user:secret@example.org/", "webhook.url_with_password"),
        ("https://example.org:443@127.0.0.1/", "webhook.url_with_password"),
        ("https://example.org/#part", "webhook.url_with_fragment"),
        ("https://exa_mple..org/", "webhook.bad_host"),
        (f"https://{'a' * 64}.org/", "webhook.bad_host"),
        ("https://127.0.0.1/", "webhook.forbidden_address"),
        ("https://[::1]/", "webhook.forbidden_address"),
        ("https://[::ffff:127.0.0.1]/", "webhook.forbidden_address"),
        ("https://[fe80::1%25eth0]/", "webhook.forbidden_address"),
        ("https://169.254.169.254/latest/meta-data/", "webhook.forbidden_address"),
        ("https://example.org/" + "a" * 2000, "webhook.url_too_long"),
    ],
)
def test_refused_urls(url: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_url(url)

    assert refused.value.code == code


def test_http_needs_a_setting_and_goes_to_loopback_only(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("10.0.0.0/8")]
    target = parse_url("http://example.org:8080/")

    def resolve(address: str) -> Callable[[str, int], list[str]]:
        return lambda host, port: [address]

    assert find_addresses(target, resolve("127.0.0.2"))
    for address in ("10.0.0.1", "1.1.1.1"):
        with pytest.raises(DeliveryFailed):
            find_addresses(target, resolve(address))
