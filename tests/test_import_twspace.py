"""twspace-dl: an m4a with X's own metadata of the Space beside it."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive.intake.importers import Facts, find

NAME = "(Nora)Seeds and beans-1ypKdEXvkMLGW"


def person(number: str, account: str, name: str) -> dict[str, Any]:
    return {
        "periscope_user_id": f"p{number}",
        "start": 1795372810000,
        "twitter_screen_name": account,
        "display_name": name,
        "is_muted_by_admin": False,
        "user_results": {"rest_id": number, "result": {"__typename": "User"}},
        "user": {"rest_id": number},
    }


ANSWER: dict[str, Any] = {
    "data": {
        "audioSpace": {
            "metadata": {
                "rest_id": "1ypKdEXvkMLGW",
                "state": "Ended",
                "title": "Seeds and beans",
                "media_key": "28_1641872499875930112",
                "created_at": 1795372800000,
                "started_at": 1795372810000,
                "ended_at": "1795377910250",
                "updated_at": 1795377999000,
                "is_space_available_for_replay": True,
                "conversation_controls": 1,
                "total_replay_watched": 1291,
                "total_live_listeners": 435,
                "language": "en",
                "creator_results": {"result": {"rest_id": "12497", "legacy": {"name": "Nora", "screen_name": "nora"}}},
            },
            "participants": {
                "total": 7,
                "admins": [person("12497", "nora", "Nora"), person("2", "felix", "Felix")],
                "speakers": [person("3", "ida", "Ida"), person("4", "jo", ""), person("2", "felix", "Felix")],
                "listeners": [person("5", "zoe", "Zoe")],
            },
        }
    }
}


def changed(**metadata: Any) -> dict[str, Any]:
    answer = deepcopy(ANSWER)
    answer["data"]["audioSpace"]["metadata"] |= metadata
    return answer


def facts(folder: Path, answer: object, *, json_name: str = f"{NAME}.json") -> Facts:
    (folder / f"{NAME}.m4a").write_bytes(b"sound")
    (folder / json_name).write_text(json.dumps(answer))
    (candidate,) = find(folder)
    return candidate.facts


def test_metadata_of_x_is_found(tmp_path: Path) -> None:
    assert facts(tmp_path, ANSWER) == Facts(
        source="twspace-dl",
        title="Seeds and beans",
        ended_at=datetime(2026, 11, 22, 20, 5, 10, 250_000, tzinfo=UTC),
        audience="followed",
        cohosts=("Felix",),
        speakers=("Ida", "jo"),
        listeners_total=435,
        language="en",
    )


@pytest.mark.parametrize(
    ("number", "audience"),
    [(0, "invited"), (1, "followed"), (2, "everyone"), (3, ""), ("2", ""), (True, ""), (None, "")],
)
def test_who_could_talk(tmp_path: Path, number: object, audience: str) -> None:
    assert facts(tmp_path, changed(conversation_controls=number)).audience == audience


def test_a_missing_end_stays_missing(tmp_path: Path) -> None:
    """`updated_at`, `started_at` and the file's date are not used as the end."""
    candidate = facts(tmp_path, changed(ended_at=None, state="Running"))

    assert candidate.ended_at is None
    assert candidate.notes == (
        f"{NAME}.json: it doesn't say when the Space ended (ended_at is missing).",
        f"{NAME}.json: it was written while the Space was live.",
    )


def test_the_id_in_its_name_is_enough(tmp_path: Path) -> None:
    (tmp_path / "other.m4a").write_bytes(b"sound")
    (tmp_path / f"{NAME}.m4a").write_bytes(b"sound")
    (tmp_path / "metadata.json").write_text(json.dumps(ANSWER))

    candidate = {one.name: one.facts.title for one in find(tmp_path)}

    assert candidate == {"other.m4a": "", f"{NAME}.m4a": "Seeds and beans"}


def test_a_single_metadata_file_matches_a_single_recording(tmp_path: Path) -> None:
    (tmp_path / "talk.m4a").write_bytes(b"sound")
    (tmp_path / "metadata.json").write_text(json.dumps(ANSWER))

    (candidate,) = find(tmp_path)

    assert candidate.facts.title == "Seeds and beans"


def test_more_than_there_are_seats(tmp_path: Path) -> None:
    answer = deepcopy(ANSWER)
    answer["data"]["audioSpace"]["participants"]["speakers"] = [person(f"9{n}", f"s{n}", f"S{n}") for n in range(13)]

    candidate = facts(tmp_path, answer)

    assert candidate.speakers == ("S0", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9")
    assert candidate.notes == (f"{NAME}.json: 3 speakers beyond the first 10 were left out.",)


def test_names_are_cleaned(tmp_path: Path) -> None:
    candidate = facts(tmp_path, changed(title="Se\x00eds\n and \ud800beans " + "x" * 500))

    assert candidate.title.startswith("Seeds and beans xxx")
    assert len(candidate.title) == 300


@pytest.mark.parametrize("count", [-1, "many", True, 1.5, [], 2**70])
def test_an_invalid_listener_count_is_ignored(tmp_path: Path, count: object) -> None:
    candidate = facts(tmp_path, changed(total_live_listeners=count))

    assert candidate.listeners_total is None
    assert "its total_live_listeners is " in candidate.notes[0]


@pytest.mark.parametrize("captions", [f"{NAME}_cc.jsonl", f"{NAME} CC.jsonl", f"{NAME}.vtt", f"{NAME}.transcript.srt"])
def test_captions_beside_it_are_its_transcript(tmp_path: Path, captions: str) -> None:
    (tmp_path / captions).write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nwords\n")
    (tmp_path / "somebody else_cc.jsonl").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nwords\n")
    (tmp_path / f"{NAME}.m4a").write_bytes(b"sound")

    (candidate,) = find(tmp_path)

    assert candidate.transcript == captions


def test_a_podcasting_transcript_beside_it_is_found(tmp_path: Path) -> None:
    (tmp_path / "talk.json").write_text('{"version": "1.0.0", "segments": []}')
    (tmp_path / "talk.m4a").write_bytes(b"sound")

    (candidate,) = find(tmp_path)

    assert candidate.transcript == "talk.json"
