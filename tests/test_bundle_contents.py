"""What a bundle contains."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive import dbtime
from archive.models import Bundle, Space, User
from archive.moderation.appeals import appeal, decide
from archive.moderation.evidence import Lines
from archive.moderation.violations import flag
from tests.support.bundles import build_bundle, read_bundle


@pytest.fixture
def space(seeds: Space) -> Space:
    return seeds


def unpack(bundle: Bundle) -> dict[str, bytes]:
    """Return the files of the ZIP by their paths below its one folder."""
    with zipfile.ZipFile(io.BytesIO(read_bundle(bundle))) as zip_file:
        assert zip_file.testzip() is None
        return {name.split("/", 1)[1]: zip_file.read(name) for name in zip_file.namelist()}


def test_a_bundle_has_every_file(space: Space, tone: Path) -> None:
    bundle = build_bundle(space)

    day = f"{space.ended_at:%Y-%m-%d}"
    assert bundle.name == f"Seeds- a talk-{day}.zip"
    assert (bundle.state, bundle.bytes_done, bundle.percent) == ("ready", bundle.size, 100)
    files = unpack(bundle)
    assert list(files) == [
        "bagit.txt",
        "bag-info.txt",
        "manifest-sha256.txt",
        "tagmanifest-sha256.txt",
        "data/index.html",
        "data/space.json",
        "data/transcript.en.vtt",
        "data/transcript.en.srt",
        "data/transcript.en.txt",
        "data/transcript.en.json",
        "data/recording.m4a",
    ]
    assert files["data/recording.m4a"] == tone.read_bytes()
    assert files["data/transcript.en.txt"] == b"[00:00:00] Nora: Beans & peas.\n"
    payload = sum(len(data) for name, data in files.items() if name.startswith("data/"))
    assert files["bag-info.txt"].decode() == (
        "Bag-Software-Agent: Spacekeep\n"
        f"Bagging-Date: {day}\n"
        "External-Description: Seeds: a talk\n"
        f"External-Identifier: {space.pk}\n"
        f"Payload-Oxum: {payload}.7\n"
    )


def test_space_json(space: Space, admin: User) -> None:
    ended_at = datetime(2026, 10, 31, 20, 30, tzinfo=UTC)
    Space.objects.filter(pk=space.pk).update(ended_at=ended_at, expires_at=dbtime.now() + timedelta(days=1))
    flag(space.pk, "spam", "An advertisement.", admin)
    bundle = build_bundle(space)

    facts = json.loads(unpack(bundle)["data/space.json"])

    (violation,), (sound,) = facts.pop("violations"), facts.pop("recordings")
    assert facts == {
        "id": str(space.pk),
        "title": "Seeds: a talk",
        "host": "Alice",
        "started_at": None,
        "ended_at": "2026-10-31T20:30:00Z",
        "who_could_talk": None,
        "participants": [{"name": "Alice", "role": "host"}, {"name": "Felix", "role": "cohost"}],
        "listeners": {"peak": None, "total": None},
        "missing": [],
        "access_copy": None,
        "transcripts": [{"number": 1, "language": "en", "source": "given", "edited_from": None, "lines": 1}],
        "kept_until": "2027-02-28T20:30:00Z",
        "deadline_reasons": [
            {"code": "base", "days": 30, "text": "Every recording is kept for 30 days after its Space ended."},
            {
                "code": "violation",
                "days": 90,
                "total_days": 120,
                "text": "It was flagged for breaking a rule, so it is kept 90 days longer: 120 days in all.",
            },
        ],
        "salt": space.salt,
    }
    assert violation.pop("flagged_at").endswith("Z")
    assert violation == {
        "rule": "Spam or fraud",
        "rule_text": "Misleading people for gain.",
        "code": "spam",
        "state": "standing",
        "reason": "An advertisement.",
        "evidence": [],
        "appeal": None,
        "lifted_at": None,
        "lift_reason": "",
    }
    assert (sound["file"], sound["codec"]) == ("recording.m4a", "aac")


def test_a_bundle_has_flags_and_appeals(space: Space, alice: User, admin: User, second_admin: User) -> None:
    violation = flag(space.pk, "spam", "An advertisement.", admin, Lines(1, (1,)))
    decide(appeal(violation.pk, "It was <b>beans</b>.", alice).pk, "So they were sold.", second_admin, granted=False)

    files = unpack(build_bundle(space))

    (response,) = json.loads(files["data/space.json"])["violations"]
    assert response["evidence"] == [
        {"line": 1, "start_ms": 0, "end_ms": 1000, "speaker": "Nora", "text": "Beans & peas."},
    ]
    assert response["appeal"].pop("created_at") < response["appeal"].pop("decided_at")
    assert response["appeal"] == {
        "state": "denied",
        "statement": "It was <b>beans</b>.",
        "decision_reason": "So they were sold.",
    }
    page = files["data/index.html"].decode()
    shown = page[page.index('aria-label="Flag"') : page.index("data-player")]
    for words in ("Beans &amp; peas.", "It was &lt;b&gt;beans&lt;/b&gt;.", "Denied", "So they were sold."):
        assert words in shown
