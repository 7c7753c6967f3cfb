"""A host's browser on the upload page, and a bucket that accepts its uploads."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

from archive.storage import store
from archive.storage.bucket import prepare_bucket
from tests.support import browser_sessions

ORIGIN = "http://127.0.0.1:8000"  # from which the bucket accepts uploads in all other tests


@contextmanager
def accepted_by_bucket(site: str) -> Iterator[None]:
    """Let browsers upload from `site`."""
    prepare_bucket(store(), site)
    try:
        yield
    finally:
        prepare_bucket(store(), ORIGIN)


@contextmanager
def upload_page(chromium: Browser, site: str, name: str = "alice") -> Iterator[Page]:
    """Open the upload page as the host with this user name."""
    with accepted_by_bucket(site):
        page = chromium.new_context(timezone_id="Europe/Berlin").new_page()
        browser_sessions.open_signed_in(page, site, name)
        page.goto(f"{site}/upload/")
        yield page
