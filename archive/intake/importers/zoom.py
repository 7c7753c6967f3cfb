"""Zoom: a folder with audio, perhaps a transcript, and the chat.

The shape, as Zoom tells it ("Understanding recording file formats", KB0064394 of its support pages: audio<number>.m4a,
chat.txt, .vtt, .cc.vtt; each person's own track is audio<Name><number>.m4a) and as public repositories show it: local
"2017-12-18 09.02.31 <title> <number>/audio_only.m4a", "Audio Record/", meeting_saved_chat.txt; from the cloud
"GMT20240124-202901_Recording.m4a", "GMT20240124-202901_Recording.transcript.vtt", "..._RecordingnewChat.txt".

Zoom never says when a meeting ended. The folder has its start by the clock of that computer, without a zone; a name
from the cloud has it in UTC. Start and length make no end: a recording begins late, pauses, and stops early.
"""

import re
from datetime import UTC, datetime

from archive.formatting import format_time
from archive.intake.importers.facts import Facts, ImportCandidate
from archive.intake.importers.tree import Tree, base, folder
from archive.intake.importers.values import text

SOURCE = "Zoom"
LOCAL_FOLDER = re.compile(r"^(?P<start>\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d) (?P<title>.*?)(?: \d{9,12})?$")
LOCAL_SOUND = re.compile(r"^audio(?:_only(?:_\d+)?|\d{5,})\.m4a$")
CLOUD = re.compile(r"^GMT(?P<start>\d{8}-\d{6})_Recording")
FILM = re.compile(r"^(?:video\d+|zoom_\d+|GMT\d{8}-\d{6}_Recording\w*)\.mp4$")
OWN_TRACKS = "Audio Record"
OWN_TRACK = re.compile(rf"(?:^|/){OWN_TRACKS}/")
CHAT = re.compile(r"chat[^/]*\.txt$", re.IGNORECASE)  # beside a recording
CHAT_NAME = re.compile(r"^(?:chat|meeting_saved_(?:new_)?chat|GMT\d{8}-\d{6}_.*chat)\.txt$", re.IGNORECASE)  # by itself
# Which transcript, when there are several: the one made of the recording, before captions that somebody typed.
TRANSCRIPTS = (".transcript.vtt", "_recording.vtt", ".vtt", ".cc.vtt")


def find(tree: Tree, sounds: list[str]) -> list[ImportCandidate]:
    """The recordings that have the names, or lie in the folders, that Zoom gives."""
    found = []
    for place in sorted({folder(name) for name in sounds}):
        here = [name for name in sounds if folder(name) == place]
        titled = LOCAL_FOLDER.match(base(place) if place else tree.label)
        local = [name for name in here if LOCAL_SOUND.match(base(name)) or (titled and name.endswith(".m4a"))]
        cloud = [name for name in here if CLOUD.match(base(name)) and name not in local]
        cloud = [name for name in cloud if name.endswith(".m4a")] or cloud[:1]
        found += [_local(tree, name, titled, alone=len(local) == 1) for name in local]
        found += [_from_cloud(tree, name) for name in cloud]
    return found


def outside(sounds: list[str], found: list[ImportCandidate]) -> list[str]:
    """Those that belong to no meeting that was found: Zoom puts the film, and each person's own track, beside it."""
    places = {folder(one.recording) for one in found}
    tracks = {f"{place}/{OWN_TRACKS}".lstrip("/") for place in places}
    return [
        name for name in sounds if not (folder(name) in tracks or (folder(name) in places and FILM.match(base(name))))
    ]


def _local(tree: Tree, name: str, titled: re.Match[str] | None, *, alone: bool) -> ImportCandidate:
    notes = _left_out(tree, folder(name), "")
    title = ""
    if titled is not None:
        title = text(titled["title"])
        notes.append(f"The folder's name has the start by the clock of that computer ({titled['start']}), and no zone.")
    transcript = _transcript(tree, folder(name), "") if alone else None
    return ImportCandidate(tree, name, Facts(SOURCE, title=title, notes=tuple(notes)), transcript)


def _from_cloud(tree: Tree, name: str) -> ImportCandidate:
    match = CLOUD.match(base(name))
    assert match is not None
    notes = _left_out(tree, folder(name), match[0])
    try:
        began = datetime.strptime(match["start"], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
        notes.append(f"By its name the recording began on {format_time(began)}. Zoom doesn't write when it ended.")
    except ValueError:
        pass  # digits that are no date: then they tell nothing
    return ImportCandidate(tree, name, Facts(SOURCE, notes=tuple(notes)), _transcript(tree, folder(name), match[0]))


def _transcript(tree: Tree, place: str, mark: str) -> str | None:
    """The best of the transcripts in this folder whose names begin with `mark`."""
    there = [
        (next(rank for rank in (3, 0, 1, 2) if name.lower().endswith(TRANSCRIPTS[rank])), name)
        for name in tree.within(place)
        if name.lower().endswith(".vtt") and base(name).startswith(mark)
    ]
    return min(there)[1] if there else None


def _left_out(tree: Tree, place: str, mark: str) -> list[str]:
    notes = [
        f"{base(name)}: the chat is not taken in."
        for name in tree.within(place)
        if CHAT.search(name) and base(name).startswith(mark)
    ]
    if tree.within(f"{place}/{OWN_TRACKS}".lstrip("/")):
        notes.append(f"{OWN_TRACKS}: each person's own track is not taken in, the recording has everybody.")
    return notes
