"""A bad file beside a recording never prevents its import, unless an option names that file."""

import json
import shutil
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from archive import dbtime
from archive.models import Space, User
from tests.support.audio_files import make_tone
from tests.support.ingest_command import Run, make_runner

pytestmark = pytest.mark.usefixtures("committed")

# The end of its second line is invalid.
BROKEN = "WEBVTT\n\n00:00.000 --> 00:00.900\nBeans.\n\n00:02.000 --> 00:x3.000\nPeas.\n"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], alice: User) -> Run:
    ended_at = (dbtime.now() - timedelta(days=1)).isoformat()

    return make_runner(capsys, "--host", "alice", "--ended-at", ended_at)


@pytest.fixture(scope="module")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tone(tmp_path_factory.mktemp("tone") / "tone.ogg", "opus", seconds=1)


@pytest.fixture
def folder(tmp_path: Path, tone: Path) -> Path:
    (tmp_path / "talks").mkdir()
    shutil.copy(tone, tmp_path / "talks" / "talk.ogg")
    return tmp_path / "talks"


@pytest.mark.parametrize("single", [False, True], ids=["folder", "file"])
def test_a_broken_transcript_is_left_out_with_its_reason(run: Run, folder: Path, single: bool) -> None:
    (folder / "talk.vtt").write_text(BROKEN)

    status, out, _ = run(str(folder / "talk.ogg" if single else folder), "--json")

    document = json.loads(out)
    assert (status, Space.objects.get().state) == (0, "available")
    assert not Space.objects.get().transcripts.exists()
    assert document["companions"] == []
    (left_out,) = document["left_out"]
    assert (left_out["file"], left_out["code"]) == ("talk.vtt", "import.transcript_broken")
    assert "line 6" in left_out["problem"]


def test_its_lines_can_be_kept(run: Run, folder: Path) -> None:
    (folder / "talk.vtt").write_text(BROKEN)

    status, out, _ = run(str(folder), "--json", "--lenient-transcript")

    assert (status, len(Space.objects.get().transcripts.get().cues)) == (0, 2)  # both lines have times
    assert json.loads(out)["left_out"] == []


def test_a_named_transcript_must_be_readable(run: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "named.vtt").write_text(BROKEN)
    call = (str(folder), "--json", "--transcript", str(tmp_path / "named.vtt"))

    status, out, _ = run(*call)

    assert status == 1
    assert [(one["file"], one["code"]) for one in json.loads(out)["rejected"]] == [
        ("talk.ogg", "transcript.give_option")
    ]
    assert not Space.objects.exists()

    status, out, _ = run(*call, "--skip-bad-transcript")
    assert (status, Space.objects.get().state) == (0, "available")
    assert json.loads(out)["companions"] == []
    assert [(one["file"], one["code"]) for one in json.loads(out)["left_out"]] == [
        (str(tmp_path / "named.vtt"), "import.transcript_broken")
    ]


def test_a_named_transcript_replaces_the_one_beside_it(run: Run, folder: Path, tmp_path: Path) -> None:
    (folder / "talk.de.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:00.900\nErbsen.\n")
    (tmp_path / "named.vtt").write_text("WEBVTT\nLanguage: en\n\n00:00.000 --> 00:00.900\nPeas.\n")

    status, out, _ = run(str(folder / "talk.ogg"), "--json", "--transcript", str(tmp_path / "named.vtt"))

    document, transcript = json.loads(out), Space.objects.get().transcripts.get()
    assert (status, transcript.cues[0]["text"], transcript.language) == (0, "Peas.", "en")
    assert [one["file"] for one in document["companions"]] == [str(tmp_path / "named.vtt")]
    assert [(one["file"], one["code"]) for one in document["left_out"]] == [("talk.de.vtt", "import.other_transcript")]


@pytest.mark.parametrize("name", ["talk.de.vtt", "other.vtt"])
def test_a_named_transcript_beside_the_recording_has_one_outcome(run: Run, folder: Path, name: str) -> None:
    (folder / name).write_text("WEBVTT\n\n00:00.000 --> 00:00.900\nErbsen.\n")

    status, out, _ = run(str(folder), "--json", "--transcript", str(folder / name))

    document = json.loads(out)
    assert (status, Space.objects.get().transcripts.count()) == (0, 1)
    assert [one["file"] for one in document["companions"]] == [str(folder / name)]
    assert document["left_out"] == []


