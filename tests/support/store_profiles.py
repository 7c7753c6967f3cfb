"""Other vendors' stores: SeaweedFS behind a proxy that enforces what their documentation says, or what we observed.

Each rule has its source. A store that ignores headers is simulated by removing them and signing the request again with
SeaweedFS's own key. The original signature is then not verified.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.conf import settings

from archive.storage import Store
from tests.faults.proxy import Answer, Asked, Proxy
from tests.support.authorities import Authority
from tests.support.object_stores import override_store

SIGNATURE = {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"}
SIGNATURE |= {"X-Amz-Signature", "X-Amz-Content-Sha256"}
SIGNED_HEADERS = {"authorization", "x-amz-date", "x-amz-content-sha256", "content-length", "connection", "host"}


def error(status: int, code: str, message: str) -> Answer:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return status, [("Content-Type", "application/xml")], body.encode()


NOT_IMPLEMENTED = error(501, "NotImplemented", "A header or query you provided requests functionality not implemented.")


class Profile(Proxy):
    """`missing`: (method, query parameter) of operations that answer 501. `ignored`: a pattern of ignored headers."""

    missing: ClassVar[set[tuple[str, str]]] = set()
    ignored = ""
    https = False

    def __init__(self) -> None:
        super().__init__(settings.S3_ENDPOINT_URL)

    def refuse(self, asked: Asked) -> Answer | None:
        if any(asked.method == method and name in asked.query for method, name in self.missing):
            return NOT_IMPLEMENTED
        if self.ignored:
            self._sign_without(asked, self.ignored)
        return None

    def _sign_without(self, asked: Asked, pattern: str) -> None:
        if asked.method != "OPTIONS" and any(re.search(pattern, name) for name in asked.headers):
            self.sign_again(asked, without=pattern)

    def sign_again(self, asked: Asked, without: str = "^$") -> None:
        """Sign the changed request, without the headers that match this pattern."""
        query = {name: value for name, value in asked.query.items() if name not in SIGNATURE}
        headers = {
            name: value
            for name, value in asked.headers.items()
            if not re.search(without, name) and name not in SIGNED_HEADERS
        }
        url = f"http://{self.target}{asked.path}"
        request = AWSRequest(asked.method, url, {**headers, "host": self.target}, asked.body, query)
        request.context["payload_signing_enabled"] = True
        storages: dict[str, Any] = settings.STORAGES
        options = storages["default"]["OPTIONS"]
        credentials = Credentials(options["access_key"], options["secret_key"])
        S3SigV4Auth(credentials, "s3", options["region_name"]).add_auth(request)
        asked.headers = {name.lower(): str(value) for name, value in request.headers.items()}
        asked.headers["content-length"] = str(len(asked.body))
        asked.query = query
        asked.target = f"{asked.path}?{urlencode(query)}" if query else asked.path


class Aws(Profile):
    """Amazon S3. API reference of UploadPart: a checksum must use the algorithm that CreateMultipartUpload announced
    ("Checksum Type mismatch occurred"), and then each part must have one."""

    def __init__(self) -> None:
        super().__init__()
        self.announced: dict[str, str] = {}

    def refuse(self, asked: Asked) -> Answer | None:
        announced = self.announced.get(asked.query.get("uploadId", ""), "")
        sent = next((name[15:] for name in asked.headers if re.fullmatch(r"x-amz-checksum-(sha256|sha1)", name)), "")
        if asked.method == "PUT" and "partNumber" in asked.query and "x-amz-copy-source" not in asked.headers:
            if sent and sent != announced:
                return self.mismatch(announced or "null", sent)
            if announced == "sha256" and not sent:
                return self.mismatch(announced, "null")
        if asked.method == "POST" and announced == "sha256" and b"<ChecksumSHA256>" not in asked.body:
            words = "The upload was created using a sha256 checksum. The complete request must include each part's."
            return error(400, "InvalidRequest", words)
        return super().refuse(asked)

    def mismatch(self, announced: str, sent: str) -> Answer:
        words = f"Checksum Type mismatch occurred, expected checksum Type: {announced}, actual: {sent}"
        return error(400, "InvalidRequest", words)

    def change(self, asked: Asked, answer: Answer) -> Answer:
        if asked.method == "POST" and "uploads" in asked.query:
            upload = re.search(rb"<UploadId>([^<]+)<", answer[2])
            algorithm = asked.headers.get("x-amz-checksum-algorithm", "").lower()
            if upload and algorithm:
                self.announced[upload[1].decode()] = algorithm
        return answer


class R2(Profile):
    """Cloudflare R2. Its page "S3 API compatibility": no versioning, no object lock, and for entire objects only
    CRC-64/NVME checksums. Its limits: all parts except the last have the same size."""

    missing: ClassVar[set[tuple[str, str]]] = {("GET", "versioning"), ("GET", "object-lock"), ("GET", "versions")}

    def __init__(self) -> None:
        super().__init__()
        self.sizes: dict[str, dict[int, int]] = {}

    def refuse(self, asked: Asked) -> Answer | None:
        if asked.headers.get("x-amz-checksum-type") == "FULL_OBJECT":
            return error(400, "InvalidRequest", "FULL_OBJECT checksums must be CRC64NVME.")
        upload = asked.query.get("uploadId", "")
        if asked.method == "PUT" and "partNumber" in asked.query:
            first, last = re.findall(r"\d+", asked.headers.get("x-amz-copy-source-range", "")) or (0, -1)
            size = int(last) - int(first) + 1 or len(asked.body)
            self.sizes.setdefault(upload, {})[int(asked.query["partNumber"])] = size
        if asked.method == "POST" and upload:
            *others, _ = [size for _, size in sorted(self.sizes.get(upload, {0: 0}).items())]
            if len(set(others)) > 1:
                return error(400, "InvalidPart", "All non-trailing parts must have the same length.")
        return super().refuse(asked)


class Ceph(Profile):
    """Ceph RGW 16.2.15, as observed: CompleteMultipartUpload returns an empty ETag; checksums and copy conditions are
    ignored; parts with a trailer (as the SDK sends over HTTPS) are refused; errors have no message."""

    ignored = r"^x-amz-(checksum-|sdk-checksum|copy-source-if)"

    def refuse(self, asked: Asked) -> Answer | None:
        if "x-amz-trailer" in asked.headers:
            return error(411, "MissingContentLength", "")
        return super().refuse(asked)

    def change(self, asked: Asked, answer: Answer) -> Answer:
        status, headers, body = answer
        if asked.method == "POST" and "uploadId" in asked.query:
            body = re.sub(rb"<ETag>[^<]*</ETag>", b"<ETag></ETag>", body)
        if status >= 400:
            body = re.sub(rb"<Message>[^<]*</Message>", b"<Message></Message>", body)
        return status, headers, body


class CephHttps(Ceph):
    """The same over HTTPS, with a certificate of a private authority. The SDK sends trailers only over HTTPS."""

    https = True


class Garage(Profile):
    """Garage. Its page "S3 Compatibility status": no ListObjectVersions, no object lock, and most x-amz- headers are
    ignored."""

    missing: ClassVar[set[tuple[str, str]]] = {("GET", "object-lock"), ("GET", "versions")}
    ignored = r"^x-amz-(checksum-|sdk-checksum)"


class Swift(Profile):
    """OpenStack Swift 2.30 with s3api, as observed: DeleteObjects needs Content-MD5; no CORS; checksums are ignored;
    the ETag of an object from a multipart upload never matches the condition of a copy."""

    missing: ClassVar[set[tuple[str, str]]] = {("PUT", "cors"), ("GET", "object-lock")}
    ignored = r"^x-amz-(checksum-|sdk-checksum)"

    def refuse(self, asked: Asked) -> Answer | None:
        if asked.method == "POST" and "delete" in asked.query and "content-md5" not in asked.headers:
            return error(400, "InvalidRequest", "Missing required header for this request: Content-MD5")
        if asked.method == "OPTIONS":
            return error(405, "MethodNotAllowed", "")
        if "x-amz-copy-source-if-match" in asked.headers:
            return error(412, "PreconditionFailed", "At least one of the preconditions you specified did not hold")
        return super().refuse(asked)


class Gcs(Profile):
    """Google Cloud Storage, interoperability with S3. Its XML API reference has no x-amz-checksum headers, no part
    copies, and no object lock of S3."""

    missing: ClassVar[set[tuple[str, str]]] = {("GET", "object-lock")}
    ignored = r"^x-amz-(checksum-|sdk-checksum)"

    def refuse(self, asked: Asked) -> Answer | None:
        if "x-amz-copy-source" in asked.headers and "partNumber" in asked.query:
            return NOT_IMPLEMENTED
        return super().refuse(asked)


class Rclone(Profile):
    """rclone 1.75 `serve s3`, as observed: no versions; PutBucketCors creates a bucket; HEAD does not return the ETag
    of CompleteMultipartUpload; a copy of a part is taken for an empty upload, and answered with 200."""

    missing: ClassVar[set[tuple[str, str]]] = {("GET", "versions"), ("GET", "versioning"), ("GET", "object-lock")}
    ignored = r"^x-amz-(checksum-|sdk-checksum)"

    def refuse(self, asked: Asked) -> Answer | None:
        if asked.method == "PUT" and "cors" in asked.query:
            return error(409, "BucketAlreadyExists", "The requested bucket name is not available.")
        if "x-amz-copy-source" in asked.headers and "partNumber" in asked.query:
            return 200, [], b""
        return super().refuse(asked)

    def change(self, asked: Asked, answer: Answer) -> Answer:
        if asked.method == "POST" and "uploadId" in asked.query:
            return answer[0], answer[1], re.sub(rb"<ETag>[^<]*</ETag>", b"<ETag>&#34;other-1&#34;</ETag>", answer[2])
        return answer


class SmallPages(Profile):
    """A store that lists two at a time, as every store may."""

    limits: ClassVar[dict[str, str]] = {
        "list-type": "keys",
        "versions": "keys",
        "uploads": "uploads",
        "uploadId": "parts",
    }

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, int] = {}

    def refuse(self, asked: Asked) -> Answer | None:
        listed = next((name for name in self.limits if name in asked.query), "") if asked.method == "GET" else ""
        if listed:
            self.pages[listed] = self.pages.get(listed, 0) + 1
            asked.query[f"max-{self.limits[listed]}"] = "2"
            self.sign_again(asked)
        return None


class LeastPrivilege(Profile):
    """A key with only the permissions of docs/stores.md: it may not configure the bucket or read the configuration."""

    def refuse(self, asked: Asked) -> Answer | None:
        configures = {"cors", "versioning", "object-lock", "policy", "lifecycle"} & set(asked.query)
        if configures or (asked.method == "PUT" and asked.path.count("/") == 1):
            return error(403, "AccessDenied", "Access Denied")
        return super().refuse(asked)


PROFILES: list[type[Profile]] = [Aws, R2, Ceph, CephHttps, Garage, Swift, Gcs, Rclone, LeastPrivilege]


@contextmanager
def use_profile(profile: type[Profile]) -> Iterator[tuple[Profile, Store]]:
    """Redirect both addresses of the store to this profile."""
    with tempfile.TemporaryDirectory() as folder:
        proxy, verify = profile(), None
        if profile.https:
            authority = Authority(Path(folder))
            proxy.tls, verify = authority.context("127.0.0.1"), authority.ca_file
        with proxy, override_store(endpoint_url=proxy.url, public=True, tried=False, verify=verify) as bucket:
            yield proxy, bucket
