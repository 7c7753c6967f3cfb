"""The HTML of the offline page: its content, its Content-Security-Policy, and a content id that covers all of it."""

import base64
import hashlib
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from pytest_django import Settings

from archive.bundles.build import build, current, request
from archive.bundles.contents import content_id, contents
from archive.bundles.zip64 import Range, read
from archive.display.assets import ARCHIVE, SCRIPT, TEMPLATE, assets, load
from archive.errors import StoreUnavailable
from archive.log import SYSTEM
from archive.models import Bundle, Participant, Space, User
from archive.moderation.violations import flag, lift
from archive.storage import keys, store
from tests.support.bundles import build_bundle
from tests.support.object_stores import UNREACHABLE, override_store
from tests.support.playable_spaces import make_peaks, make_playable_space
from tests.support.stored_objects import put_object

PEAKS = [0.25, 1.0]


@pytest.fixture
def space(db: None, alice: User) -> Space:
    return make_playable_space(alice, peaks=PEAKS)


def whole(space: Space) -> bytes:
    def fetch(part: Range) -> bytes:
        return store().read(part.key, part.start, part.length, part.etag)

    return b"".join(read(contents(Space.objects.get(pk=space.pk)).segments, fetch))


def page(space: Space, tmp_path: Path) -> str:
    path = tmp_path / "bundle.zip"
    path.write_bytes(whole(space))
    with zipfile.ZipFile(path) as bundle:
        (name,) = (name for name in bundle.namelist() if name.endswith("/data/index.html"))
        return bundle.read(name).decode()


def test_the_page_does_not_depend_on_the_time_or_the_settings(space: Space, admin: User) -> None:
    flag(space.pk, "spam", "An advertisement.", admin)
    before = whole(space)

    assets.cache_clear()

    with override_settings(RETENTION_DAYS=20, VIOLATION_EXTRA_DAYS=10):  # the stored deadline does not change
        assert whole(space) == before


def test_its_clock_marks_the_days_of_the_stored_deadline(space: Space, admin: User, tmp_path: Path) -> None:
    assert re.findall(r">(day \d+)</text>", page(space, tmp_path)) == ["day 30"]

    flag(space.pk, "spam", "An advertisement.", admin)

    assert re.findall(r">(day \d+)</text>", page(space, tmp_path)) == ["day 30", "day 120"]


class Blocks(HTMLParser):
    """Collect the scripts and styles that a browser would run, and the policy."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.policy, self.nonce, self.texts, self.within = "", "", list[tuple[str, str]](), ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        self.nonce = given.get("nonce") or self.nonce
        self.within = tag if tag == "style" or (tag == "script" and "type" not in given) else ""
        assert not {"style", "src"} & set(given) - ({"src"} if tag == "audio" else set())

    def handle_data(self, data: str) -> None:
        if self.within:
            self.texts.append((self.within, data))
            self.within = ""


def test_its_policy_allows_only_its_own_scripts_and_styles(space: Space, tmp_path: Path) -> None:
    blocks = Blocks()
    blocks.feed(page(space, tmp_path))

    rules = dict(rule.split(" ", 1) for rule in blocks.policy.split("; "))
    styles = rules.pop("style-src").split()
    assert rules.pop("script-src").split() == [hashed(text) for tag, text in blocks.texts if tag == "script"]
    assert styles[:1] == [hashed(text) for tag, text in blocks.texts if tag == "style"]
    assert styles[1:] == [f"'nonce-{blocks.nonce}'"]  # the waveform's own, which test_browser_bundle.py sees at work
    assert re.fullmatch(r"[0-9a-f]{32}", blocks.nonce)
    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "media-src": "'self' file:",
        "connect-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_no_text_of_a_space_can_contain_the_nonce_of_its_page(space: Space, tmp_path: Path) -> None:
    nonces = []
    for _ in range(2):
        blocks = Blocks()
        blocks.feed(page(Space.objects.get(pk=space.pk), tmp_path))
        nonces.append(blocks.nonce)
        Space.objects.filter(pk=space.pk).update(title=f"<style nonce={blocks.nonce}>")

    assert nonces[0] != nonces[1]


def hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the page's source files, which tests may change."""
    folder = tmp_path / "archive"
    shutil.copytree(ARCHIVE / "static", folder / "static")
    (folder / SCRIPT).parent.mkdir()
    shutil.copy2(ARCHIVE / SCRIPT, folder / SCRIPT)
    return folder


