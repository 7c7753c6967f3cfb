"""index.html of a bundle, as text: what is in it, what it may do, and that the bundle's id knows all of it."""

import base64
import hashlib
import re
import zipfile
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from django.test.signals import template_rendered

from archive.bundles.contents import content_id, contents
from archive.bundles.zip64 import Range, read
from archive.display.assets import TEMPLATE, assets, templates
from archive.errors import StoreUnavailable
from archive.models import Participant, Space, User
from archive.moderation.violations import flag, lift
from archive.storage import keys, store
from portal.checks import bundle_page
from tests.heard import make_heard, make_peaks, put
from tests.stores import NOBODY_LISTENS, other_store

PEAKS = [0.25, 1.0]


@pytest.fixture
def space(db: None, alice: User) -> Space:
    return make_heard(alice, peaks=PEAKS)


def whole(space: Space) -> bytes:
    def fetch(part: Range) -> bytes:
        return store().read(part.key, part.start, part.length, part.etag)

    return b"".join(read(contents(Space.objects.get(pk=space.pk)).segments, fetch))


def page(space: Space, tmp_path: Path) -> str:
    path = tmp_path / "bundle.zip"
    path.write_bytes(whole(space))
    with zipfile.ZipFile(path) as found:
        (name,) = (name for name in found.namelist() if name.endswith("/data/index.html"))
        return found.read(name).decode()


def test_it_knows_no_moment(space: Space, admin: User) -> None:
    flag(space.pk, "spam", "An advertisement.", admin)
    before = whole(space)

    assets.cache_clear()

    with override_settings(RETENTION_DAYS=20, VIOLATION_EXTRA_DAYS=10):  # the promise is what it was
        assert whole(space) == before


def test_its_clock_is_marked_as_it_was_promised(space: Space, admin: User, tmp_path: Path) -> None:
    assert re.findall(r">(day \d+)</text>", page(space, tmp_path)) == ["day 30"]

    flag(space.pk, "spam", "An advertisement.", admin)

    assert re.findall(r">(day \d+)</text>", page(space, tmp_path)) == ["day 30", "day 120"]


