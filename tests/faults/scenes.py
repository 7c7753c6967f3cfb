"""What can happen in the world: each scene prepares the state, and defines the job whose process is killed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from django.db.models import Exists, OuterRef, Q

from archive import dbtime
from archive.models import Appeal, Bundle, DeletionRecheck, Hold, Space, UploadSession, Violation
from tests.faults.world import DAY, World, a_day_ago

STANDS = Q(Exists(Violation.objects.filter(space=OuterRef("pk"), state__in=["standing", "appealed"])))
TO_APPEAL = Q(Exists(Violation.objects.filter(space=OuterRef("pk"), state="standing", appeal=None)))
APPEALED = Q(Exists(Appeal.objects.filter(violation__space=OuterRef("pk"), state="open")))
VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\n<v Nora>{}.\n"


@dataclass
class Scene:
    """`again`: the caller repeats the job after a crash, because it got no answer. `then`: called after the job is
    done, to record what must be true from then on."""

    job: str
    arguments: tuple[str, ...] = ()
    again: bool = False
    then: Callable[[], None] = field(default=lambda: None)


def _on(world: World, job: str, condition: Q, *arguments: str) -> Scene | None:
    space = world.one(condition)
    return Scene(job, (str(space.pk), *arguments)) if space else None


def _worked(world: World, scene: Scene | None) -> Scene | None:
    """Run the scene's job, and return a scene in which the workers that handle its consequences are killed."""
    if scene is None:
        return None
    world.fork_server.run(scene.job, *scene.arguments)
    return Scene("work", then=scene.then)


def _upload(world: World, job: str, *kind: str) -> Scene:
    (path, sha256), title = world.recording(), f"Brought {uuid4()}"
    ended_at = (dbtime.now() - DAY).isoformat()
    return Scene(
        job, (path, *kind, title, ended_at), again=True, then=lambda: world.acknowledge_recording(title, sha256)
    )


def ingest(world: World) -> Scene:
    return _upload(world, "ingest")


def upload(world: World) -> Scene:
    return _upload(world, "upload", "recording")


def examine(world: World) -> Scene | None:
    return _worked(world, upload(world))


def refuse(world: World) -> Scene | None:
    path = world.text("What we talked about.\n", "m4a")
    return _worked(world, Scene("upload", (path, "recording", f"Refused {uuid4()}", dbtime.now().isoformat())))


def upload_transcript(world: World) -> Scene | None:
    space, words = world.one(), f"Bean {uuid4()}"
    if space is None:
        return None
    path = world.text(VTT.format(words), "vtt")
    arguments = (path, "transcript", space.title, "")
    return Scene("upload", arguments, again=True, then=lambda: world.acknowledge_words(space, words))


def import_transcript(world: World) -> Scene | None:
    return _worked(world, upload_transcript(world))


def accept_partial(world: World) -> Scene | None:
    """Accept the rest of a transcript with an unreadable cue, which was rejected. Only of Spaces without another
    transcript, so that it is clear which one."""
    space, words = world.one(Q(uploads=None)), f"Bean {uuid4()}"
    if space is None:
        return None
    path = world.text(f"{VTT.format(words)}\nnobody knows --> 00:03.000\nWhen?\n", "vtt")
    _worked(world, Scene("upload", (path, "transcript", space.title, "")))
    world.fork_server.run("work")
    return Scene("accept_partial", (space.title,), again=True, then=lambda: world.acknowledge_words(space, words))


def import_rest(world: World) -> Scene | None:
    return _worked(world, accept_partial(world))


def request_transcription(world: World) -> Scene:
    """Request a transcript by speech recognition."""
    space = world.speech_space()
    return Scene(
        "request_transcription",
        (str(space.pk),),
        again=True,
        then=lambda: world.acknowledge_words(space, "best of times"),
    )


def transcribe(world: World) -> Scene | None:
    return _worked(world, request_transcription(world))


