"""The inspection for the upload page of small files and of the first bytes of a recording, with any content."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.intake.importers import inspect

SPACE = {"id": "1ypKdEXvkMLGW", "endedAt": "2026-11-22T20:05:10.250Z", "totalParticipated": "435"}
CLOCK = b'ID3 JSONMetadata {"HydraVersion":4,"ntp":3856965984.391}'


def script(*spaces: object) -> bytes:
    return b"window.YTD.spaces_metadata.part0 = " + json.dumps(spaces).encode()


def test_what_is_found_can_be_sent_as_json() -> None:
    facts = inspect({"space-1ypKdEXvkMLGW.ts": b"ID3", "spaces-metadata.js": script({"id": "2"}, SPACE)})

    assert json.loads(json.dumps(facts.as_json())) == {
        "source": "X data archive",
        "title": "",
        "ended_at": "2026-11-22T20:05:10.250000+00:00",
        "audience": "",
        "cohosts": [],
        "speakers": [],
        "listeners_peak": None,
        "listeners_total": 435,
        "language": "",
        "notes": [],
    }


def test_the_facts_may_come_before_the_recording() -> None:
    assert inspect({"spaces-metadata.js": script(SPACE)}).listeners_total == 435


def test_the_file_name_selects_the_space() -> None:
    facts = inspect({"talk.m4a": b"", "spaces-metadata.js": script(SPACE, {"id": "2"})})

    assert facts.ended_at is None
    assert facts.notes == ("The metadata has 2 Spaces. Name the recording space-<id>.ts to choose one.",)


def test_the_first_bytes_give_the_start_but_no_end() -> None:
    facts = inspect({"space-1ypKdEXvkMLGW.ts": CLOCK + bytes(1000) + CLOCK.replace(b"85984", b"89810")})

    assert facts.ended_at is None
    assert facts.notes[-1] == "By its own clock, the recording began on 22 March 2022, 19:26 UTC."


def test_a_name_may_contain_folders() -> None:
    assert inspect({"data/spaces_media/talk.m4a": b""}).source == "file"


def test_no_files_give_no_facts() -> None:
    assert inspect({}).as_json() | {"source": ""} == {
        "source": "",
        "title": "",
        "ended_at": None,
        "audience": "",
        "cohosts": (),
        "speakers": (),
        "listeners_peak": None,
        "listeners_total": None,
        "language": "",
        "notes": (),
    }


@pytest.mark.parametrize(
    ("name", "data", "note"),
    [
        ("a.json", b"[" * 10_000, "a.json: The JSON is nested too deeply to be read."),
        ("a.json", b'{"a":' * 200_000, "a.json: The JSON is nested too deeply to be read."),
        ("a.json", b'{"ended_at": NaN}', "a.json: The file is not JSON, or its end is missing."),
        ("a.json", b'{"ended_at": ' + b"9" * 10_000 + b"}", "a.json: The file is not JSON, or its end is missing."),
        ("a.json", b"\xff\xfe", "a.json: The file is not JSON, or its end is missing."),
        ("a.json", b"\x00" * 100, "a.json: The file is not JSON, or its end is missing."),
        ("a.json", b'{"data": null}', "a.json: its metadata is of an unknown kind."),
        ("a.json", b" " * (1024**2 + 1), "a.json: it is too large to be inspected here."),
        ("spaces-metadata.js", b"alert(1)", "spaces-metadata.js: The file is not JSON, or its end is missing."),
        ("spaces-metadata.js", script(), "The metadata has 0 Spaces. Name the recording space-<id>.ts"),
    ],
    ids=range(10),
)
def test_unreadable_files_are_reported(name: str, data: bytes, note: str) -> None:
    facts = inspect({name: data, "talk.m4a": b""})

    assert facts.ended_at is None
    assert len(facts.notes) == 1
    assert facts.notes[0].startswith(note)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = ["rest_id", "title", "ended_at", "state", "conversation_controls", "total_live_listeners", "creator_results"]
KEYS += ["language"]


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, ANYTHING)),
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(["admins", "speakers"], st.lists(ANYTHING, max_size=4) | ANYTHING)
    ),
)
def test_no_values_of_x_are_an_error(metadata: dict[str, Any], participants: dict[str, Any]) -> None:
    answer = {"data": {"audioSpace": {"metadata": metadata, "participants": participants}}}

    facts = inspect(
        {"talk.json": json.dumps(answer, allow_nan=False, default=str).encode() if _finite(answer) else b""}
    )

    assert len(facts.title) <= 300
    assert facts.ended_at is None or facts.ended_at.tzinfo is not None
    json.dumps(facts.as_json()).encode()


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["egress_id", "ended_at", "room_name", "status", "file", "files"]), ANYTHING))
def test_no_values_of_livekit_are_an_error(result: dict[str, Any]) -> None:
    given_name = {"egress_id": "EG_1", "file_results": [{"filename": "talk.ogg"}]}

    facts = inspect({"talk.ogg": b"", "EG_1.json": json.dumps(given_name | result).encode()})

    json.dumps(facts.as_json()).encode()


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=20), st.binary(max_size=60), max_size=4))
def test_no_names_and_no_bytes_are_an_error(files: dict[str, bytes]) -> None:
    json.dumps(inspect(files).as_json()).encode()


def _finite(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True
