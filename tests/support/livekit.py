"""A scripted LiveKit: events with real signatures, and a real HTTP server that answers ListEgress."""

import base64
import copy
import hashlib
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self

import jwt
from django.conf import settings
from google.protobuf.json_format import MessageToJson
from livekit.api import AccessToken
from livekit.protocol.egress import EgressInfo, EgressStatus, FileInfo, ListEgressRequest, ListEgressResponse
from livekit.protocol.models import ParticipantInfo, ParticipantPermission, Room, TokenPagination
from livekit.protocol.webhook import WebhookEvent

from archive.intake.arrivals import livekit_webhook
from archive.models import RecorderToken
from archive.storage import Store
from archive.storage.bucket import prepare_bucket
from archive.storage.purge_prefix import purge_listing
from tests.support.api_client import ApiClient, ApiResponse
from tests.support.http_server import serve

KEY, SECRET = "APItests", "the-secret-of-the-scripted-livekit-server"
BUCKET, PREFIX = "livekit-egress", "rooms/"
METADATA = '{"spacekeep": {"title": "Seed swap", "host": "alice"}, "theme": "dark"}'


def setting_values(recorder: RecorderToken) -> dict[str, Any]:
    """Return the settings that switch LiveKit on, as environment variables."""
    return {
        "LIVEKIT_API_KEY": KEY,
        "LIVEKIT_API_SECRET": SECRET,
        "LIVEKIT_RECORDER": recorder.prefix,
        "LIVEKIT_PREFIX": PREFIX,
        "LIVEKIT_BUCKET": BUCKET,
    }


def switch_on(settings: Any, recorder: RecorderToken, **options: str) -> None:
    """Switch LiveKit on for this test (`settings` is the fixture). `options`: of the storage of its bucket."""
    for name, value in setting_values(recorder).items():
        setattr(settings, name, value)
    storages = copy.deepcopy(settings.STORAGES)
    storages["livekit"]["OPTIONS"].update(bucket_name=BUCKET, **options)
    settings.STORAGES = storages


def egress_bucket() -> Store:
    """Create LiveKit's own empty bucket in the tests' store. STORAGES must name it."""
    bucket = Store("livekit")
    prepare_bucket(bucket, settings.SITE_URL)
    purge_listing(bucket, bucket.listing(""))
    return bucket


def put_recording(bucket: Store, key: str, path: Path) -> None:
    bucket.client.put_object(Bucket=bucket.bucket, Key=key, Body=path.read_bytes())


def sign(body: bytes, secret: str = SECRET, ttl: timedelta = timedelta(minutes=5), **claims: Any) -> str:
    """Return the Authorization header as LiveKit sends it: without "Bearer"."""
    sha256 = base64.b64encode(hashlib.sha256(body).digest()).decode()
    token = AccessToken(KEY, secret).with_ttl(ttl).with_sha256(claims.pop("sha256", sha256))
    if not claims:
        return token.to_jwt()
    facts = jwt.decode(token.to_jwt(), options={"verify_signature": False})
    return jwt.encode({name: value for name, value in {**facts, **claims}.items() if value is not None}, secret)


def as_body(event: WebhookEvent) -> bytes:
    return MessageToJson(event).encode()


def receive(event: WebhookEvent) -> None:
    """Process an event as the webhook's view does, without the site."""
    body = as_body(event)
    livekit_webhook.receive(body, sign(body))


def send(event: WebhookEvent) -> ApiResponse:
    body = as_body(event)
    return post(body, sign(body))


def post(body: bytes, token: str | None) -> ApiResponse:
    headers = {} if token is None else {"Authorization": token}
    return ApiClient().ask("POST", "/livekit", body.decode(), type="application/webhook+json", **headers)


