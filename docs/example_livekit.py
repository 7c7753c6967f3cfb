"""Do what LiveKit does for one recorded room: example_livekit.py FILE HOST

It reads the settings of Spacekeep from the environment: SITE_URL, LIVEKIT_* and S3_*."""

import base64, hashlib, os, sys, time, urllib.request
from pathlib import Path

import boto3
from google.protobuf.json_format import MessageToJson
from livekit.api import AccessToken
from livekit.protocol.egress import EgressInfo, EgressStatus, FileInfo
from livekit.protocol.models import ParticipantInfo, ParticipantPermission, Room
from livekit.protocol.webhook import WebhookEvent

file, host = Path(sys.argv[1]), sys.argv[2]
setting, now = os.environ, int(time.time())
key = f"{setting.get('LIVEKIT_PREFIX', '')}example-{now}{file.suffix}"
store = boto3.client(
    "s3",
    endpoint_url=setting["S3_ENDPOINT_URL"],
    aws_access_key_id=setting["S3_ACCESS_KEY_ID"],
    aws_secret_access_key=setting["S3_SECRET_ACCESS_KEY"],
    region_name=setting.get("S3_REGION", "us-east-1"),
)
if setting["LIVEKIT_BUCKET"] not in [bucket["Name"] for bucket in store.list_buckets()["Buckets"]]:
    store.create_bucket(Bucket=setting["LIVEKIT_BUCKET"])
store.upload_file(str(file), setting["LIVEKIT_BUCKET"], key)

room = Room(sid=f"RM_{now}", name="example", metadata='{"spacekeep": {"title": "An example from LiveKit"}}')
result = EgressInfo(
    egress_id=f"EG_{now}",
    room_id=room.sid,
    room_name=room.name,
    status=EgressStatus.EGRESS_COMPLETE,
    ended_at=now * 10**9,
    file_results=[FileInfo(filename=key)],
)
speaker, listener = ParticipantPermission(can_publish=True), ParticipantPermission(can_publish=False)
people = [
    ParticipantInfo(identity=host, permission=speaker, attributes={"spacekeep.role": "host"}),
    ParticipantInfo(identity="bo", name="Bo", permission=speaker),
    ParticipantInfo(identity="zoe", permission=listener),
]
for person in people:
    person.sid, person.joined_at = f"PA_{person.identity}", now - 600
events = [WebhookEvent(event="participant_left", room=room, participant=one, created_at=now) for one in people]
events += [WebhookEvent(event="egress_ended", egress_info=result), WebhookEvent(event="room_finished", room=room)]
for event in events:
    body = MessageToJson(event).encode()
    token = AccessToken(setting["LIVEKIT_API_KEY"], setting["LIVEKIT_API_SECRET"])
    signed = token.with_sha256(base64.b64encode(hashlib.sha256(body).digest()).decode()).to_jwt()
    headers = {"Authorization": signed, "Content-Type": "application/webhook+json"}
    request = urllib.request.Request(f"{setting['SITE_URL']}/api/v1/livekit", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        print(answer.status, event.event)
