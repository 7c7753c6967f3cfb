"""The data of the access matrix: one Space with all that addresses can name, callers of twelve kinds, and requests.

Requests pass through all middleware of the site, in this process, with CSRF checks and a valid CSRF token. Each is
rolled back.
"""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signals import request_finished
from django.db import close_old_connections, transaction
from django.http.response import HttpResponseBase
from django.middleware.csrf import _get_new_csrf_string
from django.test import RequestFactory
from django.urls import URLPattern, get_resolver

from archive import dbtime, recorders
from archive.accounts import invitations
from archive.bundles import exports
from archive.models import Notice, Participant, RecorderToken, UploadSession, User
from archive.moderation.appeals import appeal
from archive.moderation.holds import place
from archive.moderation.reason_templates import add_template
from archive.moderation.violations import flag
from archive.notices.unsubscribe import one_click_url
from archive.webhooks import endpoints
from portal.downloads import download_path
from tests.support.factory import make_contents, make_row, make_user
from tests.support.http_clients import _handler, plain_404_pages, session_cookie
from tests.support.webhook_receiver import subscribe

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
CALLERS = ("anon", "owner", "other", "admin", "audit", "partic", "inact", "super", "tHost", "tAny", "tBun", "tRev")
SESSIONS = CALLERS[1:8]


def normalize(route: str) -> str:
    """Return an address with {names} in place of converters and groups, as in OpenAPI."""
    route = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"{\1}", route)
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route).translate({ord("^"): None, ord("$"): None})


