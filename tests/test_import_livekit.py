"""LiveKit egress: the result's JSON in every spelling, and the recording that it names."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive.intake.importers import ImportCandidate, find

# As ListEgress responds: field names of the .proto, int64 as text.
SNAKE: dict[str, Any] = {
    "egress_id": "EG_MU4QwhXUhWf9",
    "room_id": "RM_SmT8U5tgEwQ9",
    "room_name": "seeds",
    "status": "EGRESS_COMPLETE",
    "started_at": "1795372810000000000",
    "ended_at": "1795377950000000000",
    "file_results": [
        {
            "filename": "recordings/seeds.ogg",
            "started_at": "1795372811000000000",
            "ended_at": "1795377910250000000",
            "duration": "5099250000000",
            "size": "5",
            "location": "https://objects.example.org/recordings/seeds.ogg?x=1",
        }
    ],
}
# As webhooks and SDKs write it.
CAMEL: dict[str, Any] = {
    "egressId": "EG_MU4QwhXUhWf9",
    "roomName": "seeds",
    "status": "EGRESS_COMPLETE",
    "endedAt": 1795377950000000000,
    "fileResults": [{"filename": "recordings/seeds.ogg", "endedAt": 1795377910250000000, "size": 5}],
}
# As the egress service writes it beside the recording.
MANIFEST: dict[str, Any] = {
    "egress_id": "EG_MU4QwhXUhWf9",
    "room_name": "seeds",
    "ended_at": 1795377910250000000,
    "files": [{"filename": "recordings/seeds.ogg", "location": "recordings/seeds.ogg"}],
}
SHAPES = {
    "list": {"items": [SNAKE]},
    "alone": SNAKE,
    "webhook": {"event": "egress_ended", "egressInfo": CAMEL},
    "older": CAMEL | {"fileResults": [], "file": CAMEL["fileResults"][0]},
    "manifest": MANIFEST,
}


def only(folder: Path, result: object, *, sound: str = "seeds.ogg") -> ImportCandidate:
    (folder / sound).parent.mkdir(exist_ok=True)
    (folder / sound).write_bytes(b"sound")
    (folder / "EG_MU4QwhXUhWf9.json").write_text(json.dumps(result))
    (candidate,) = find(folder)
    return candidate


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_the_egress_result_names_its_file(tmp_path: Path, shape: object) -> None:
    candidate = only(tmp_path, shape)

    assert (candidate.recording, candidate.facts.source, candidate.facts.title) == (
        "seeds.ogg",
        "LiveKit egress",
        "seeds",
    )
    assert candidate.facts.ended_at == datetime(2026, 11, 22, 20, 5, 10, 250_000, tzinfo=UTC)
    assert candidate.facts.notes == ()


def test_the_file_may_lie_in_its_folder(tmp_path: Path) -> None:
    assert only(tmp_path, SNAKE, sound="recordings/seeds.ogg").facts.source == "LiveKit egress"


def test_a_file_that_the_result_does_not_name_is_not_matched(tmp_path: Path) -> None:
    assert only(tmp_path, SNAKE, sound="beans.ogg").facts.source == "file"


@pytest.mark.parametrize("ended_at", ["0", 0, None, "soon", 1795377910])
def test_a_running_egress_has_no_end(tmp_path: Path, ended_at: object) -> None:
    """Times in whole seconds are read, too."""
    file = {"filename": "seeds.ogg"}
    candidate = only(tmp_path, {"egress_id": "EG_1", "ended_at": ended_at, "status": 1, "file_results": [file]})

    assert (candidate.facts.ended_at is None) == (ended_at != 1795377910)
    assert candidate.facts.notes[-1] == "EG_MU4QwhXUhWf9.json: LiveKit reports its status as 1. It may not be complete."


def test_a_different_size_is_reported(tmp_path: Path) -> None:
    file = SNAKE["file_results"][0] | {"size": "49800000"}

    candidate = only(tmp_path, SNAKE | {"file_results": [file]})

    assert candidate.facts.notes == ("EG_MU4QwhXUhWf9.json: seeds.ogg should have 49.8 MB, but has 5 bytes.",)
