"""The main job on stores that differ from S3: upload, listen, bundle and delete, as each store allows it."""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings

from archive.bundles.maintain import verify
from archive.errors import ObjectChanged
from archive.intake.publish import finish
from archive.models import Bundle, DeletionCertificate, Space, User
from archive.retention.purge import purge
from archive.storage import keys, store, write
from archive.storage.capabilities import Capabilities
from archive.storage.multipart import uploading
from tests.support.api_client import MIB, ApiClient, checksum, put_part
from tests.support.audio_files import make_tone
from tests.support.bundles import build_bundle, read_bundle
from tests.support.deadlines import make_due
from tests.support.object_stores import without
from tests.support.store_profiles import (
    PROFILES,
    R2,
    Aws,
    Ceph,
    CephHttps,
    Garage,
    Gcs,
    LeastPrivilege,
    Profile,
    Rclone,
    Swift,
    use_profile,
)

pytestmark = pytest.mark.usefixtures("db")

NO_CRC32 = {"verifies_whole": False, "reports_part_crc32": False}
EXPECTED: dict[type[Profile], dict[str, Any]] = {
    Aws: {"part_checksums": "announced"},
    R2: {"lists_versions": False, "any_part_sizes": False, "verifies_whole": False},
    Ceph: {"refuses_wrong_parts": False, "checks_copy_source": False, **NO_CRC32},
    CephHttps: {"refuses_wrong_parts": False, "checks_copy_source": False, **NO_CRC32},
    Garage: {"lists_versions": False, "refuses_wrong_parts": False, **NO_CRC32},
    Swift: {"refuses_wrong_parts": False, "checks_copy_source": False, **NO_CRC32},
    Gcs: {"copies_parts": False, "refuses_wrong_parts": False, **NO_CRC32},
    Rclone: {"lists_versions": False, "copies_parts": False, "refuses_wrong_parts": False, **NO_CRC32},
    LeastPrivilege: {},
}


@pytest.fixture(scope="module", params=PROFILES, ids=lambda profile: profile.__name__)
def proxy(request: pytest.FixtureRequest) -> Iterator[Profile]:
    """A store of each profile. Its capabilities are tested once."""
    with use_profile(request.param) as (proxy, _):
        yield proxy


@pytest.fixture
def small_parts(settings: Settings) -> None:
    settings.UPLOAD_PART_BYTES = 5 * MIB


def make_recording(folder: Path, seconds: int = 65) -> bytes:
    data = make_tone(folder / "talk.wav", "wav", seconds=seconds).read_bytes()
    assert len(data) > 5 * MIB + 1000  # two parts
    return data


@pytest.mark.usefixtures("small_parts")
def test_the_main_job(proxy: Profile, alice: User, tmp_path: Path) -> None:
    # If all parts must have one size, only the bundle of a long recording contains copied parts.
    caller, data = ApiClient(user=alice), make_recording(tmp_path, 200 if isinstance(proxy, R2) else 65)
    space = Space.objects.get(pk=caller.announce().json["id"])
    upload = caller.begin(str(space.pk), data, name="talk.wav").json
    caller.send(upload, data)
    assert caller.post(f"/uploads/{upload['id']}/complete").status == 200
    assert finish(space.pk), Space.objects.get(pk=space.pk).problem_text

    assert store().capabilities == Capabilities(**EXPECTED[type(proxy)])
    bundle = build_bundle(space)
    verifies = store().capabilities.verifies_whole or store().capabilities.reports_part_crc32
    if not verifies:
        assert verify(Bundle, bundle.pk)
    bundle.refresh_from_db()
    assert bundle.verified_by == ("store" if verifies else "read-back")
    content = read_bundle(bundle)
    assert bundle.sha256 in ("", hashlib.sha256(content).hexdigest())
    assert bundle.crc32 in (None, zlib.crc32(content))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        (name,) = [name for name in archive.namelist() if name.endswith("recording.wav")]
        assert archive.read(name) == data

    make_due(space)
    assert purge(space.pk), Space.objects.get(pk=space.pk).problem_text
    assert not store().listing(keys.prefix(space.pk))
    assert DeletionCertificate.objects.filter(space_id=space.pk).exists()


@pytest.mark.long
@pytest.mark.usefixtures("small_parts")
def test_other_bytes_are_refused_on_each(proxy: Profile, alice: User, tmp_path: Path) -> None:
    check_wrong_part(alice, tmp_path)


@pytest.mark.usefixtures("small_parts")
def test_other_bytes_are_refused_by_part(alice: User, tmp_path: Path) -> None:
    with use_profile(Swift):
        check_wrong_part(alice, tmp_path)