@pytest.fixture
def another_release(
    copy: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], None]]:
    """Call it, and this process has other styles, scripts and templates."""
    template = tmp_path / "templates" / TEMPLATE
    template.parent.mkdir(parents=True)
    shutil.copy2(Path("templates") / TEMPLATE, template)

    def start() -> None:
        for file in (template, copy / "static/archive/tokens.css", copy / SCRIPT):
            file.write_text(file.read_text() + "\n")
        engine: dict[str, Any] = settings.TEMPLATES[0]
        settings.TEMPLATES = [engine | {"DIRS": [tmp_path / "templates", *engine["DIRS"]]}]
        monkeypatch.setattr("archive.display.assets.ARCHIVE", copy)
        assets.cache_clear()

    yield start
    assets.cache_clear()


def test_a_bundle_of_another_release_is_up_to_date(
    space: Space, admin: User, another_release: Callable[[], None]
) -> None:
    before, bundle = whole(space), build_bundle(space)

    another_release()

    assert whole(space) != before
    assert current(space) == request(space.pk, SYSTEM) == bundle
    flag(space.pk, "spam", "An advertisement.", admin)
    space.refresh_from_db()
    assert current(space) is None
    assert request(space.pk, SYSTEM) != bundle


def test_either_release_builds_what_the_other_one_requested(space: Space, another_release: Callable[[], None]) -> None:
    bundle = request(space.pk, SYSTEM)

    another_release()

    assert build(bundle.pk)
    assert Bundle.objects.get(pk=bundle.pk).content_digest == bundle.content_digest


def test_everything_that_the_page_shows_changes_the_content_id(space: Space, admin: User, alice: User) -> None:
    seen = [content_id(space)]

    def differs() -> bool:
        seen.append(content_id(Space.objects.get(pk=space.pk)))
        return seen[-1] not in seen[:-1]

    Participant.objects.create(space=space, role="host", seat=1, name="Nora")
    assert differs()
    violation = flag(space.pk, "spam", "An advertisement.", admin)
    assert differs()
    lift(space.pk, "It was a joke.", admin)
    assert differs()
    violation.__class__.objects.filter(pk=violation.pk).update(lift_reason="It was none.")
    assert differs()
    User.objects.filter(pk=alice.pk).update(first_name="Alicia")
    assert differs()
    space.transcripts.update(sha256="0" * 64)
    assert differs()
    space.derived.update(sha256="0" * 64)
    assert differs()


def test_computing_the_content_id_makes_no_request_to_the_store(space: Space) -> None:
    before = content_id(space)

    with override_store(**UNREACHABLE):
        assert content_id(space) == before


def test_without_peaks_there_is_no_waveform(space: Space, tmp_path: Path) -> None:
    assert '<script type="application/json" id="peaks">[[0.25,1.0]]</script>' in page(space, tmp_path)

    store().delete(store().listing(keys.peaks(space.pk)).versions)

    assert "application/json" not in page(space, tmp_path)


@pytest.mark.parametrize(
    "data", [b"{}", b"not JSON", b'{"peaks": [1]}', b'{"peaks": [["</script>"]]}', b'{"peaks": [[NaN, 1e999]]}']
)
def test_invalid_peaks_are_not_drawn(db: None, alice: User, tmp_path: Path, data: bytes) -> None:
    space = make_playable_space(alice)
    make_peaks(space, data)

    assert "application/json" not in page(space, tmp_path)


def test_an_unavailable_store_is_not_mistaken_for_missing_peaks(space: Space) -> None:
    with override_store(**UNREACHABLE), pytest.raises(StoreUnavailable):
        contents(space)


def test_a_recording_that_browsers_cannot_play_has_an_access_copy(space: Space, tmp_path: Path) -> None:
    stored = put_object(keys.access_copy(space.pk), b"a copy")
    space.derived.create(kind="access-copy", content_type="audio/mp4", **vars(stored))

    html = page(space, tmp_path)

    assert '<audio controls preload="metadata" src="access-copy.m4a">' in html
    assert 'href="recording.m4a"' in html
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        names = [name.partition("/")[2] for name in bundle.namelist()]
        assert names[-2:] == ["data/access-copy.m4a", "data/recording.m4a"]
        assert bundle.read(bundle.namelist()[-2]) == b"a copy"
        assert re.search(r'"access_copy": \{\s+"file": "access-copy.m4a",\s+"size": 6,', whole(space).decode("latin-1"))


def test_a_missing_file_is_reported(copy: Path) -> None:
    (copy / SCRIPT).unlink()

    with pytest.raises(ImproperlyConfigured, match=r"The file .*offline-page\.bundle\.js is missing"):
        load(copy)


@pytest.mark.parametrize("text", ["</script>", "<!-- ", "\r"])
def test_text_that_would_end_the_script_is_refused(copy: Path, text: str) -> None:
    (copy / SCRIPT).write_text(f'"{text}"', newline="")

    with pytest.raises(ImproperlyConfigured, match="A script of the offline page has text that would end it"):
        load(copy)
