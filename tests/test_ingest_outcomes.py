"""`manage.py ingest` reports every file of a folder and of a ZIP archive, in text and as JSON."""

import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from archive import dbtime
from archive.models import Space, User
from tests.support.audio_files import make_tone
from tests.support.ingest_command import Run, make_runner

pytestmark = pytest.mark.usefixtures("committed")

VTT = "WEBVTT\n\n00:00.000 --> 00:00.900\n<v Ida>Beans.\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256))
# Files that are not recordings, each of another kind.
OTHERS: dict[str, bytes] = {
    "a.ogg.vtt": VTT.encode(),
    "b.en.srt": b"1\n00:00:00,000 --> 00:00:00,900\nPeas.\n",
    "b.de.srt": b"1\n00:00:00,000 --> 00:00:00,900\nErbsen.\n",
    "cover.jpg": JPEG,
    "slides.pdf": b"%PDF-1.7\n" + bytes(range(256)),
    "stranger.vtt": VTT.encode(),
    "notes.txt": b"Bring beans and peas.\n",
    "settings.json": b'{"volume": 11}',
    "a.info.json": b'{"title": ',
    "old.zip": b"PK\x03\x04" + bytes(100),
    "setup.exe": b"MZ\x90\x00" + bytes(range(256)),
    "nothing.dat": b"",
    "noise.bin": bytes(range(256)) * 4,
    ".DS_Store": b"\x00\x00\x00\x01Bud1",
    "cut.m4a": b"\x00\x00\x00\x1cftypM4A ",
}
LEFT_OUT = [
    (".DS_Store", "import.hidden"),
    ("a.info.json", "import.not_json"),
    ("b.en.srt", "import.other_transcript"),
    ("cover.jpg", "import.picture"),
    ("noise.bin", "import.unknown_kind"),
    ("notes.txt", "import.text"),
    ("nothing.dat", "import.empty"),
    ("old.zip", "import.nested_archive"),
    ("settings.json", "import.unknown_metadata"),
    ("setup.exe", "import.program"),
    ("slides.pdf", "import.document"),
    ("stranger.vtt", "import.transcript_alone"),
]
COMPANIONS = [("a.ogg.vtt", "a.ogg", "transcript", ""), ("b.de.srt", "b.webm", "transcript", "de")]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], alice: User) -> Run:
    ended_at = (dbtime.now() - timedelta(days=1)).isoformat()

    return make_runner(capsys, "--host", "alice", "--ended-at", ended_at)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with twenty kinds of file: five recordings, one of them truncated, and the files in OTHERS."""
    place = tmp_path / "handed over"
    place.mkdir()
    for name, kind in (("a.ogg", "opus"), ("b.webm", "webm"), ("c", "mkv"), ("d.mov", "mov"), ("e.bin", "3gp")):
        make_tone(place / name, kind, seconds=1)
    for name, data in OTHERS.items():
        (place / name).write_bytes(data)
    return place


@pytest.fixture(params=["folder", "ZIP archive"])
def given(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Path:
    if request.param == "folder":
        return folder
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    return tmp_path / "all.zip"


def test_each_of_twenty_kinds_of_file_has_an_outcome(run: Run, given: Path) -> None:
    status, out, _ = run(str(given), "--language", "de", "--json")

    document = json.loads(out)
    assert status == 1
    assert sorted(one["file"] for one in document["spaces"]) == ["a.ogg", "b.webm", "c", "d.mov", "e.bin"]
    assert [(one["file"], one["code"]) for one in document["rejected"]] == [("cut.m4a", "audio.unreadable")]
    assert [tuple(one.values()) for one in document["companions"]] == COMPANIONS
    assert [(one["file"], one["code"]) for one in document["left_out"]] == LEFT_OUT
    assert all(one["problem"] and one["count"] == 1 for one in document["left_out"])
    assert len(document["spaces"]) + len(document["rejected"]) + len(COMPANIONS) + len(LEFT_OUT) == 20
    assert Space.objects.count() == 5


def test_the_text_has_a_line_for_each_file(run: Run, folder: Path) -> None:
    status, out, err = run(str(folder))

    lines = [line for line in err.splitlines() if "copy was made" not in line]  # a note in addition to the outcome
    assert status == 1
    assert sorted(out.split()) == sorted(str(space.pk) for space in Space.objects.all())
    for name in ("a.ogg", "b.webm", "c", "d.mov", "e.bin"):
        assert f"{name}: accepted." in lines
    assert "a.ogg.vtt: transcript of a.ogg." in lines
    assert "b.de.srt: transcript of b.webm (de)." in lines
    assert "cover.jpg: left out. It is a picture." in lines
    assert [line for line in lines if line.startswith("cut.m4a: refused.")]
    assert lines[-1] == "CommandError: 1 of 6 recordings were refused: see above."
    assert len(lines) == 20 + 1


def test_a_repeated_command_reports_the_same(run: Run, folder: Path) -> None:
    for name in ("b.webm", "c", "d.mov", "e.bin"):
        (folder / name).unlink()
    _, first, _ = run(str(folder), "--json")

    _, second, _ = run(str(folder), "--json")

    before, after = json.loads(first), json.loads(second)
    assert [(one["id"], one["created"]) for one in before["spaces"]] == [(str(Space.objects.get().pk), True)]
    assert [(one["id"], one["created"]) for one in after["spaces"]] == [(str(Space.objects.get().pk), False)]
    assert [after[name] for name in ("rejected", "companions", "left_out")] == [
        before[name] for name in ("rejected", "companions", "left_out")
    ]


def test_files_named_one_by_one_are_accounted_for_too(run: Run, folder: Path) -> None:
    """A shell expands * without hidden files. Possible audio is decoded, and the archive is opened."""
    files = sorted(str(file) for file in folder.iterdir() if file.name[0] != ".")

    status, out, _ = run(*files, "--dry-run", "--json")

    document = json.loads(out)
    assert status == 1
    assert [one["file"].removeprefix(f"{folder}/") for one in document["spaces"]] == [
        *("a.ogg", "b.webm", "c", "cut.m4a", "d.mov", "e.bin", "noise.bin", "nothing.dat"),
    ]
    assert [(one["file"], one["code"]) for one in document["rejected"]] == [(f"{folder}/old.zip", "import.zip_damaged")]
    assert [(one["file"].removeprefix(f"{folder}/"), one["code"]) for one in document["left_out"]] == [
        (name, code) for name, code in LEFT_OUT if name not in (".DS_Store", "noise.bin", "nothing.dat", "old.zip")
    ]


def test_a_dry_run_has_the_same_lists(run: Run, given: Path) -> None:
    status, out, _ = run(str(given), "--dry-run", "--language", "de", "--json")

    document = json.loads(out)
    assert status == 0
    assert [tuple(one.values()) for one in document["companions"]] == COMPANIONS
    assert [(one["file"], one["code"]) for one in document["left_out"]] == LEFT_OUT
    assert not Space.objects.exists()


def test_a_folder_without_a_recording_lists_its_files(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cover.jpg").write_bytes(JPEG)

    status, out, err = run(str(tmp_path / "pictures"))

    assert (status, out) == (1, "")
    assert err.splitlines()[0] == "cover.jpg: left out. It is a picture."
    assert err.splitlines()[1].startswith("CommandError: pictures: It contains no recording")


def test_a_damaged_archive_does_not_stop_the_others(run: Run, tmp_path: Path) -> None:
    (tmp_path / "half.zip").write_bytes(b"PK\x03\x04" + bytes(50))
    (tmp_path / "talks").mkdir()
    make_tone(tmp_path / "talks" / "a.ogg", "opus", seconds=1)

    status, out, _ = run(str(tmp_path / "half.zip"), str(tmp_path / "talks"), "--json")

    document = json.loads(out)
    assert status == 1
    assert [one["file"] for one in document["spaces"]] == [f"{tmp_path}/talks/a.ogg"]
    assert [(one["file"], one["code"]) for one in document["rejected"]] == [
        (f"{tmp_path}/half.zip", "import.zip_damaged")
    ]
