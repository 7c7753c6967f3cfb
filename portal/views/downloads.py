"""Downloads of packages (bundles, export parts) at URLs that are signed for a user or a recorder's token."""

from django.contrib.auth.decorators import login_not_required
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from archive.bundles import maintain
from archive.content_access import Kind
from archive.errors import ObjectMissing
from archive.models import Bundle, Space
from portal.content import redirect_to_object
from portal.downloads import DownloadToken


@login_not_required  # the signed URL names its grantee
@require_safe
def download(request: HttpRequest, token: str, name: str) -> HttpResponse:
    """Redirect to the package in the store. The access is logged for every Space inside, also for HEAD and Range."""
    asked = DownloadToken.load(token)
    package, grantee = asked.package, asked.grantee
    spaces = _spaces_inside(asked)
    if package is None or package.state != package.State.READY or not spaces:
        raise Http404
    until = min((space.expires_at for space in spaces if space.expires_at), default=None)
    try:
        answer = redirect_to_object(
            Kind.DOWNLOADED, spaces, grantee.by, package.key, package.name, "application/zip", until
        )
    except ObjectMissing:
        maintain.mark_missing(package)  # so that it can be requested again
        raise Http404 from None
    if request.method == "GET":
        by_host = {"host_fetched_at": Now()} if grantee.is_host_of(spaces) else {}
        type(package).objects.filter(pk=package.pk).update(fetched_at=Now(), **by_host)
    return answer


def _spaces_inside(asked: DownloadToken) -> list[Space]:
    """Return the Spaces in the package; if the package is gone, those named in the URL. Raises Http404, Gone."""
    match asked.package:
        case None:
            return [asked.grantee.find(space_id) for space_id in asked.space_ids]
        case Bundle() as bundle:
            return [asked.grantee.find(bundle.space_id)]
        case part:
            return asked.grantee.find_in_part(part)