def check_wrong_part(alice: User, tmp_path: Path) -> None:
    caller, data = ApiClient(user=alice), make_recording(tmp_path)
    space = Space.objects.get(pk=caller.announce().json["id"])
    upload = caller.begin(str(space.pk), data, name="talk.wav").json
    caller.send(upload, data, [1])
    last = data[upload["part_size"] :]
    signed = caller.post(f"/uploads/{upload['id']}/parts", {"parts": [{"number": 2, "sha256": checksum(last)}]}).json

    answer = put_part(signed["parts"][0], bytes(len(last)))

    if store().capabilities.refuses_wrong_parts:
        assert answer == 400
        return
    assert answer == 200
    assert caller.post(f"/uploads/{upload['id']}/complete").status == 200
    assert not finish(space.pk)
    space.refresh_from_db()
    assert (space.state, space.problem_code) == ("rejected", "upload.part_sha256_differs")
    assert space.problem["params"]["parts"] == [2]
    assert not store().listing(keys.prefix(space.pk))


@pytest.mark.usefixtures("small_parts")
def test_a_part_of_another_size_is_named_at_completion(alice: User, tmp_path: Path) -> None:
    """Swift's profile does not check the signed size; other stores don't either."""
    with use_profile(Swift):
        caller, data = ApiClient(user=alice), make_recording(tmp_path)
        space = Space.objects.get(pk=caller.announce().json["id"])
        upload = caller.begin(str(space.pk), data, name="talk.wav").json
        caller.send(upload, data, [1])
        last = data[upload["part_size"] :]
        asked = {"parts": [{"number": 2, "sha256": checksum(b"short")}]}
        signed = caller.post(f"/uploads/{upload['id']}/parts", asked).json
        assert put_part(signed["parts"][0], b"short") == 200

        refused = caller.post(f"/uploads/{upload['id']}/complete")

        assert (refused.status, "Check parts 2." in refused.words) == (409, True)
        caller.send(upload, data, [2])
        etags = [
            {"number": p["number"], "etag": p["etag"]} for p in caller.get(f"/uploads/{upload['id']}").json["parts"]
        ]
        # If a part was sent twice within a second, only the uploader knows which one is newer.
        etags = etags if len(etags) == 2 else [*etags[:1], {"number": 2, "etag": etag_of(last)}]
        assert caller.post(f"/uploads/{upload['id']}/complete", {"parts": etags}).status == 200
        assert finish(space.pk)


def etag_of(part: bytes) -> str:
    """The ETag that the store returns to the uploader of the part."""
    return hashlib.md5(part, usedforsecurity=False).hexdigest()


class Forgetful(Profile):
    """A store that ignores the conditions of a request."""

    ignored = r"^(if-match|x-amz-copy-source-if-match)$"


def test_an_object_with_another_etag_is_never_read_or_copied() -> None:
    with use_profile(Forgetful) as (_, bucket):
        key = f"tests/{uuid4()}"
        written = write(bucket, key, io.BytesIO(b"first"), "text/plain", check=lambda: None)
        write(bucket, key, io.BytesIO(b"other"), "text/plain", check=lambda: None)

        with pytest.raises(ObjectChanged):
            bucket.read(key, 0, 5, written.etag)
        with pytest.raises(ObjectChanged):
            list(bucket.stream(key, 5, written.etag))
        with pytest.raises(ObjectChanged), uploading(bucket, f"{key}-copy", "text/plain", lambda: None) as upload:
            upload.copy(1, key, written.etag, 0, 5)


def test_a_store_without_delete_objects_deletes_one_by_one() -> None:
    with without(deletes_many=False):
        prefix = f"tests/{uuid4()}/"
        for name in "ab":
            write(store(), f"{prefix}{name}", io.BytesIO(b"x"), "text/plain", check=lambda: None)
        lines: list[str] = []
        store().client.meta.events.register("before-call.s3", lambda model, **kwargs: lines.append(model.name))

        assert store().delete(store().listing(prefix).versions) == {}

        assert lines.count("DeleteObject") == 2
        assert "DeleteObjects" not in lines
        assert not store().listing(prefix)


def test_folders_without_versions_are_paged() -> None:
    with without(lists_versions=False):
        parent = f"tests/{uuid4()}/"
        for name in ("a/1", "a/2", "b/1", "c"):
            write(store(), f"{parent}{name}", io.BytesIO(b"x"), "text/plain", check=lambda: None)

        assert store().folders(parent) == ((f"{parent}a/", f"{parent}b/"), "")
        assert store().folders(parent, f"{parent}a/") == ((f"{parent}b/",), "")


def test_nothing_is_sent_with_a_trailer() -> None:
    """The SDK would add one to parts without a checksum of ours, but only over https."""
    with use_profile(CephHttps) as (proxy, bucket), without(own_checksums=False):
        written = write(bucket, f"tests/{uuid4()}", io.BytesIO(b"first"), "text/plain", check=lambda: None)

        assert proxy.url.startswith("https://")
        assert bucket.read(written.key, 0, 5, written.etag) == b"first"
