"""Regenerate recording.m4a and transcript.vtt: `python archive/demo/make_demo.py`.

Needs espeak-ng and ffmpeg on the path. Spacekeep itself does not: it ships the two files.
"""

from __future__ import annotations

import subprocess
import tempfile
import wave
from array import array
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
RATE = 22_050  # espeak-ng's sample rate
QUIET = 30  # samples below this at either end of a line are silence
LEVEL, PEAK = 2_600, 26_000  # of 32767: every line's mean level, unless its peak would exceed PEAK
SAME_VOICE, NEXT_VOICE, EDGE = 0.4, 0.6, 0.6  # pauses, in seconds

VOICES = {  # name: voice, pitch, words a minute
    "Nora": ("en-us+f2", 48, 165),
    "Felix": ("en-gb+m3", 32, 164),
    "Ida": ("en-gb-scotland+Annie", 64, 159),
}

LINES = [
    ("Nora", "Good evening, everyone, and welcome to the seed library room. I'm Nora."),
    ("Felix", "And I'm Felix. Pull up a chair, the kettle is on."),
    ("Nora", "Tonight we have Ida with us. She looks after the little cabinet of seeds on the lane."),
    ("Ida", "Hello! Thank you for having me. I brought my notebook, and a tin of beans."),
    ("Felix", "So Ida, how does it work? Do I need a card?"),
    ("Ida", "No card at all. You take one packet in spring, and you grow it."),
    ("Ida", "Then in autumn you let a few plants go to seed, and you bring some back."),
    ("Nora", "And what if the harvest fails, as mine does?"),
    ("Ida", "Then you bring back a story. I think we learn more from those."),
    ("Felix", "That's a relief. Last year the snails ate every one of my lettuces."),
    ("Ida", "Oh, the snails have a page of their own in the notebook."),
    ("Nora", "What would you give somebody who has never grown anything?"),
    ("Ida", "Peas. They are large, they are patient, and they forgive you."),
    ("Felix", "And how long do the seeds keep, once they are home?"),
    ("Ida", "Three or four years, in a dry tin, somewhere cool."),
    ("Ida", "But write the name and the year on the packet. Everyone forgets the year."),
    ("Felix", "It's a little like keeping recordings, isn't it?"),
    ("Ida", "It is. You keep a thing, so that somebody else can open it later."),
    ("Nora", "That is lovely. Thank you, Ida, and thank you all for listening."),
    ("Nora", "Bring a packet on Saturday, and we will see you there."),
    ("Felix", "Good night, everyone. And mind the snails."),
]


class Cue(NamedTuple):
    start: float
    end: float
    name: str
    text: str


def speak(name: str, text: str, wav: Path) -> array[int]:
    """Speak one line, without silence around it, at the common level."""
    voice, pitch, speed = VOICES[name]
    command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "-a", "70"]
    command += ["-w", str(wav), text]
    subprocess.run(command, check=True)
    with wave.open(str(wav)) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE, 1, 2):
            raise SystemExit(f"espeak-ng spoke in another format than {RATE} Hz, mono, 16 bit")
        samples = array("h", file.readframes(file.getnframes()))
    loud = [i for i, sample in enumerate(samples) if abs(sample) > QUIET]
    samples = samples[loud[0] : loud[-1] + 1]
    level = (sum(sample * sample for sample in samples) / len(samples)) ** 0.5
    gain = min(LEVEL / level, PEAK / max(abs(sample) for sample in samples))
    return array("h", (round(sample * gain) for sample in samples))


def pause(seconds: float) -> array[int]:
    return array("h", bytes(2 * round(seconds * RATE)))


def clock(seconds: float) -> str:
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    return f"00:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def encode(wav: Path, m4a: Path) -> None:
    """Soften the voices, put them in a small room with a faint tone, write AAC with moov first."""
    room = "highpass=f=80,treble=g=-4:f=5000,aecho=0.9:0.9:17|31:0.10|0.06"
    tone = f"anoisesrc=color=brown:amplitude=0.004:sample_rate={RATE}:seed=1"
    graph = f"[0]{room}[voices];{tone}[tone];[voices][tone]amix=duration=first:normalize=0"
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(wav), "-filter_complex", graph]
    command += ["-ac", "1", "-ar", "44100", "-c:a", "aac", "-b:a", "46k", "-fflags", "+bitexact"]
    command += ["-metadata", "title=The seed library room", "-movflags", "+faststart", str(m4a)]
    subprocess.run(command, check=True)


def main() -> None:
    sound, cues, before = pause(EDGE), [], ""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder, "speech.wav")
        for name, text in LINES:
            if before:
                sound += pause(SAME_VOICE if name == before else NEXT_VOICE)
            start = len(sound) / RATE
            sound += speak(name, text, wav)
            cues.append(Cue(start, len(sound) / RATE, name, text))
            before = name
        sound += pause(EDGE)
        with wave.open(str(wav), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(sound.tobytes())
        encode(wav, HERE / "recording.m4a")
    written = (f"{clock(c.start)} --> {clock(c.end)}\n<v {c.name}>{c.text}" for c in cues)
    (HERE / "transcript.vtt").write_text("\n\n".join(("WEBVTT", *written)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
