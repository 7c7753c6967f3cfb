"""A bundle is verified part by part only on a store that computes and reports the CRC-32 of what it copies."""

import base64
import re
import zlib
from dataclasses import replace
from uuid import uuid4

import pytest
from django.conf import settings
from django.db.models.functions import Now

from archive.bundles.build import build, request
from archive.bundles.maintain import verify
from archive.log import SYSTEM
from archive.models import Bundle, User
from archive.storage import Store, keys, store
from archive.storage.multipart import encode_crc32
from archive.storage.trials.bundles import _reports_part_crc32
from tests.faults.proxy import Answer, Asked, Fault, Proxy
from tests.support.factory import make_noise
from tests.support.object_stores import override_store, without
from tests.support.store_profiles import Profile, use_profile

COPY = r"^PUT .* copy$"
COMPLETE = r"^POST [^ ]*uploadId="


def rehearse() -> str:
    """Return the code of the problem, or "" if there is none."""
    known = replace(store().capabilities, verifies_whole=False)
    problem = _reports_part_crc32(Store(find_capabilities=lambda store: known), f"{keys.REHEARSAL}{uuid4()}/")
    return str(problem.get("code", ""))


def test_our_store_computes_it() -> None:
    assert rehearse() == ""


class Silent(Profile):
    """A store that copies without reporting a CRC-32."""

    def change(self, asked: Asked, answer: Answer) -> Answer:
        return answer[0], answer[1], re.sub(rb"<ChecksumCRC32>[^<]*</ChecksumCRC32>", b"", answer[2])


class Forgetful(Profile):
    """A store that reports the CRC-32 of parts, but not of the object."""

    def change(self, asked: Asked, answer: Answer) -> Answer:
        kept = [header for header in answer[1] if header[0].lower() != "x-amz-checksum-crc32"]
        return answer[0], kept if asked.method == "HEAD" else answer[1], answer[2]


class Trusting(Profile):
    """A store that does not compare a CRC-32 with the bytes it receives."""

    def refuse(self, asked: Asked) -> Answer | None:
        if asked.headers.get("x-amz-checksum-crc32", right := encode_crc32(zlib.crc32(asked.body))) != right:
            asked.headers["x-amz-checksum-crc32"] = right
            self.sign_again(asked)
        return None


class Echoing(Profile):
    """A store that reports the CRC-32 that the uploader gave."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, str] = {}

    def refuse(self, asked: Asked) -> Answer | None:
        told = re.findall(rb"<ChecksumCRC32>([^<]+)<", asked.body)
        if asked.method == "POST" and told and asked.path.endswith("/wrong"):
            self.told[asked.path] = composite(told)
            right = encode_crc32(zlib.crc32(b"rehearsal")).encode()
            asked.body = asked.body.replace(told[0], right)
            self.sign_again(asked)
        return None

    def change(self, asked: Asked, answer: Answer) -> Answer:
        if asked.method != "HEAD" or asked.path not in self.told:
            return answer
        kept = [header for header in answer[1] if header[0].lower() != "x-amz-checksum-crc32"]
        return answer[0], [*kept, ("x-amz-checksum-crc32", self.told[asked.path])], answer[2]


def composite(parts: list[bytes]) -> str:
    crcs = b"".join(base64.b64decode(part) for part in parts)
    return f"{encode_crc32(zlib.crc32(crcs))}-{len(parts)}"


@pytest.mark.parametrize(
    ("profile", "problem"),
    [
        (Silent, "trial.part_crc32_differs"),
        (Forgetful, "trial.object_crc32_differs"),
        (Trusting, "trial.wrong_part_accepted"),
        (Echoing, "trial.crc32_echoed"),
    ],
)
def test_a_store_that_does_not_is_found_out(profile: type[Profile], problem: str) -> None:
    with use_profile(profile) as (proxy, _), override_store(endpoint_url=proxy.url, public=True):
        assert rehearse() == problem


@pytest.fixture
def bundle(db: None, alice: User) -> Bundle:
    """The bundle of a recording of 12 MiB: two parts are uploaded, one is copied."""
    return request(make_noise(alice, megabytes=12).pk, SYSTEM)


SLOW_DOWN = Fault(COMPLETE, times=3, status=503, code="SlowDown")


@pytest.mark.parametrize(
    "faults",
    [
        [SLOW_DOWN],  # the next run gets no CRC-32 of what was copied
        [Fault(COMPLETE, times=1, lost=True), SLOW_DOWN],  # nor the parts of the object
        [Fault(COPY, times=1, changed=lambda body: re.sub(rb"<ChecksumCRC32>[^<]*</ChecksumCRC32>", b"", body))],
    ],
    ids=["resumed", "completed by another run", "silent copy"],
)
def test_what_was_not_compared_is_read_back(bundle: Bundle, faults: list[Fault]) -> None:
    with (
        Proxy(settings.S3_ENDPOINT_URL, *map(replace, faults)) as proxy,
        override_store(endpoint_url=proxy.url),
        without(verifies_whole=False),
    ):
        if not build(bundle.pk):
            proxy.faults = [fault for fault in proxy.faults if fault.seen == 0]
            Bundle.objects.update(lease_until=Now(), retry_at=None)
            assert build(bundle.pk), Bundle.objects.get().problem_text

        bundle.refresh_from_db()
        assert (bundle.state, bundle.verified_by) == ("ready", "")
        assert verify(Bundle, bundle.pk)
    bundle.refresh_from_db()
    assert bundle.verified_by == "read-back"