def test_a_transcript_for_a_recording_that_is_here_already_is_left_out(run: Run, folder: Path) -> None:
    assert run(str(folder))[0] == 0
    (folder / "talk.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:00.900\nPeas.\n")

    status, out, _ = run(str(folder), "--json")

    document = json.loads(out)
    assert (status, Space.objects.get().transcripts.count()) == (0, 0)
    assert document["companions"] == []
    assert [(one["file"], one["code"]) for one in document["left_out"]] == [("talk.vtt", "import.transcript_not_added")]


def test_the_same_recording_twice_has_the_transcript_of_the_first(run: Run, folder: Path) -> None:
    shutil.copy(folder / "talk.ogg", folder / "zalk.ogg")
    (folder / "talk.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:00.900\nPeas.\n")
    (folder / "zalk.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:00.900\nBeans.\n")

    for _ in range(2):
        status, out, _ = run(str(folder), "--json")

        document = json.loads(out)
        assert (status, Space.objects.get().transcripts.get().cues[0]["text"]) == (0, "Peas.")
        assert [one["file"] for one in document["spaces"]] == ["talk.ogg", "zalk.ogg"]
        assert [one["file"] for one in document["companions"]] == ["talk.vtt"]
        assert [(one["file"], one["code"]) for one in document["left_out"]] == [
            ("zalk.vtt", "import.transcript_not_added")
        ]


def test_a_single_file_that_is_refused_is_reported_as_json(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.m4a").write_bytes(b"What we talked about.\n" * 50)

    status, out, err = run(str(tmp_path / "notes.m4a"), "--json")

    document = json.loads(out)
    assert status == 1
    assert err.count("\n") == 1
    assert [(one["file"], one["code"]) for one in document["rejected"]] == [("notes.m4a", "audio.unreadable")]
    assert (document["spaces"], document["companions"], document["left_out"]) == ([], [], [])


def test_documents_that_are_archives_inside_and_midi_are_left_out(run: Run, folder: Path) -> None:
    with zipfile.ZipFile(folder / "minutes.docx", "w") as document:
        document.writestr("[Content_Types].xml", "<Types/>")
    with zipfile.ZipFile(folder / "book.epub", "w") as book:
        book.writestr("mimetype", "application/epub+zip")
    (folder / "tune.mid").write_bytes(b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk" + bytes(40))

    status, out, _ = run(str(folder), "--json")

    assert status == 0
    assert [(one["file"], one["code"]) for one in json.loads(out)["left_out"]] == [
        ("book.epub", "import.document"),
        ("minutes.docx", "import.document"),
        ("tune.mid", "import.unknown_kind"),
    ]


def test_a_document_given_by_itself_is_no_archive(run: Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "minutes.docx", "w") as document:
        document.writestr("[Content_Types].xml", "<Types/>")

    status, out, _ = run(str(tmp_path / "minutes.docx"), "--json")

    assert (status, json.loads(out)["rejected"][0]["code"]) == (1, "audio.unreadable")


@pytest.mark.parametrize("content", [b"[" * 10_000, b'{"data": ', b"\xff\xfe\x00", b'{"egress_id": {"a": 1}}', b""])
def test_bad_metadata_is_left_out(run: Run, folder: Path, content: bytes) -> None:
    (folder / "talk.json").write_bytes(content)

    status, out, _ = run(str(folder), "--json")

    assert (status, Space.objects.get().state) == (0, "available")
    assert [one["file"] for one in json.loads(out)["left_out"]] == ["talk.json"]


def test_a_transcript_that_is_damaged_in_its_archive_is_left_out(run: Run, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "talks.zip"
    words = b"WEBVTT\n\n" + b"".join(b"00:00.%03d --> 00:00.%03d\nBeans.\n\n" % (n, n + 1) for n in range(900))
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(folder / "talk.ogg", "talk.ogg")
        archive.writestr("talk.vtt", words)
    data = bytearray(path.read_bytes())
    data[data.index(b"00:00.899")] = ord("x")  # beyond the bytes that identify its type
    path.write_bytes(data)

    status, out, _ = run(str(path), "--json")

    document = json.loads(out)
    assert (status, Space.objects.get().state) == (0, "available")
    assert [(one["file"], one["code"]) for one in document["left_out"]] == [("talk.vtt", "import.member_damaged")]


def test_the_language_in_a_name_is_kept(run: Run, folder: Path) -> None:
    (folder / "talk.pt-BR.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:00.900\nFeijão.\n")

    status, out, _ = run(str(folder), "--json")

    assert (status, Space.objects.get().transcripts.get().language) == (0, "pt-BR")
    assert json.loads(out)["companions"] == [
        {"file": "talk.pt-BR.vtt", "recording": "talk.ogg", "kind": "transcript", "language": "pt-BR"}
    ]
