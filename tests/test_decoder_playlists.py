"""A playlist is not a recording, whatever its name: no file or address in it is opened."""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import av
import pytest

from archive.errors import Unreadable
from archive.intake.audio.measure import measure
from tests.support.audio_files import make_tone
from tests.support.errors import raises_error

HLS = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:3,\n{}\n#EXT-X-ENDLIST\n"
CONCAT = "ffconcat version 1.0\nfile {}\n"
LISTS = pytest.mark.parametrize(
    ("words", "name"),
    [(HLS, "talk.m4a"), (HLS, "talk.m3u8"), (CONCAT, "talk.m4a")],
    ids=["HLS.m4a", "HLS.m3u8", "concat.m4a"],
)


def refused(path: Path) -> None:
    with raises_error(Unreadable, "audio.unreadable", file=path.name):
        measure(path, longest_seconds=60, step=lambda seconds: None)


def opens(path: Path, form: str) -> bool:
    """Return whether an unrestricted FFmpeg plays the file that the list names."""
    options = {"allowed_extensions": "ALL", "extension_picky": "0", "safe": "0", "protocol_whitelist": "file,http,tcp"}
    with av.open(str(path), format=form, options=options) as container:
        return any(True for _ in container.decode(audio=0))


@LISTS
def test_a_playlist_opens_no_file_beside_it(tmp_path: Path, words: str, name: str) -> None:
    recording, path = make_tone(tmp_path / "other.ts", "ts"), tmp_path / name
    path.write_text(words.format(recording))

    assert opens(path, "hls" if words == HLS else "concat")  # so the list is valid
    refused(path)


@LISTS
def test_a_playlist_opens_no_pipe(tmp_path: Path, words: str, name: str) -> None:
    pipe, path = tmp_path / "pipe.ts", tmp_path / name
    os.mkfifo(pipe)
    path.write_text(words.format(pipe))
    with ThreadPoolExecutor(1) as pool:
        opened: Future[int] = pool.submit(os.open, pipe, os.O_WRONLY)  # returns when somebody opens the other end

        refused(path)

        result = opened.done()
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        os.close(opened.result())
        os.close(reader)
    assert not result


@contextmanager
def visited() -> Iterator[tuple[int, list[str]]]:
    """Start a server on the given port, and yield a list of the requests that it got."""
    visits: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:

        def hang_up_on_everybody() -> None:
            with suppress(OSError):  # only when the server has stopped
                while True:
                    peer, address = server.accept()
                    visits.append(address)
                    peer.close()

        pool.submit(hang_up_on_everybody)
        try:
            yield server.getsockname()[1], visits
        finally:
            server.shutdown(socket.SHUT_RDWR)


@LISTS
@pytest.mark.parametrize("scheme", ["http", "tcp"])
def test_a_playlist_requests_no_server(tmp_path: Path, words: str, name: str, scheme: str) -> None:
    path = tmp_path / name
    with visited() as (port, visits):
        path.write_text(words.format(f"{scheme}://127.0.0.1:{port}/1.ts"))

        refused(path)

    assert visits == []


def test_the_test_server_counts_requests(tmp_path: Path) -> None:
    path = tmp_path / "talk.m3u8"
    with visited() as (port, visits):
        path.write_text(HLS.format(f"http://127.0.0.1:{port}/1.ts"))
        with suppress(av.error.FFmpegError):
            opens(path, "hls")

    assert len(visits) >= 1
