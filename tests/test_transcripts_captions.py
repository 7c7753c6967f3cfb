"""Import captions of X as twspace-crawler saves them (SpaceCaptionsDownloader.ts), with the fields of the message in
issue 3 of HoloArchivists/twspace-dl."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from archive.cues import Cue
from archive.errors import Unreadable
from archive.intake.transcripts import parse

FROM_FIRST = "Captions contain times of day. They were counted from the first message in the file."


def message(
    at: str, body: str, *, name: str = "Nora 🌱", final: bool | None = True, type: int = 45, **more: Any
) -> str:
    inner = {
        "body": body,
        "displayName": name,
        "final": final,
        "ntpForBroadcasterFrame": 16525717854109876000,
        "ntpForLiveFrame": 16525717854109876000,
        "participant_index": 331604841,
        "programDateTime": f"2021-12-05T{at}Z",
        "remoteID": "1drjeApYGlyjb",
        "timestamp": 1638704725994,
        "twitter_id": "1136997146723356673",
        "type": type,
        "user_id": "1drjeApYGlyjb",
        "username": "nora_beans",
        "uuid": "6bbae592-a377-4934-a45f-4bde073402e2",
        "v": 2,
    }
    payload = {
        "room": "1MnGnkoQROMJO",
        "body": json.dumps({key: value for key, value in (inner | more).items() if value is not None}),
        "lang": "",
        "sender": {"user_id": "1drjeApYGlyjb", "username": "nora_beans", "participant_index": 331604841},
        "timestamp": 1638704726014406000,
        "uuid": "6bbae592-a377-4934-a45f-4bde073402e2",
    }
    return json.dumps({"kind": 1, "payload": json.dumps(payload), "signature": "s"})


JOINED = json.dumps({"kind": 2, "payload": json.dumps({"kind": 1, "sender": {"user_id": "1"}}), "signature": "s"})
TALK = "\n".join(
    [
        message("11:45:20.000", "hello all", type=1, final=True, name="A Listener"),
        JOINED,
        message("11:45:24.000", "good", final=False),
        message("11:45:25.000", "good eve", final=False),
        message("11:45:26.500", "Good evening."),
        "",
        message("11:45:27.000", "Beans or peas?", name="Felix"),
        message("11:45:26.800", "❤", type=2, final=None),
    ]
)


def test_only_final_captions_are_read() -> None:
    parsed = parse(TALK.encode(), "space_cc.jsonl")

    assert parsed.cues == [
        Cue(4000, 6500, "Nora 🌱", "Good evening."),
        Cue(6020, 7000, "Felix", "Beans or peas?"),  # no draft: 14 characters before its end
    ]
    assert parsed.notes == [FROM_FIRST]


def test_counted_from_when_the_recording_began() -> None:
    parsed = parse(TALK.encode(), began=datetime(2021, 12, 5, 11, 45, 25, tzinfo=UTC))

    assert [(cue.start_ms, cue.end_ms) for cue in parsed.cues] == [(0, 1500), (1020, 2000)]
    assert parsed.notes == []


def test_captions_from_before_the_recording_are_put_at_its_beginning() -> None:
    began = datetime(2021, 12, 5, 11, 45, 26, 800_000, tzinfo=UTC)

    parsed = parse(TALK.encode(), began=began)

    assert parsed.cues == [Cue(0, 100, "Nora 🌱", "Good evening."), Cue(0, 200, "Felix", "Beans or peas?")]
    assert [(note["code"], note["params"]["count"]) for note in parsed.problems] == [("transcript.before_recording", 1)]


@pytest.mark.parametrize("began", [datetime(2021, 12, 5, 12, 45, 25, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)])
def test_a_clock_that_has_nothing_to_do_with_the_recording_is_not_used(began: datetime) -> None:
    parsed = parse(TALK.encode(), began=began)

    assert [(cue.start_ms, cue.end_ms) for cue in parsed.cues] == [(4000, 6500), (6020, 7000)]
    assert [note["code"] for note in parsed.problems] == ["transcript.other_clock"]


def test_one_speaker_does_not_overlap_themself_nor_begin_before_the_recording() -> None:
    text = "\n".join([message("10:00:00.100", "a" * 500), message("10:00:01.000", "b" * 500)])

    parsed = parse(text.encode(), began=datetime(2021, 12, 5, 10, tzinfo=UTC)).cues

    assert [(cue.start_ms, cue.end_ms) for cue in parsed] == [(0, 100), (100, 1000)]


def test_an_old_draft_does_not_set_the_start() -> None:
    text = "\n".join([message("10:00:00", "a", final=False), message("11:00:00", "Beans", name="Nora 🌱")])

    assert parse(text.encode()).cues == [Cue(3_599_650, 3_600_000, "Nora 🌱", "Beans")]


def test_without_a_stream_position_the_send_time_counts() -> None:
    text = "\n".join(
        [
            message("", "Beans", programDateTime="yesterday", timestamp=1638704725994, displayName=" "),
            message("", "Peas", programDateTime=None, timestamp=None),
        ]
    )

    parsed = parse(text.encode(), began=datetime(2021, 12, 5, 11, 45, 25, tzinfo=UTC))

    assert parsed.cues == [Cue(644, 994, "nora_beans", "Beans"), Cue(734, 1014, "Nora 🌱", "Peas")]


def test_decoded_messages_are_read_too() -> None:
    text = (
        '{"kind": 1, "payload": {"body": {"final": true, "body": "Hi", "username": "ida", "timestamp": 1638704725994}}}'
    )

    assert parse(text.encode()).cues == [Cue(0, 140, "ida", "Hi")]


def test_broken_lines_are_named() -> None:
    text = "\n".join(
        [
            TALK,
            "{}",
            "[1]",
            '{"kind": 1, "payload": "{"}',
            message("x", "Beans", timestamp=None).replace("1638704726014406000", "10e99"),
            '{"kind": 1, "payl',
        ]
    )

    with pytest.raises(Unreadable) as refused:
        parse(text.encode(), "space_cc.jsonl")

    assert str(refused.value) == (
        "space_cc.jsonl: 2 of its lines can be used, 4 can't: line 10: it is not a message of a Space's chat; "
        "line 11: it is not a message of a Space's chat; line 12: its time can't be read; "
        "line 13: it is not a message of a Space's chat. "
        "Nothing was saved. Correct the file and upload it again, or keep the other lines."
    )
    assert len(parse(text.encode(), lenient=True).cues) == 2
