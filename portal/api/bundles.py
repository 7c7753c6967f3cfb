"""Everything of a Space in one file, or all Spaces of a host in parts: ask, poll, download."""

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest
from ninja import Router, Status

from archive.bundles import build, exports
from archive.models import Bundle, Export, ExportPart, RecorderToken, User
from portal.api.callers import caller, the_content
from portal.api.errors import Forbidden
from portal.api.problems import PROBLEMS
from portal.api.schemas import BundleOut, ExportIn, ExportOut, ExportPartOut
from portal.downloads import download_path

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
    "/exports",
    response={202: ExportOut, **PROBLEMS},
    summary="Ask for all Spaces of a host",
    operation_id="create_export",
)
def create_export(request: HttpRequest, body: ExportIn) -> Status[ExportOut]:
    """In numbered parts. The same request again answers with the export that is there, until the host's Spaces
    change."""
    host = _host(request, body.host)
    made = exports.request(host, body.max_part_size)
    return Status(202, _collected(request, made))


@router.get(
    "/exports/{uuid:export_id}",
    response={200: ExportOut, **PROBLEMS},
    summary="How far the parts are",
    operation_id="get_export",
)
def read_export(request: HttpRequest, export_id: UUID) -> ExportOut:
    """A part that was taken back, since a Space in it has come to its deadline, is made anew without it: the id of
    the part changes, its number stays."""
    found = Export.objects.filter(pk=export_id).select_related("host").first()
    if found is None or found.host not in _hosts(request):
        raise Http404
    return _collected(request, found)


def _host(request: HttpRequest, name: str | None) -> User:
    """Whose Spaces are meant. Raises Forbidden for those of others."""
    hosts = _hosts(request)
    if name is None and caller(request, RecorderToken.Scope.BUNDLES).user:
        return hosts[0]
    for host in hosts:
        if host.username == name:
            return host
    raise Forbidden("api.export_not_yours")


def _hosts(request: HttpRequest) -> list[User]:
    """Those whose Spaces the caller may have all at once. Raises Forbidden."""
    by = caller(request, RecorderToken.Scope.BUNDLES)
    if by.recorder is not None:
        return list(by.recorder.hosts.filter(is_active=True))
    assert by.user is not None
    return [by.user]


def _address(request: HttpRequest, package: Bundle | ExportPart) -> str:
    by = caller(request, RecorderToken.Scope.BUNDLES)
    holder = by.recorder or by.user
    assert holder is not None
    return f"{settings.SITE_URL}{download_path(package, holder)}"


def _told(request: HttpRequest, bundle: Bundle) -> BundleOut:
    return BundleOut.of(bundle, _address(request, bundle), space=bundle.space_id)  # type: ignore[no-any-return]


def _collected(request: HttpRequest, found: Export) -> ExportOut:
    told = []
    for export_part in exports.visible_parts(found):
        inside: dict[bool, list[UUID]] = {False: [], True: []}
        for place in export_part.places.all():
            inside[place.excluded].append(place.space_id)
        told.append(
            ExportPartOut.of(
                export_part,
                _address(request, export_part),
                number=export_part.number,
                spaces=inside[False],
                expired=inside[True],
            )
        )
    return ExportOut(id=found.id, max_part_size=found.max_part_size, parts=told)