def abandon(world: World) -> Scene | None:
    """Abandon an upload of an existing Space, and one of a Space that has nothing else."""
    space, title = world.one(), f"Abandoned {uuid4()}"
    for kind, name in (("transcript", space.title if space else ""), ("recording", title)):
        if name:
            path = world.text("WEBVTT\n", "vtt")
            world.fork_server.run("begin_upload", path, kind, name, (dbtime.now() - DAY).isoformat())
    UploadSession.objects.filter(state="open").update(last_activity_at=a_day_ago(dbtime.now()))
    long_ago = a_day_ago(dbtime.now())
    Space.objects.filter(title=title).update(created_at=long_ago, lease_until=long_ago)
    world.known.due.add(Space.objects.get(title=title).pk)
    return Scene("work")


def flag(world: World) -> Scene | None:
    return _on(world, "flag", ~STANDS)


def lift(world: World) -> Scene | None:
    return _on(world, "lift", STANDS)


def appeal(world: World) -> Scene | None:
    return _on(world, "appeal", TO_APPEAL)


def decide(world: World) -> Scene | None:
    return _on(world, "decide", APPEALED, world.chance.choice(["granted", "denied"]))


def notify(world: World) -> Scene | None:
    return _worked(world, flag(world))


def remind(world: World) -> Scene | None:
    space = world.one(~STANDS & Q(violations=None))
    if space is not None:
        ended_at = dbtime.now() - world.chance.choice([24, 29.5]) * DAY
        Space.objects.filter(pk=space.pk).update(ended_at=ended_at, expires_at=ended_at + 30 * DAY)
    return Scene("remind")


def hold(world: World) -> Scene | None:
    return _on(world, "hold", Q())


def release(world: World) -> Scene | None:
    held = Hold.objects.filter(state="standing").exclude(space__in=world.known.held).first()
    return Scene("release", (str(held.space_id),)) if held else None


def bundle(world: World) -> Scene | None:
    return _on(world, "request_bundle", Q())


def build(world: World) -> Scene | None:
    if world.chance.random() < 0.5:
        return _worked(world, bundle(world))
    long = Space.objects.filter(title__startswith="Long").get()
    Bundle.objects.filter(space=long, state="ready").update(ready_at=dbtime.now() - 8 * DAY)
    world.fork_server.run("work")
    return _worked(world, Scene("request_bundle", (str(long.pk),)))


def unfetched(world: World) -> Scene | None:
    if Bundle.objects.filter(state="ready").count() == 0:
        _worked(world, bundle(world))
        world.fork_server.run("work")
    Bundle.objects.filter(state="ready").update(ready_at=dbtime.now() - 8 * DAY)
    return Scene("work")


def export_parts(world: World) -> Scene:
    return Scene("request_export")


def build_export_parts(world: World) -> Scene | None:
    return _worked(world, export_parts(world))


def _reach_deadlines(world: World) -> None:
    """Let several Spaces with bundles, export parts and stray objects reach their deadline at the same time."""
    several = world.chance.sample(list(world.living()), world.chance.randint(1, 3))
    if world.chance.random() < 0.5 and several[0].state == "available":
        world.fork_server.run("request_bundle", str(several[0].pk))
        world.fork_server.run("request_export")
        if world.chance.random() < 0.7:  # otherwise they are not built yet
            world.fork_server.run("work")
    for space in several:
        world.stray(space)
        world.pass_deadline(space)


def sweep(world: World) -> Scene:
    _reach_deadlines(world)
    return Scene("sweep")


def purge(world: World) -> Scene:
    _reach_deadlines(world)
    return Scene("work")


def recheck(world: World) -> Scene | None:
    gone = list(Space.objects.filter(state="deleted").order_by("pk"))
    if not gone:
        return None
    world.stray(world.chance.choice(gone))
    DeletionRecheck.objects.update(finished_at=dbtime.now() - timedelta(hours=25))
    return Scene("work")


def compare(world: World) -> Scene | None:
    space = world.one()
    if space is not None:
        world.stray(space)
    return Scene("compare")


SCENES: dict[str, Callable[[World], Scene | None]] = {
    scene.__name__: scene
    for scene in (
        *(ingest, upload, examine, refuse, abandon),
        *(upload_transcript, import_transcript, accept_partial, import_rest, request_transcription, transcribe),
        *(flag, lift, appeal, decide, notify, remind, hold, release),
        *(bundle, build, unfetched, export_parts, build_export_parts),
        *(sweep, purge, recheck, compare),
    )
}
