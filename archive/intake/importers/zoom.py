"""Import Zoom recordings: a folder with audio, perhaps a transcript, and the chat.

The format, as Zoom documents it ("Understanding recording file formats", KB0064394 of its support pages:
audio<number>.m4a, chat.txt, .vtt, .cc.vtt; each person's own track is audio<Name><number>.m4a) and as public
repositories show it: local
"2017-12-18 09.02.31 <title> <number>/audio_only.m4a", "Audio Record/", meeting_saved_chat.txt; from the cloud
"GMT20240124-202901_Recording.m4a", "GMT20240124-202901_Recording.transcript.vtt", "..._RecordingnewChat.txt".

No file states when the meeting ended. The folder's name has the start in local time without a zone; a cloud name has it
in UTC. Start plus length is not the end: a recording may begin late, pause, and stop early.
"""

import re
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from archive.errors import Problem, make_problem
from archive.formatting import format_time
from archive.intake.importers.facts import Facts, ImportCandidate
from archive.intake.importers.tree import Tree, base, folder
from archive.intake.importers.values import text

SOURCE = "Zoom"
LOCAL_FOLDER = re.compile(r"^(?P<start>\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d) (?P<title>.*?)(?: \d{9,12})?$")
LOCAL_SOUND = re.compile(r"^audio(?:_only(?:_\d+)?|\d{5,})\.m4a$")
CLOUD = re.compile(r"^GMT(?P<start>\d{8}-\d{6})_Recording")
VIDEO = re.compile(r"^(?:video\d+|zoom_\d+|GMT\d{8}-\d{6}_Recording\w*)\.mp4$")
OWN_TRACKS = "Audio Record"
CHAT = re.compile(r"chat[^/]*\.txt$", re.IGNORECASE)  # beside a recording
CHAT_NAME = re.compile(r"^(?:chat|meeting_saved_(?:new_)?chat|GMT\d{8}-\d{6}_.*chat)\.txt$", re.IGNORECASE)  # by itself
# In order of preference: Zoom's transcript of the recording comes before typed captions.
TRANSCRIPTS = (".transcript.vtt", "_recording.vtt", ".vtt", ".cc.vtt")


def find(tree: Tree, sounds: list[str]) -> list[ImportCandidate]:
    """Find the recordings with names, or in folders, as Zoom makes them."""
    found = []
    for directory in sorted({folder(name) for name in sounds}):
        recordings = [name for name in sounds if folder(name) == directory]
        titled = LOCAL_FOLDER.match(base(directory) if directory else tree.label)
        local = [name for name in recordings if LOCAL_SOUND.match(base(name)) or (titled and name.endswith(".m4a"))]
        cloud = [name for name in recordings if CLOUD.match(base(name)) and name not in local]
        cloud = [name for name in cloud if name.endswith(".m4a")] or cloud[:1]
        found += [_local(tree, name, titled, alone=len(local) == 1) for name in local]
        found += [_from_cloud(tree, name) for name in cloud]
    return found


def outside(sounds: list[str], meetings: list[ImportCandidate]) -> list[str]:
    """Drop the video and the participants' own tracks, which Zoom stores beside a meeting's recording."""
    directories = {folder(meeting.recording) for meeting in meetings}
    tracks = {f"{directory}/{OWN_TRACKS}".lstrip("/") for directory in directories}
    return [
        name
        for name in sounds
        if not (folder(name) in tracks or (folder(name) in directories and VIDEO.match(base(name))))
    ]


def explain(tree: Tree, candidates: list[ImportCandidate]) -> dict[str, Problem]:
    """Return why files of meetings were not used: the chat, the video, the participants' own tracks."""
    meetings = [candidate.recording for candidate in candidates if candidate.facts.source == SOURCE]
    directories = {folder(recording) for recording in meetings}
    tracks = {f"{directory}/{OWN_TRACKS}".lstrip("/") for directory in directories}
    chats = [
        name
        for name in tree.names
        if CHAT_NAME.match(base(name)) or (folder(name) in directories and CHAT.search(name))
    ]
    left = [name for name in tree.sounds() if name not in meetings]
    own = [name for name in left if folder(name) in tracks]
    films = [name for name in left if folder(name) in directories and VIDEO.match(base(name))]
    return (
        dict.fromkeys(chats, make_problem("import.chat"))
        | dict.fromkeys(own, make_problem("import.own_track"))
        | dict.fromkeys(films, make_problem("import.film_of_meeting"))
    )


def _local(tree: Tree, name: str, titled: re.Match[str] | None, *, alone: bool) -> ImportCandidate:
    notes, title = list[str](), ""
    if titled is not None:
        title = text(titled["title"])
        note = _("The folder's name has the start in that computer's local time ({start}), without zone.")
        notes.append(note.format(start=titled["start"]))
    transcript = _transcript(tree, folder(name), "") if alone else None
    return ImportCandidate(tree, name, Facts(SOURCE, title=title, notes=tuple(notes)), transcript)


def _from_cloud(tree: Tree, name: str) -> ImportCandidate:
    match = CLOUD.match(base(name))
    assert match is not None
    notes = list[str]()
    try:
        began = datetime.strptime(match["start"], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
        note = _("By its name, the recording began on {time}. Zoom doesn't write when it ended.")
        notes.append(note.format(time=format_time(began)))
    except ValueError:
        pass  # the digits are not a date
    return ImportCandidate(tree, name, Facts(SOURCE, notes=tuple(notes)), _transcript(tree, folder(name), match[0]))


def _transcript(tree: Tree, directory: str, prefix: str) -> str | None:
    """Return the preferred transcript in this folder whose name begins with `prefix`."""
    transcripts = [
        (next(rank for rank in (3, 0, 1, 2) if name.lower().endswith(TRANSCRIPTS[rank])), name)
        for name in tree.within(directory)
        if name.lower().endswith(".vtt") and base(name).startswith(prefix)
    ]
    return min(transcripts)[1] if transcripts else None