class Blocks(HTMLParser):
    """What stands in scripts and styles that a browser would run, and the policy."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.policy, self.found, self.within = "", list[tuple[str, str]](), ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        self.within = tag if tag == "style" or (tag == "script" and "type" not in given) else ""
        assert not {"style", "src"} & set(given) - ({"src"} if tag == "audio" else set())

    def handle_data(self, data: str) -> None:
        if self.within:
            self.found.append((self.within, data))
            self.within = ""


def test_its_policy_allows_what_stands_in_it_and_nothing_else(space: Space, tmp_path: Path) -> None:
    blocks = Blocks()
    blocks.feed(page(space, tmp_path))

    rules = dict(rule.split(" ", 1) for rule in blocks.policy.split("; "))
    styles = rules.pop("style-src").split()
    assert rules.pop("script-src").split() == [hashed(text) for tag, text in blocks.found if tag == "script"]
    assert styles[:1] == [hashed(text) for tag, text in blocks.found if tag == "style"]
    assert len(styles) == 2  # and the waveform's own, which test_browser_bundle.py sees at work
    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "media-src": "'self' file:",
        "connect-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_each_template_that_it_is_made_from_counts(space: Space, admin: User) -> None:
    flag(space.pk, "spam", "An advertisement.", admin)
    rendered: set[str] = set()

    def note(template: Any, **kwargs: Any) -> None:
        rendered.add(template.name)

    template_rendered.connect(note)
    contents(Space.objects.get(pk=space.pk))
    template_rendered.disconnect(note)

    assert {"spaces/player.html", "spaces/transcript.html", "parts/clock.html", "parts/icon.html"} < rendered
    assert rendered <= set(templates(TEMPLATE))


@pytest.fixture
def other_file(tmp_path: Path) -> Iterator[Callable[[str, str], None]]:
    """Puts a static file before ours."""
    with override_settings(STATICFILES_DIRS=[str(tmp_path), *settings.STATICFILES_DIRS]):

        def write(name: str, text: str) -> None:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
            assets.cache_clear()

        yield write
    assets.cache_clear()


@pytest.mark.parametrize("name", ["tokens.css", "theme.js", "keys.js", "icons.svg", "favicon.svg"])
def test_new_styles_and_scripts_make_it_another_bundle(
    space: Space, other_file: Callable[[str, str], None], name: str
) -> None:
    before = content_id(space)
    kept = (Path("portal/static/portal") / name).read_text()

    other_file(f"portal/{name}", kept)
    assert content_id(space) == before
    other_file(f"portal/{name}", f"{kept}\n")
    assert content_id(space) != before


@pytest.mark.parametrize("name", ["bundle/page.html", "parts/clock.html", "spaces/transcript.html"])
def test_so_do_new_templates(space: Space, tmp_path: Path, name: str) -> None:
    before = content_id(space)
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text((Path("templates") / name).read_text() + "\n")

    engine: dict[str, Any] = settings.TEMPLATES[0]
    with override_settings(TEMPLATES=[engine | {"DIRS": [tmp_path, *engine["DIRS"]]}]):
        assets.cache_clear()
        after = content_id(space)
    assets.cache_clear()

    assert after != before
    assert content_id(space) == before


def test_everything_that_it_shows_makes_it_another_bundle(space: Space, admin: User, alice: User) -> None:
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


def test_its_id_asks_nothing_of_the_store(space: Space) -> None:
    before = content_id(space)

    with other_store(**NOBODY_LISTENS):
        assert content_id(space) == before


def test_without_peaks_it_does_without_a_waveform(space: Space, tmp_path: Path) -> None:
    assert '<script type="application/json" id="peaks">[[0.25,1.0]]</script>' in page(space, tmp_path)

    store().delete(store().listing(keys.peaks(space.pk)).versions)

    assert "application/json" not in page(space, tmp_path)


@pytest.mark.parametrize(
    "data", [b"{}", b"not JSON", b'{"peaks": [1]}', b'{"peaks": [["</script>"]]}', b'{"peaks": [[NaN, 1e999]]}']
)
def test_neither_does_it_draw_what_are_no_peaks(db: None, alice: User, tmp_path: Path, data: bytes) -> None:
    space = make_heard(alice)
    make_peaks(space, data)

    assert "application/json" not in page(space, tmp_path)


def test_a_store_that_is_down_is_not_taken_for_missing_peaks(space: Space) -> None:
    with other_store(**NOBODY_LISTENS), pytest.raises(StoreUnavailable):
        contents(space)


def test_what_browsers_cannot_play_comes_with_a_copy(space: Space, tmp_path: Path) -> None:
    stored = put(keys.access_copy(space.pk), b"a copy")
    space.derived.create(kind="access-copy", content_type="audio/mp4", **vars(stored))

    found = page(space, tmp_path)

    assert '<audio controls preload="metadata" src="access-copy.m4a">' in found
    assert 'href="recording.m4a"' in found
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        names = [name.partition("/")[2] for name in bundle.namelist()]
        assert names[-2:] == ["data/access-copy.m4a", "data/recording.m4a"]
        assert bundle.read(bundle.namelist()[-2]) == b"a copy"
        assert re.search(r'"access_copy": \{\s+"file": "access-copy.m4a",\s+"size": 6,', whole(space).decode("latin-1"))


def test_a_start_without_its_files_is_stopped(other_file: Callable[[str, str], None]) -> None:
    assert bundle_page() == []

    other_file("portal/keys.js", 'import * as all from "./live.js";')

    (problem,) = bundle_page()

    assert problem.id == "spacekeep.E032"
    assert problem.msg == (
        "The page of a bundle can't be made: portal/keys.js has a form of import or export that is not known here: "
        'import * as all from "./live.js";'
    )
