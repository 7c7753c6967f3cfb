"""With S3_ENCRYPTION the store encrypts every object: uploads of browsers and workers, and copies.

Tested on SeaweedFS 4.48 with its own keys, and with those of a key management service. With the latter it copies no
parts (501).
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from pytest_django import Settings

from archive.intake.publish import finish
from archive.models import Space, User
from archive.storage import keys, store
from archive.storage.bucket import prepare_bucket
from tests.support.api_client import MIB, ApiClient
from tests.support.audio_files import make_tone
from tests.support.bundles import build_bundle, read_bundle
from tests.support.object_stores import override_store
from tests.support.other_seaweedfs import OtherSeaweedFS, other_seaweedfs

pytestmark = pytest.mark.usefixtures("db")

OWN_KEYS = {"ServerSideEncryption": "AES256"}
KMS = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "spacekeep-recordings"}


@pytest.fixture(scope="module")
def engine() -> Iterator[OtherSeaweedFS]:
    with other_seaweedfs() as engine:
        yield engine


@contextmanager
def encrypted(engine: OtherSeaweedFS, how: dict[str, str]) -> Iterator[None]:
    with (
        override_settings(S3_ENCRYPTION=how),
        override_store(public=True, tried=False, bucket_name="encrypted", **engine.options),
    ):
        yield


@pytest.mark.parametrize(
    ("how", "copies"), [(OWN_KEYS, True), (KMS, False)], ids=["own keys", "key management service"]
)
def test_every_object_is_encrypted(
    engine: OtherSeaweedFS, how: dict[str, str], copies: bool, alice: User, tmp_path: Path, settings: Settings
) -> None:
    settings.UPLOAD_PART_BYTES = 5 * MIB
    data = make_tone(tmp_path / "talk.wav", "wav", seconds=65).read_bytes()
    with encrypted(engine, how):
        call_command("setup_store")
        caller = ApiClient(user=alice)
        space = Space.objects.get(pk=caller.announce().json["id"])
        upload = caller.begin(str(space.pk), data, name="talk.wav").json
        caller.send(upload, data)
        assert caller.post(f"/uploads/{upload['id']}/complete").status == 200
        assert finish(space.pk), Space.objects.get(pk=space.pk).problem_text
        bundle = build_bundle(space)

        found = {name: encryption_of(name) for name in (v.key for v in store().listing(keys.prefix(space.pk)).versions)}

        assert bundle.key in found
        assert len(found) > 2
        assert found == dict.fromkeys(found, how)
        assert store().capabilities.copies_parts == copies
        assert hashlib.sha256(data).digest() in member_digests(read_bundle(bundle))


def encryption_of(key: str) -> dict[str, Any]:
    head: dict[str, Any] = store().client.head_object(Bucket=store().bucket, Key=key)  # type: ignore[assignment]
    return {name: head[name] for name in ("ServerSideEncryption", "SSEKMSKeyId") if name in head}


def member_digests(data: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [hashlib.sha256(archive.read(name)).digest() for name in archive.namelist()]


def test_a_store_without_the_key_is_named(engine: OtherSeaweedFS) -> None:
    """SeaweedFS answers 500 for each part."""
    with encrypted(engine, {"ServerSideEncryption": "aws:kms"}):
        prepare_bucket(store(), "http://127.0.0.1:8000")
        words = "It can't write with S3_ENCRYPTION=aws:kms: check its key management service, and S3_KMS_KEY_ID."
        with pytest.raises(CommandError, match=words):
            call_command("setup_store")
