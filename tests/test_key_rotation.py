"""Keys can be replaced: what the former ones signed stays valid for as long as they are named."""

import base64
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from archive.models import DeletionCertificate, Space, User
from archive.retention.purge import purge
from archive.retention.verify_certificate import main
from portal.downloads import download_path
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")
NEW = "another-secret-key-" + "y" * 50
# The seeds of CERTIFICATE_KEY in the tests and of a new one, and their public keys:
# { printf PREFIX; printf SEED; } | openssl pkey -inform DER -pubout -outform DER | tail -c 32
# PREFIX is in compose/make-secrets.sh.
OLD_PUBLIC = base64.b64decode("RILERG5IjJWJ11ATJlsK1cMvEfYXqui67R1+RguSLXA=")
NEW_SEED, NEW_PUBLIC = (
    b"another key, also of 32 bytes...",
    base64.b64decode("GNXzHGS97FOCqG1itspgrp2CpVUf/Gy907l3SXEn15U="),
)


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_sessions_and_download_urls_outlive_the_secret_key(alice: User, settings: Settings) -> None:
    bundle = make_contents(make_row(alice))
    client, url, old = make_client(alice), download_path(bundle, alice), settings.SECRET_KEY
    assert (is_signed_in(client), client.get(url).status_code) == (True, 302)

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [old]
    assert (is_signed_in(client), make_client().get(url).status_code) == (True, 302)
    fresh = download_path(bundle, alice)

    settings.SECRET_KEY_FALLBACKS = []
    assert is_signed_in(client)  # the session moved to the new key when it was used
    assert make_client().get(url).status_code == 404
    assert make_client().get(fresh).status_code == 302


def test_without_the_former_key_all_sessions_end(alice: User, settings: Settings) -> None:
    client = make_client(alice)
    settings.SECRET_KEY = NEW

    assert not is_signed_in(client)


def test_certificates_of_a_former_key_verify_with_the_published_keys(
    alice: User, settings: Settings, tmp_path: Path
) -> None:
    first, second = delete(alice), make_row(alice, title="Later")
    settings.CERTIFICATE_KEY = NEW_SEED
    settings.CERTIFICATE_PUBLIC_KEYS = [NEW_PUBLIC, OLD_PUBLIC]
    make_due(second)
    assert purge(second.pk)
    keys = tmp_path / "keys.pem"

    settings.CERTIFICATE_KEY = b""  # as in the web process
    keys.write_bytes(make_client().get("/certificates/key.pem").content)

    assert keys.read_text().count("BEGIN PUBLIC KEY") == 2
    assert [verify(space, tmp_path, keys) for space in (first, second)] == [0, 0]

    settings.CERTIFICATE_PUBLIC_KEYS = [NEW_PUBLIC]
    keys.write_bytes(make_client().get("/certificates/key.pem").content)
    assert [verify(space, tmp_path, keys) for space in (first, second)] == [1, 0]


def test_the_own_key_is_published_without_being_listed(settings: Settings, tmp_path: Path, alice: User) -> None:
    settings.CERTIFICATE_PUBLIC_KEYS = [NEW_PUBLIC]
    space, keys = delete(alice), tmp_path / "keys.pem"

    keys.write_bytes(make_client().get("/certificates/key.pem").content)

    assert verify(space, tmp_path, keys) == 0


def delete(host: User) -> Space:
    space = make_row(host)
    make_due(space)
    assert purge(space.pk)
    return space


def verify(space: Space, folder: Path, keys: Path) -> int:
    file = folder / f"{space.pk}.json"
    file.write_text(DeletionCertificate.objects.get(pk=space.pk).document)
    return main([str(file), "--key", str(keys)])