def routes(resolver: Any = None, prefix: str = "") -> Iterator[str]:
    """Yield every address of the site, normalized."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLPattern):
            yield normalize(route)
        else:
            yield from routes(pattern, route)


class AccessWorld:
    def __init__(self) -> None:
        names = {"owner": "", "other": "", "admin": "admins", "audit": "auditors", "partic": "", "inact": ""}
        self.users = {name: make_user(name, role) for name, role in names.items()}
        self.users["super"] = User.objects.create(username="super", is_superuser=True, is_staff=True)
        second, self.third = make_user("second", "admins"), make_user("third")
        self.cookies = {name: session_cookie(user) for name, user in self.users.items()}
        User.objects.filter(username="inact").update(is_active=False)
        self.csrf = _get_new_csrf_string()
        self._tokens()
        self._rows(second)
        self.factory, self.handler = RequestFactory(), _handler(True)

    def _tokens(self) -> None:
        admin, owner = self.users["admin"], self.users["owner"]
        given: dict[str, dict[str, Any]] = {
            "tHost": {"hosts": [owner]},
            "tAny": {"for_anybody": True},
            "tBun": {"hosts": [owner], "scopes": ["bundles"]},
            "tRev": {"for_anybody": True},
            "expired": {"for_anybody": True},
        }
        self.tokens = {name: recorders.create_token(name, 30, admin, **options) for name, options in given.items()}
        recorders.revoke(self.tokens["tRev"][0].pk, admin)
        RecorderToken.objects.filter(name="expired").update(expires_at=dbtime.now())

    def _rows(self, second: User) -> None:
        """Create `space` (flagged, with content), `appealed` (with an appeal and a hold), `receiving` (with an
        upload)."""
        owner = self.users["owner"]
        space, appealed, receiving = make_row(owner), make_row(owner), make_row(owner, state="receiving")
        bundle = make_contents(space)
        export = exports.request(owner, 2 * 10**9)
        chosen_export = exports.request(owner, 2 * 10**9, [space.pk])
        violation = flag(space.pk, "spam", "Watches.", second)
        person = Participant.objects.create(space=space, role="speaker", seat=1, name="Ida", user=self.users["partic"])
        upload = UploadSession.objects.create(
            space=receiving,
            created_by=owner,
            kind="recording",
            size=10,
            part_size=5,
            key="k",
            upload_id="u",
            name="a.m4a",
        )
        notice = Notice.objects.filter(user=owner).first()
        invitation, _ = invitations.invite("eve@example.org", "host", 7, self.users["admin"])
        assert notice is not None
        self.values: dict[str, Any] = {
            "space_id": space.pk,
            "upload_id": upload.pk,
            "violation_id": violation.pk,
            "appeal_id": appeal(flag(appealed.pk, "spam", "Watches.", second).pk, "Beans.", owner).pk,
            "hold_id": place(appealed.pk, "A court.", second).pk,
            "template_id": add_template("spam", "Watches", "Watches were sold.", second).pk,
            "code": "spam",
            "participant_id": person.pk,
            "notice_id": notice.pk,
            "token_id": self.tokens["tHost"][0].pk,
            "endpoint_id": (endpoint := subscribe("https://example.org/", self.users["admin"])[0]).pk,
            "delivery_id": endpoints.send_test(endpoint.pk, self.users["admin"]).pk,
            "account_id": self.third.pk,
            "invitation_id": invitation.pk,
            "export_id": export.pk,
            "ending": "txt",
            "session_id": 10**9,
            "entry_id": 10**9,
            "view_id": 10**9,
            "pk": 10**9,
            "token": "no-invitation",
            "provider_id": "none",
            "uidb36": "1",
            "key": "none",
            "content_type_id": 10**9,
            "object_id": self.third.pk,
            "app_label": "archive",
            "url": "nothing-here",
            "rest": "nothing/here",
        }
        self.addresses = {
            "/download/{token}/{name}.zip": download_path(bundle, owner),
            "/export/{export_id}/": f"/export/{chosen_export.pk}/",
            "/unsubscribe/{token}/": urlsplit(one_click_url(owner, "flagged")).path,
        }
        ended_at = (dbtime.now() - timedelta(days=1)).isoformat()
        self.bodies: dict[str, dict[str, Any]] = {
            "/api/v1/spaces": {"title": "Beans", "ended_at": ended_at, "host": "owner"},
            "/api/v1/spaces/{space_id}/uploads": {"kind": "recording", "name": "a.m4a", "size": 10},
            "/api/v1/uploads/{upload_id}/parts": {"parts": [{"number": 1, "sha256": "A" * 43 + "="}]},
            "/api/v1/spaces/{space_id}/facts": {"edition": "another", "title": "Beans"},
            "/api/v1/spaces/{space_id}/transcript/corrections": {
                "base": 1,
                "corrections": [{"line": 1, "text": "Peas."}],
            },
            "/api/v1/spaces/{space_id}/transcript/speakers": {"base": 1, "names": {"Ida": "Ines"}},
            "/api/v1/exports": {"max_part_size": 2_000_000_000},
        }

    def status(self, caller: str, method: str, route: str) -> int:
        return self.ask(caller, method, route).status_code

    def ask(self, caller: str, method: str, route: str) -> HttpResponseBase:
        """Send a request and return the closed response. Its changes are rolled back."""
        url = self.addresses.get(route) or route.format_map(self.values)
        headers = {"Idempotency-Key": "k"} if route.startswith("/api/") else {}
        cookies = f"{settings.CSRF_COOKIE_NAME}={self.csrf}"
        if caller in self.cookies:
            cookies = f"{cookies}; {self.cookies[caller]}"
            headers["X-CSRFToken"] = self.csrf
        if caller in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens[caller][1]}"
        body, content_type = b"", "application/x-www-form-urlencoded"
        if route.startswith("/api/") and method in ("POST", "PUT", "PATCH"):
            body, content_type = json.dumps(self.bodies.get(route, {})).encode(), "application/json"
        request = self.factory.generic(method, url, body, content_type, headers=headers | {"Cookie": cookies})
        with transaction.atomic(), plain_404_pages():
            response = self.handler.get_response(request)
            request_finished.disconnect(close_old_connections)  # as in Django's test client
            response.close()
            request_finished.connect(close_old_connections)
            transaction.set_rollback(True)
        return response
