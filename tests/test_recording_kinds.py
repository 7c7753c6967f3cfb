"""The original gets a name and a content type that fit its content, in downloads, bundles and pages."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import av
import pytest
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from archive.intake.audio.measure import measure
from archive.intake.ingest import ingest
from archive.intake.request import Request
from archive.models import User
from tests.support.audio_files import make_tone
from tests.support.http_clients import make_client

DAY = 24 * 3600


def make_film(path: Path, container: str, video: str, audio: str, options: dict[str, str] | None = None) -> Path:
    """Write a second of sound with five gray pictures."""
    with av.open(str(path), "w", format=container, options=options or {}) as out:
        pictures, sound = out.add_stream(video, rate=5), out.add_stream(audio, rate=48_000)
        assert isinstance(pictures, VideoStream)
        assert isinstance(sound, AudioStream)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound.layout = "mono"
        for number in range(5):
            picture = av.VideoFrame(64, 48, "yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 5)
            out.mux(pictures.encode(picture))
        tone = make_tone(path.with_suffix(".tone"), "wav", seconds=1)
        with av.open(str(tone)) as source:
            resampler = av.AudioResampler(sound.codec_context.format.name, "mono", 48_000, sound.frame_size or 1024)
            for frame in source.decode(audio=0):
                for ready in resampler.resample(frame):
                    out.mux(sound.encode(ready))
        out.mux(pictures.encode(None))
        out.mux(sound.encode(None))
    return path


FILMS = {
    "mkv": ("matroska", "mpeg4", "aac", "mkv", "video/matroska"),
    "webm": ("webm", "libvpx", "libopus", "webm", "video/webm"),
    "mp4": ("mp4", "mpeg4", "aac", "mp4", "video/mp4"),
    "mov": ("mov", "mpeg4", "aac", "mov", "video/quicktime"),
    "3gp": ("3gp", "mpeg4", "aac", "3gp", "video/3gpp"),
    "3g2": ("3g2", "mpeg4", "aac", "3g2", "video/3gpp2"),
}


@pytest.mark.parametrize("name", FILMS)
def test_a_film_is_named_as_one(tmp_path: Path, name: str) -> None:
    container, video, audio, extension, content_type = FILMS[name]
    path = make_film(tmp_path / "anything.m4a", container, video, audio)

    analysis = measure(path, longest_seconds=DAY, step=lambda seconds: None, access_copy=tmp_path / "copy")

    assert (analysis.measured.extension, analysis.measured.content_type) == (extension, content_type)
    assert analysis.access_copy_reason in ("audio.copy_tracks", "audio.copy_codec")


@pytest.mark.parametrize(
    ("kind", "extension", "content_type", "reason"),
    [
        ("mkv", "mka", "audio/matroska", "audio.copy_container"),
        ("mov", "mov", "video/quicktime", "audio.copy_container"),
        ("3gp", "3gp", "audio/3gpp", "audio.copy_container"),
        ("alac", "m4a", "audio/mp4", "audio.copy_codec"),
        ("webm", "webm", "audio/webm", ""),
    ],
)
def test_sound_alone_has_the_type_of_its_container(
    tmp_path: Path, kind: str, extension: str, content_type: str, reason: str
) -> None:
    path = make_tone(tmp_path / "anything.webm", kind, seconds=1)

    analysis = measure(path, longest_seconds=DAY, step=lambda seconds: None, access_copy=tmp_path / "copy")

    assert (analysis.measured.extension, analysis.measured.content_type) == (extension, content_type)
    assert analysis.access_copy_reason == reason


@pytest.mark.usefixtures("bucket")
def test_a_film_is_downloaded_under_its_name_and_played_as_its_copy(
    talk: Callable[..., Request], alice: User, tmp_path: Path
) -> None:
    film = make_film(tmp_path / "obs.mkv", "matroska", "mpeg4", "aac")
    space = ingest(replace(talk(), recording=film)).space

    def answer(name: str) -> dict[str, list[str]]:
        return parse_qs(urlsplit(make_client(alice).get(f"/spaces/{space.pk}/{name}")["Location"]).query)

    download, played = answer("recording"), answer("audio")
    assert space.recordings.get().key == f"spaces/{space.pk}/recording/1.mkv"
    assert download["response-content-type"] == ["video/matroska"]
    assert f'filename="Beans-{space.ended_at:%Y-%m-%d}.mkv"' in download["response-content-disposition"][0]
    assert played["response-content-type"] == ["audio/mp4"]
