"""Which files beside a recording are its transcript, with names as whisper.cpp, yt-dlp and others write them."""

import unicodedata
import zipfile
from pathlib import Path

import pytest

from archive.intake.importers import survey

VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nBeans.\n"
OGG = b"OggS\x00\x02" + bytes(60)


def make(folder: Path, *names: str, data: bytes = VTT) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(OGG if name.endswith((".ogg", ".mp3")) else data)
    return folder


def transcripts(path: Path, language: str = "") -> list[tuple[str, str, str]]:
    return [(one.file, one.recording, one.language) for one in survey(path, language).companions]


def reasons(path: Path, language: str = "") -> dict[str, str]:
    return {one.file: one.problem["code"] for one in survey(path, language).left_out}


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("talk.vtt", ""),
        ("talk.ogg.vtt", ""),  # whisper.cpp
        ("talk.wav.srt", ""),  # made from another copy of the recording
        ("talk.en.vtt", "en"),  # yt-dlp
        ("talk.en-orig.srt", "en"),
        ("talk.pt-BR.vtt", "pt-BR"),
        ("talk.zh-Hans.vtt", "zh-Hans"),
        ("talk.fil.vtt", "fil"),
        ("talk.ogg.en.vtt", "en"),
        ("talk.de.transcript.vtt", "de"),
        ("talk_cc.jsonl", ""),
        ("talk CC.jsonl", ""),
        ("talk.transcript.srt", ""),
        ("TALK.VTT", ""),
        ("talk.txt", ""),
        ("talk", ""),  # without an extension the content decides
        ("talk.ogg.unheard-of", ""),
    ],
)
def test_the_name_may_go_on(tmp_path: Path, name: str, language: str) -> None:
    place = make(tmp_path / "talks", "talk.ogg", "other.ogg", name)

    assert transcripts(place) == [(name, "talk.ogg", language)]
    assert reasons(place) == {}


@pytest.mark.parametrize("name", ["talks.vtt", "talk.part2.vtt", "talk.hd.vtt", "my talk.vtt", "talk2.vtt", "tal.vtt"])
def test_a_name_that_goes_on_otherwise_is_another_name(tmp_path: Path, name: str) -> None:
    place = make(tmp_path / "talks", "talk.ogg", name)

    assert transcripts(place) == []
    assert reasons(place) == {name: "import.transcript_alone"}


def test_the_longest_name_of_a_recording_counts(tmp_path: Path) -> None:
    place = make(tmp_path / "talks", "talk.ogg", "talk.en.ogg", "talk.en.vtt", "talk.vtt")

    assert transcripts(place) == [("talk.en.vtt", "talk.en.ogg", ""), ("talk.vtt", "talk.ogg", "")]


def test_two_copies_of_a_recording_share_its_transcript(tmp_path: Path) -> None:
    place = make(tmp_path / "talks", "talk.ogg", "talk.mp3", "talk.vtt", "talk.mp3.vtt")

    assert transcripts(place) == [("talk.mp3.vtt", "talk.mp3", ""), ("talk.vtt", "talk.ogg", "")]


@pytest.mark.parametrize(
    ("names", "language", "chosen"),
    [
        (["talk.de.vtt", "talk.en-orig.vtt", "talk.fr.vtt"], "", "talk.en-orig.vtt"),
        (["talk.de.vtt", "talk.en-orig.vtt", "talk.fr.vtt"], "fr", "talk.fr.vtt"),
        (["talk.de.vtt", "talk.en-orig.vtt"], "fr-CA", "talk.en-orig.vtt"),
        (["talk.de.vtt", "talk.en.vtt"], "", "talk.de.vtt"),  # nothing distinguishes them: the first by name
        (["talk.vtt", "talk.de.vtt"], "", "talk.vtt"),
        (["talk.vtt", "talk.de.vtt"], "de", "talk.de.vtt"),
        (["talk.srt", "talk.vtt", "talk.jsonl"], "", "talk.vtt"),
        (["talk.ass", "talk.srt"], "", "talk.srt"),
    ],
)
def test_of_several_one_is_chosen_and_the_others_are_named(
    tmp_path: Path, names: list[str], language: str, chosen: str
) -> None:
    place = make(tmp_path / "talks", "talk.ogg", *names)

    assert [file for file, _, _ in transcripts(place, language)] == [chosen]
    assert reasons(place, language) == dict.fromkeys(set(names) - {chosen}, "import.other_transcript")


def test_a_file_that_is_no_transcript_is_passed_over(tmp_path: Path) -> None:
    place = make(tmp_path / "talks", "talk.ogg", "talk.srt")
    make(place, "talk.vtt", data=b"\xff\xd8\xff\xe0 a picture")
    make(place, "talk.txt", data=b"Bring beans.\n")

    assert transcripts(place) == [("talk.srt", "talk.ogg", "")]
    assert reasons(place) == {"talk.vtt": "import.picture", "talk.txt": "transcript.unknown_format"}


def test_a_transcript_in_another_encoding_is_named_with_its_reason(tmp_path: Path) -> None:
    place = make(tmp_path / "talks", "talk.ogg")
    make(place, "talk.srt", data="1\n00:00:00,000 --> 00:00:01,000\nGrüße\n".encode("cp1252"))

    assert transcripts(place) == []
    assert reasons(place) == {"talk.srt": "transcript.not_utf8"}


NAME = "Grüße aus Łódź, Ида"


@pytest.mark.parametrize(("of_sound", "of_transcript"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFKD", "NFC")])
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "ZIP archive"])
def test_names_are_compared_in_any_normalization(
    tmp_path: Path, of_sound: str, of_transcript: str, packed: bool
) -> None:
    sound = unicodedata.normalize(of_sound, f"{NAME}.ogg")  # type: ignore[arg-type]
    transcript = unicodedata.normalize(of_transcript, f"{NAME.upper()}.EN.vtt")  # type: ignore[arg-type]
    place = make(tmp_path / "talks", sound, transcript)
    if packed:
        with zipfile.ZipFile(tmp_path / "talks.zip", "w") as archive:
            for file in place.iterdir():
                archive.write(file, file.name)
        place = tmp_path / "talks.zip"

    assert transcripts(place) == [(transcript, sound, "en")]


def test_a_single_file_finds_its_transcript_too(tmp_path: Path) -> None:
    place = make(tmp_path / "talks", "talk.ogg", "talk.mp3", "talk.ogg.en.vtt", "other.vtt")
    make(place, "talk.jpg", data=b"\xff\xd8\xff\xe0")

    assert transcripts(place / "talk.ogg") == [("talk.ogg.en.vtt", "talk.ogg", "en")]
    assert reasons(place / "talk.ogg") == {}  # only files that were given, and their transcripts
