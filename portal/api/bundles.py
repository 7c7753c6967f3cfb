"""Everything of a Space in one file, or all Spaces of a host in volumes: ask, poll, download."""

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest
from ninja import Router, Status
from ninja.errors import HttpError

from archive import tasks
from archive.bundles import build, collect
from archive.models import Bundle, Collection, RecorderToken, User, Volume
from portal.api.callers import caller, the_content
from portal.api.problems import PROBLEMS
from portal.api.schemas import BundleOut, CollectionIn, CollectionOut, VolumeOut
from portal.views.packages import package_path

router = Router(tags=["Bundles"])


@router.post(
    "/spaces/{uuid:space_id}/bundle",
    response={(200, 202): BundleOut, **PROBLEMS},
    summary="Ask for the bundle",
    operation_id="create_bundle",
)
def create(request: HttpRequest, space_id: UUID) -> Status[BundleOut]:
    """The one that is there for what the Space holds now (200), or a new one (202). Asking again does no harm, and is
    how one that failed is tried again."""
    space = the_content(request, space_id)
    by = caller(request, RecorderToken.Scope.BUNDLES)
    bundle = build.request(space.pk, by.actor, by.user)
    if bundle.state == Bundle.State.REQUESTED:
        tasks.wake(tasks.build_bundle, bundle.pk)
    return Status(200 if bundle.state == Bundle.State.READY else 202, _told(request, bundle))


@router.get(
    "/spaces/{uuid:space_id}/bundle",
    response={200: BundleOut, **PROBLEMS},
    summary="How far the bundle is",
    operation_id="get_bundle",
)
def read(request: HttpRequest, space_id: UUID) -> BundleOut:
    """Poll until its `state` is `ready` (it has a `url` then) or `failed` (`problem` says why). 404 before it was asked
    for, and when the Space has changed since."""
    bundle = build.current(the_content(request, space_id))
    if bundle is None:
        raise Http404
    return _told(request, bundle)


@router.post(
    "/collections",
    response={202: CollectionOut, **PROBLEMS},
    summary="Ask for all Spaces of a host",
    operation_id="create_collection",
)
def create_collection(request: HttpRequest, body: CollectionIn) -> Status[CollectionOut]:
    """In numbered volumes. The same request again answers with the collection that is there, until the host's Spaces
    change."""
    host = _host(request, body.host)
    made = collect.request(host, body.volume_size)
    for pk in collect.waiting(made):
        tasks.wake(tasks.build_volume, pk)
    return Status(202, _collected(request, made))


@router.get(
    "/collections/{uuid:collection_id}",
    response={200: CollectionOut, **PROBLEMS},
    summary="How far the volumes are",
    operation_id="get_collection",
)
def read_collection(request: HttpRequest, collection_id: UUID) -> CollectionOut:
    """A volume that was taken back, since a Space in it has come to its deadline, is made anew without it: the id of
    the volume changes, its number stays."""
    found = Collection.objects.filter(pk=collection_id).select_related("host").first()
    if found is None or found.host not in _hosts(request):
        raise Http404
    return _collected(request, found)


def _host(request: HttpRequest, name: str | None) -> User:
    """Whose Spaces are meant. Raises HttpError for those of others."""
    hosts = _hosts(request)
    if name is None and caller(request, RecorderToken.Scope.BUNDLES).user:
        return hosts[0]
    for host in hosts:
        if host.username == name:
            return host
    raise HttpError(403, "All Spaces at once are for their host, or for a token that names that host.")


def _hosts(request: HttpRequest) -> list[User]:
    """Those whose Spaces the caller may have all at once. Raises HttpError."""
    by = caller(request, RecorderToken.Scope.BUNDLES)
    if by.recorder is not None:
        return list(by.recorder.hosts.filter(is_active=True))
    assert by.user is not None
    return [by.user]


def _address(request: HttpRequest, package: Bundle | Volume) -> str:
    by = caller(request, RecorderToken.Scope.BUNDLES)
    holder = by.recorder or by.user
    assert holder is not None
    return f"{settings.SITE_URL}{package_path(package, holder)}"


def _told(request: HttpRequest, bundle: Bundle) -> BundleOut:
    return BundleOut.of(bundle, _address(request, bundle), space=bundle.space_id)  # type: ignore[no-any-return]


def _collected(request: HttpRequest, found: Collection) -> CollectionOut:
    told = []
    for volume in collect.shown(found):
        inside: dict[bool, list[UUID]] = {False: [], True: []}
        for place in volume.places.all():
            inside[place.left_out].append(place.space_id)
        told.append(
            VolumeOut.of(
                volume, _address(request, volume), number=volume.number, spaces=inside[False], expired=inside[True]
            )
        )
    return CollectionOut(id=found.id, volume_size=found.volume_size, volumes=told)
