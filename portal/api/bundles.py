"""Bundles (one Space in a ZIP) and exports (Spaces of a host, in parts): request, poll, download."""

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest
from ninja import Router, Status

from archive import rate_limits
from archive.bundles import build, exports
from archive.models import Bundle, Export, ExportPart, RecorderToken, User
from portal.api.callers import caller, find_content
from portal.api.errors import Forbidden
from portal.api.problems import PROBLEMS
from portal.api.schemas import BundleOut, ExportIn, ExportOut, ExportPartOut
from portal.downloads import download_path

router = Router(tags=["Bundles"])


@router.post(
    "/spaces/{uuid:space_id}/bundle",
    response={(200, 202): BundleOut, **PROBLEMS},
    summary="Request the bundle",
    operation_id="create_bundle",
)
def create(request: HttpRequest, space_id: UUID) -> Status[BundleOut]:
    """Answers 200 with the bundle of the Space's current content if it is ready, else 202. Idempotent; after a failure
    it starts a new attempt."""
    space = find_content(request, space_id)
    by = caller(request, RecorderToken.Scope.BUNDLES)
    rate_limits.count("bundle", by.caller)
    bundle = build.request(space.pk, by.actor, by.user)
    return Status(200 if bundle.state == Bundle.State.READY else 202, _bundle_out(request, bundle))


@router.get(
    "/spaces/{uuid:space_id}/bundle",
    response={200: BundleOut, **PROBLEMS},
    summary="Progress of the bundle",
    operation_id="get_bundle",
)
def read(request: HttpRequest, space_id: UUID) -> BundleOut:
    """Poll until `state` is `ready` (then there is a `url`) or `failed` (`problem` gives the reason). 404 until it is
    requested, and after the Space's content has changed."""
    bundle = build.current(find_content(request, space_id))
    if bundle is None:
        raise Http404
    return _bundle_out(request, bundle)


@router.post(
    "/exports",
    response={202: ExportOut, **PROBLEMS},
    summary="Request an export of all Spaces of a host, or of chosen ones",
    operation_id="create_export",
)
def create_export(request: HttpRequest, body: ExportIn) -> Status[ExportOut]:
    """Creates numbered parts. Idempotent until the host's Spaces change: the same request returns the same export."""
    host = _host(request, body.host)
    rate_limits.count("export", caller(request, RecorderToken.Scope.BUNDLES).caller)
    made = exports.request(host, body.max_part_size, body.spaces)
    return Status(202, _export_out(request, made))


@router.get(
    "/exports/{uuid:export_id}",
    response={200: ExportOut, **PROBLEMS},
    summary="Progress of the parts",
    operation_id="get_export",
)
def read_export(request: HttpRequest, export_id: UUID) -> ExportOut:
    """A part is revoked at the first deadline among its Spaces, and rebuilt without that Space: its id changes, its
    number stays."""
    export = Export.objects.filter(pk=export_id).select_related("host").first()
    if export is None or export.host not in _hosts(request):
        raise Http404
    return _export_out(request, export)


def _host(request: HttpRequest, name: str | None) -> User:
    """Return the host whose Spaces are exported. Raises Forbidden for hosts that the caller may not act for."""
    hosts = _hosts(request)
    if name is None and caller(request, RecorderToken.Scope.BUNDLES).user:
        return hosts[0]
    for host in hosts:
        if host.username == name:
            return host
    raise Forbidden("api.export_not_yours")


def _hosts(request: HttpRequest) -> list[User]:
    """Return the hosts whose Spaces the caller may export. Raises Forbidden."""
    by = caller(request, RecorderToken.Scope.BUNDLES)
    if by.recorder is not None:
        return list(by.recorder.hosts.filter(is_active=True))
    assert by.user is not None
    return [by.user]


def _download_url(request: HttpRequest, package: Bundle | ExportPart) -> str:
    by = caller(request, RecorderToken.Scope.BUNDLES)
    grantee = by.recorder or by.user
    assert grantee is not None
    return f"{settings.SITE_URL}{download_path(package, grantee)}"


def _bundle_out(request: HttpRequest, bundle: Bundle) -> BundleOut:
    return BundleOut.of(bundle, _download_url(request, bundle), space=bundle.space_id)  # type: ignore[no-any-return]


def _export_out(request: HttpRequest, export: Export) -> ExportOut:
    parts = []
    for export_part in exports.visible_parts(export):
        inside: dict[bool, list[UUID]] = {False: [], True: []}
        for place in export_part.places.all():
            inside[place.excluded].append(place.space_id)
        parts.append(
            ExportPartOut.of(
                export_part,
                _download_url(request, export_part),
                number=export_part.number,
                spaces=inside[False],
                expired=inside[True],
            )
        )
    return ExportOut(id=export.id, max_part_size=export.max_part_size, parts=parts)
