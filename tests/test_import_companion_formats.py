"""A complete or truncated transcript in any format belongs to its recording, whatever its file extension."""

import json
from pathlib import Path

import pytest

from archive.intake.importers import Head, sort_heads, survey
from archive.intake.importers.sniff import SNIFFED_BYTES

OGG = b"OggS\x00\x02" + bytes(60)
ASS = """[Script Info]
ScriptType: v4.00+

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
SEGMENTS = [{"start": n, "end": n + 1, "text": " Beans."} for n in range(400)]
CPP = [{"offsets": {"from": n * 1000, "to": n * 1000 + 900}, "text": " Beans."} for n in range(400)]
PODCAST = [{"startTime": n, "endTime": n + 1, "body": "Beans."} for n in range(400)]


def stamp(second: int, mark: str = ".", hours: str = "00:") -> str:
    return f"{hours}{second // 60:02}:{second % 60:02}{mark}000"


FORMATS: dict[str, str] = {
    "vtt": "WEBVTT\n\n" + "".join(f"{stamp(n)} --> {stamp(n + 1)}\nBeans.\n\n" for n in range(700)),
    "srt": "".join(f"{n}\n{stamp(n, ',')} --> {stamp(n + 1, ',')}\nBeans.\n\n" for n in range(700)),
    "ass": ASS
    + "".join(f"Dialogue: 0,0:{stamp(n)[3:-1]},0:{stamp(n + 1)[3:-1]},Default,,0,0,0,,Beans\n" for n in range(700)),
    "sbv": "".join(f"0:{stamp(n)[3:]},0:{stamp(n + 1)[3:]}\nBeans.\n\n" for n in range(700)),
    "tsv": "start\tend\ttext\n" + "".join(f"{n * 1000}\t{n * 1000 + 900}\tBeans.\n" for n in range(900)),
    "lrc": "".join(f"[{stamp(n, hours='')[:-1]}] Beans.\n" for n in range(1200)),
    "txt": "".join(f"[{stamp(n)[:-4]}] Ida: Beans.\n" for n in range(900)),
    "ttml": '<?xml version="1.0"?>\n<tt xmlns="http://www.w3.org/ns/ttml"><body><div>\n'
    + "".join(f'<p begin="{stamp(n)}" end="{stamp(n + 1)}">Beans.</p>\n' for n in range(400))
    + "</div></body></tt>\n",
    "whisper": json.dumps({"text": "Beans.", "segments": SEGMENTS, "language": "en"}),
    "list": json.dumps(SEGMENTS),
    "cpp": json.dumps({"result": {"language": "en"}, "transcription": CPP}, indent=1),
    "podcast": json.dumps({"version": "1.0.0", "segments": PODCAST}),
}


@pytest.mark.parametrize("form", sorted(FORMATS))
@pytest.mark.parametrize("name", ["talk.json", "talk.ogg.unheard-of"])
def test_in_a_folder(tmp_path: Path, form: str, name: str) -> None:
    (tmp_path / "talk.ogg").write_bytes(OGG)
    (tmp_path / name).write_text(FORMATS[form])

    found = survey(tmp_path)

    assert [(one.file, one.recording, one.kind) for one in found.companions] == [(name, "talk.ogg", "transcript")]
    assert found.left_out == []


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_by_its_first_bytes(form: str) -> None:
    data = FORMATS[form].encode()
    assert len(data) > SNIFFED_BYTES
    heads = [Head("talk.ogg", 66, OGG), Head("talk.vtt", len(data), data[:SNIFFED_BYTES])]

    files, left_out = sort_heads(heads)

    assert [(one.file, one.kind, one.recordings) for one in files] == [
        ("talk.ogg", "recording", ()),
        ("talk.vtt", "transcript", ("talk.ogg",)),
    ]
    assert left_out == []


@pytest.mark.parametrize(
    "content",
    [
        "<!DOCTYPE html><html><body><p>Beans at 00:01</p></body></html>\n",
        '<svg xmlns="http://www.w3.org/2000/svg"></svg>\n',
        json.dumps({"title": "Beans", "chapters": []}),
        json.dumps([{"id": 1}]),
        "start,end,text\n1,2,Beans\n",
        "Bring beans.\n" * 2000,
    ],
)
def test_other_texts_are_no_transcript(tmp_path: Path, content: str) -> None:
    (tmp_path / "talk.ogg").write_bytes(OGG)
    (tmp_path / "talk.txt").write_text(content)

    found = survey(tmp_path)

    assert found.companions == []
    assert [one.file for one in found.left_out] == ["talk.txt"]