class RoomScript:
    """The events of one room session with one egress. Times are whole seconds before `ended_at`."""

    def __init__(
        self, ended_at: datetime, number: int = 1, *, metadata: str = METADATA, path: str = "", **egress: Any
    ) -> None:
        self.ended_at, self.path = ended_at.replace(microsecond=0), path or f"{PREFIX}talk-{number}.m4a"
        self.room = Room(sid=f"RM_{number}", name=f"room-{number}", metadata=metadata)
        self.egress_id, self.fields = f"EG_{number}", egress

    def seconds(self, before: int) -> int:
        return int(self.ended_at.timestamp()) - before

    def event(self, name: str, before: int, **fields: Any) -> WebhookEvent:
        created_at = self.seconds(before)
        return WebhookEvent(event=name, id=f"EV_{name}_{before}", created_at=created_at, room=self.room, **fields)

    def person(self, identity: str, joined: int, role: str = "", *, publishes: bool = True, **more: Any) -> Any:
        """Return a participant. `joined`: seconds before the end. `role`: the attribute `spacekeep.role`."""
        attributes = {**({"spacekeep.role": role} if role else {}), **more.pop("attributes", {})}
        return ParticipantInfo(
            sid=f"PA_{identity}",
            identity=identity,
            name=more.pop("name", identity.capitalize()),
            joined_at=self.seconds(joined),
            permission=ParticipantPermission(can_publish=publishes, can_subscribe=True),
            attributes=attributes,
            **more,
        )

    def joined(self, identity: str, before: int, role: str = "", **more: Any) -> WebhookEvent:
        return self.event("participant_joined", before, participant=self.person(identity, before, role, **more))

    def left(self, identity: str, joined: int, before: int, role: str = "", **more: Any) -> WebhookEvent:
        return self.event("participant_left", before, participant=self.person(identity, joined, role, **more))

    def info(self, status: EgressStatus = EgressStatus.EGRESS_COMPLETE) -> EgressInfo:
        over = status not in (EgressStatus.EGRESS_STARTING, EgressStatus.EGRESS_ACTIVE)
        files = [FileInfo(filename=self.path, location=f"https://elsewhere.example/{self.path}", size=1)]
        return EgressInfo(
            egress_id=self.egress_id,
            room_id=self.room.sid,
            room_name=self.room.name,
            status=status,
            ended_at=int(self.ended_at.timestamp()) * 10**9 if over else 0,
            file_results=self.fields.get("file_results", files if over else []),
            error=self.fields.get("error", ""),
        )

    def egress(self, name: str, status: EgressStatus, before: int) -> WebhookEvent:
        event = WebhookEvent(event=name, id=f"EV_{name}", created_at=self.seconds(before))
        event.egress_info.CopyFrom(self.info(status))  # egress events do not contain the room
        return event

    def started(self) -> WebhookEvent:
        return self.egress("egress_started", EgressStatus.EGRESS_ACTIVE, 600)

    def ended(self) -> WebhookEvent:
        return self.egress("egress_ended", EgressStatus.EGRESS_COMPLETE, 0)

    def finished(self) -> WebhookEvent:
        return self.event("room_finished", 0)


class LiveKitServer:
    """A context in which `url` answers ListEgress with `egresses`, `page` at a time, to callers with a valid token."""

    def __init__(self, *egresses: EgressInfo, page: int = 100, status: int = 200) -> None:
        self.egresses, self.page, self.status = list(egresses), page, status
        self.requests = 0

    def __enter__(self) -> Self:
        self._served = serve(_Handler, livekit=self)
        self.url = self._served.__enter__()
        return self

    def __exit__(self, *args: object) -> None:
        self._served.__exit__(None, None, None)

    def answer(self, request: ListEgressRequest) -> ListEgressResponse:
        start = int(request.page_token.token or 0)
        following = start + self.page
        more = TokenPagination(token=str(following)) if following < len(self.egresses) else None
        return ListEgressResponse(items=self.egresses[start:following], next_page_token=more)


class _Handler(BaseHTTPRequestHandler):
    livekit: LiveKitServer

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the tests say what they saw."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.livekit.requests += 1
        token = self.headers["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], issuer=KEY)
        allowed = claims["video"].get("roomRecord") and self.path == "/twirp/livekit.Egress/ListEgress"
        status = self.livekit.status if allowed else 403
        data = b'{"code": "internal", "msg": "A bad day."}'
        if status == 200:
            data = self.livekit.answer(ListEgressRequest.FromString(body)).SerializeToString()
        self.send_response(status)
        self.send_header("Content-Type", "application/protobuf" if status == 200 else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)
