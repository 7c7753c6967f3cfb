"""Play recordings in a browser, seek in them, and record the sound after each seek."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from tests.corpus.signals import Samples, find_offset
from tests.support.http_server import serve

RATE = 8000  # Hz
BLOCKS = 12  # of 256 samples: 0.38 s
NEIGHBORHOOD = 1.0  # seconds around the expected place in which the recorded sound is searched

# Records from the first sound after each seek. All files play at the same time, each with its own recorder.
PLAY = """
async ([files, blocks]) => {
  const context = window.context ??= new AudioContext({sampleRate: 8000});
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const limited = (promise, ms) => Promise.race([promise, pause(ms).then(() => "late")]);
  await limited(context.resume(), 2000);
  const play = async ([url, places]) => {
    const audio = new Audio();
    audio.crossOrigin = "anonymous";
    const until = (name) => limited(new Promise((resolve) => {
      audio.addEventListener(name, () => resolve(name), {once: true});
      audio.addEventListener("error", () => resolve("error"), {once: true});
    }), 10000);
    const loaded = until("loadedmetadata");
    audio.src = url;
    const result = {loaded: await loaded, duration: audio.duration, pieces: []};
    const tap = context.createScriptProcessor(256, 1, 1);
    let heard = null;
    tap.onaudioprocess = (event) => heard?.push(Array.from(event.inputBuffer.getChannelData(0)));
    const source = context.createMediaElementSource(audio);
    source.connect(tap).connect(context.destination);
    for (const place of audio.error ? [] : places) {
      const seeked = until("seeked");
      audio.currentTime = place;
      const how = await seeked;
      heard = [];
      audio.play().catch(() => {});
      const isSilent = (block) => !block.some((sample) => Math.abs(sample) > 1e-4);
      for (let wait = 0; wait < 250 && !audio.error && !audio.ended; wait += 1) {
        while (heard.length && isSilent(heard[0])) heard.shift();
        if (heard.length >= blocks) break;
        await pause(20);
      }
      audio.pause();
      const samples = heard.slice(0, blocks).flat();
      heard = null;
      const first = Math.max(0, samples.findIndex((sample) => Math.abs(sample) > 1e-4));
      result.pieces.push([place, how, samples.slice(first).map((sample) => Math.round(sample * 32767))]);
      if (audio.error) break;
      await pause(50);
    }
    result.error = audio.error?.message ?? "";
    source.disconnect();
    tap.disconnect();
    audio.removeAttribute("src");
    audio.load();
    return result;
  };
  return Promise.all(files.map(play));
}
"""


class _Handler(BaseHTTPRequestHandler):
    """Serve files with range requests, as an object store does, and an empty page at any other path."""

    protocol_version = "HTTP/1.1"
    files: dict[str, tuple[Path, str]]  # by path of the address: file and content type

    def do_GET(self) -> None:
        path, kind = self.files.get(self.path, (None, "text/html"))
        data = path.read_bytes() if path else b"<!doctype html><title>Playback</title>"
        start, end = 0, len(data) - 1
        asked = self.headers.get("Range")
        if asked:
            first, last = asked.removeprefix("bytes=").split("-")
            start, end = int(first), min(end, int(last or end))
        self.send_response(206 if asked else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(end - start + 1))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
        self.end_headers()
        with suppress(ConnectionError):  # the browser has read enough
            self.wfile.write(data[start : end + 1])

    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True)
class Playback:
    """The result of a file in a browser: its duration in seconds, an error, and one recorded sound for each seek."""

    duration: float
    error: str
    pieces: list[tuple[float, str, Samples]]  # target of the seek, "seeked" or another event, first sound

    def differences(self, expected: Samples) -> list[float]:
        """Return, for each seek, where the browser's sound is in `expected` (at RATE) minus the target of the seek."""
        return [_difference(place, piece, expected) for place, _, piece in self.pieces]


def _difference(place: float, piece: Samples, expected: Samples) -> float:
    start = max(0, round((place - NEIGHBORHOOD) * RATE))
    around = expected[start : round((place + NEIGHBORHOOD) * RATE) + len(piece)]
    if len(piece) < RATE // 10 or len(around) <= len(piece):
        return float("inf")
    offset, correlation = find_offset(piece, around)
    return (start + offset) / RATE - place if correlation > 0.5 else float("inf")


def play(page: Page, files: Sequence[tuple[Path, str, Sequence[float]]]) -> list[Playback]:
    """Play (file, content type, seconds to seek to) triples at the same time."""
    served: dict[str, tuple[Path, str]] = {}
    with serve(_Handler, files=served) as url:
        page.goto(f"{url}/")
        asked = []
        for number, (path, kind, places) in enumerate(files):
            served[f"/{number}"] = (path, kind)
            asked.append([f"{url}/{number}", list(places)])
        results: list[dict[str, Any]] = page.evaluate(PLAY, [asked, BLOCKS])
    return [
        Playback(
            result["duration"] if result["duration"] is not None else float("nan"),
            result.get("error", "") or ("" if result["loaded"] == "loadedmetadata" else result["loaded"]),
            [(place, how, np.array(piece, dtype=np.int16)) for place, how, piece in result["pieces"]],
        )
        for result in results
    ]
