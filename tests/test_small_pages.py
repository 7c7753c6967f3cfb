"""All code that lists the store reads all pages: here a page has two entries, and there are more of each kind."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.conf import settings

from archive.models import Space, User
from archive.retention import recheck
from archive.retention.purge import purge
from archive.retention.reconcile import reconcile
from archive.storage import begin, keys, store, stored_parts
from archive.storage.bucket import prepare_bucket
from archive.storage.listing import walk, walk_uploads
from archive.storage.locked import list_page, versions_after
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row
from tests.support.object_stores import override_store, without
from tests.support.store_profiles import SmallPages, use_profile
from tests.test_reconcile import NOW

pytestmark = pytest.mark.usefixtures("db")
COUNT = 5  # on three pages


@pytest.fixture(params=[True, False], ids=["versions", "no versions"])
def proxy(request: pytest.FixtureRequest) -> Iterator[SmallPages]:
    """A bucket of this test's own, listed with ListObjectVersions or with ListObjectsV2."""
    with (
        use_profile(SmallPages) as (proxy, _),
        override_store(endpoint_url=proxy.url, bucket_name=f"pages-{uuid4()}", public=True),
        without(lists_versions=request.param),
    ):
        assert isinstance(proxy, SmallPages)
        prepare_bucket(store(), settings.SITE_URL)
        proxy.pages.clear()
        yield proxy


@pytest.fixture
def listing(proxy: SmallPages) -> str:
    """Return the parameter by which `proxy.pages` counts listings of objects."""
    return "versions" if store().capabilities.lists_versions else "list-type"


def fill(prefix: str) -> tuple[list[str], list[str]]:
    """Create objects and open uploads. Returns their keys."""
    bucket = store()
    objects = [f"{prefix}recording/{number}.m4a" for number in range(1, COUNT + 1)]
    uploads = [f"{prefix}incoming/{number}" for number in range(1, COUNT + 1)]
    for key in objects:
        bucket.client.put_object(Bucket=bucket.bucket, Key=key, Body=b"x")
    for key in uploads:
        begin(bucket, key, "text/plain")
    return objects, uploads


def is_empty(prefix: str) -> bool:
    """Return whether the first page is empty."""
    bucket = store()
    listed = bucket.client.list_objects_v2(Bucket=bucket.bucket, Prefix=prefix)
    uploads = bucket.client.list_multipart_uploads(Bucket=bucket.bucket, Prefix=prefix)
    return not listed.get("Contents") and not uploads.get("Uploads")


def test_each_listing_reads_all_pages(proxy: SmallPages, listing: str) -> None:
    objects, uploads = fill("pages/")
    bucket = store()
    upload = begin(bucket, "pages/parts", "text/plain")
    for number in range(1, COUNT + 1):
        upload.put(number, b"x")

    assert [version.key for version in bucket.versions("pages/")] == objects
    assert sorted(key for key, _ in bucket.uploads("pages/incoming/")) == uploads  # SeaweedFS sorts them by upload id
    assert [found.stored.key for found in walk(bucket)] == objects
    assert sorted(found.key for found in walk_uploads(bucket, "pages/incoming/")) == uploads
    assert [part.number for part in stored_parts(upload)] == [1, 2, 3, 4, 5]
    assert proxy.pages == {listing: 6, "uploads": 6, "uploadId": 3}
    if listing == "versions":
        assert [version.key for version in versions_after(bucket, "pages/", "")] == objects
        key = version = ""
        paged = []
        while (page := list_page(bucket, "pages/", key, version)).next:
            paged += [found.key for found, _ in page.versions]
            key, version = page.next
        assert [*paged, *(found.key for found, _ in page.versions)] == objects


def test_a_space_of_many_pages_is_purged(proxy: SmallPages, listing: str, alice: User) -> None:
    space = make_row(alice)
    make_contents(space)
    fill(keys.prefix(space.pk))
    make_due(space)

    assert purge(space.pk), Space.objects.get(pk=space.pk).problem_text

    assert is_empty(keys.prefix(space.pk))
    assert proxy.pages[listing] >= 4  # three before the deletion, one after it


def test_a_recheck_looks_at_every_page(proxy: SmallPages, alice: User) -> None:
    spaces = [make_row(alice) for _ in range(COUNT)]
    for space in spaces:
        make_due(space)
        assert purge(space.pk)
    for space in spaces:
        fill(keys.prefix(space.pk))

    assert any(recheck.run_round(pages=1) for _ in range(100))

    assert is_empty(keys.SPACES)


def test_reconcile_looks_at_every_page(proxy: SmallPages, alice: User) -> None:
    space = make_row(alice)
    make_contents(space)
    objects, _ = fill(f"{keys.prefix(space.pk)}stray/")

    first = reconcile(apply=True, age=NOW)
    second = reconcile(apply=True, age=NOW)

    assert sorted(first.orphans) == objects
    assert sorted(second.removed) == objects
    assert len(store().versions(keys.prefix(space.pk))) == 3
    assert not store().uploads(keys.prefix(space.pk))
