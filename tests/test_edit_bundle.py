"""After an edit the bundle is out of date: the page says so, and the next bundle contains every change."""

import json
import zipfile
from io import BytesIO

import pytest

from archive.bundles import exports
from archive.editing.corrections import Correction, correct_lines
from archive.editing.facts import SpaceEdit, edit_space, read_editable
from archive.editing.participants import ParticipantEdit
from archive.models import Bundle, Export, Space, User
from tests.support.bundles import build_bundle, read_bundle
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")
OUTDATED = "The Space was changed after its last bundle was made."


def edit_everything(space: Space, by: User) -> None:
    """Change the title, a line, the name of Felix, who is a participant, and of the speaker Nora, who is not."""
    now = read_editable(space)
    people = [
        ParticipantEdit(p.role, "Felix Brandt" if p.name == "Felix" else p.name, p.account, p.pk)
        for p in now.participants
    ]
    facts = now.facts.__class__("Beans: a talk", "followed", None, 41, 900)
    edit_space(space.pk, now.edition, SpaceEdit(facts, people), by)
    correct_lines(space.pk, 1, [Correction(1, "Beans & carrots.", "Felix Brandt")], by)


def unpack(bundle: Bundle) -> dict[str, bytes]:
    """Return {file: bytes}, without the folder."""
    with zipfile.ZipFile(BytesIO(read_bundle(bundle))) as whole:
        return {name.partition("/")[2]: whole.read(name) for name in whole.namelist()}


def test_a_bundle_made_before_is_out_of_date(seeds: Space, alice: User) -> None:
    old = build_bundle(seeds)
    page = make_client(alice).get(f"/spaces/{seeds.pk}/").content.decode()
    assert (OUTDATED in page, f"/{old.name}" in page or "Download (" in page) == (False, True)

    edit_everything(seeds, alice)

    page = make_client(alice).get(f"/spaces/{seeds.pk}/").content.decode()
    assert (OUTDATED in page, "Download (" in page) == (True, False)


def test_the_next_bundle_has_every_change(seeds: Space, alice: User) -> None:
    edit_everything(seeds, alice)

    bundle = build_bundle(Space.objects.get(pk=seeds.pk))

    files = unpack(bundle)
    assert bundle.name.startswith("Beans- a talk-")
    facts = json.loads(files["data/space.json"])
    assert (facts["title"], facts["who_could_talk"]) == ("Beans: a talk", "followed")
    assert facts["listeners"] == {"peak": 41, "total": 900}
    assert [p["name"] for p in facts["participants"]] == ["Alice", "Felix Brandt"]
    assert facts["transcripts"] == [
        {"number": 1, "language": "en", "source": "given", "edited_from": None, "lines": 1},
        {"number": 2, "language": "en", "source": "given", "edited_from": 1, "lines": 1},
    ]
    assert files["data/transcript.2.en.txt"] == b"[00:00:00] Felix Brandt: Beans & carrots.\n"
    assert files["data/transcript.en.txt"] == b"[00:00:00] Nora: Beans & peas.\n"  # the earlier version stays
    page = files["data/index.html"].decode()
    assert ("Beans &amp; carrots." in page, "Beans &amp; peas." in page) == (True, False)


def test_an_export_made_before_is_not_the_next_one(seeds: Space, alice: User) -> None:
    first = exports.request(alice, Export.Size.SMALL)
    assert exports.request(alice, Export.Size.SMALL) == first

    edit_everything(seeds, alice)

    second = exports.request(alice, Export.Size.SMALL)
    assert second != first
    assert exports.request(alice, Export.Size.SMALL) == second
