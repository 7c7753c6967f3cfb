"""A time-stamp authority (RFC 3161) on loopback: `openssl ts -reply`, with a certificate of a test CA."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.http_server import serve

CONFIG = """
[tsa]
default_tsa = it
[it]
serial = {folder}/serial
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = yes
ess_cert_id_alg = sha256
crypto_device = builtin
signer_digest = sha256
"""
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Authority:
    """`answer` may change the response. `queries` are the received requests."""

    folder: Path
    url: str = ""
    answer: "Callable[[Authority, bytes], Answer]" = lambda authority, query: granted(authority.reply(query))
    queries: list[bytes] = field(default_factory=list)
    own: x509.Certificate = field(init=False)
    ca_key: ec.EllipticCurvePrivateKey = field(init=False)
    key: ec.EllipticCurvePrivateKey = field(init=False)

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def reply(self, query: bytes) -> bytes:
        (self.folder / "query.tsq").write_bytes(query)
        files = {"-queryfile": "query.tsq", "-signer": "tsa.pem", "-inkey": "tsa.key", "-chain": "ca.pem"}
        options = [part for option, name in files.items() for part in (option, str(self.folder / name))]
        command = ["openssl", "ts", "-reply", "-config", str(self.folder / "tsa.conf"), *options]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def certify(self, *, ends_in: int = 1) -> None:
        """Replace CA and certificate. It expires in `ends_in` days (negative: in the past)."""
        self.ca_key, self.key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
        ca = self._unsigned(name, self.ca_key, 10).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.ca.write_bytes(ca.sign(self.ca_key, hashes.SHA256()).public_bytes(Encoding.PEM))
        self.own = self.issue(ends_in=ends_in)
        (self.folder / "tsa.pem").write_bytes(self.own.public_bytes(Encoding.PEM))
        secret = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "tsa.key").write_bytes(secret)

    def issue(
        self, *, usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING, ends_in: int = 1
    ) -> x509.Certificate:
        """Issue a certificate for its key."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test TSA")])
        unsigned = self._unsigned(name, self.key, ends_in).add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        return unsigned.sign(self.ca_key, hashes.SHA256())

    def _unsigned(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, ends_in: int) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
        begin, end = now - timedelta(days=10), now + timedelta(days=ends_in)
        number = 2 if key is self.key else 1
        return x509.CertificateBuilder(issuer, name, key.public_key(), number, begin, end)


def granted(reply: bytes) -> Answer:
    return 200, {"Content-Type": "application/timestamp-reply"}, reply


class Handler(BaseHTTPRequestHandler):
    authority: Authority

    def do_POST(self) -> None:
        query = self.rfile.read(int(self.headers["Content-Length"]))
        self.authority.queries.append(query)
        status, headers, body = self.authority.answer(self.authority, query)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def run_authority(folder: Path) -> Iterator[Authority]:
    authority = Authority(folder)
    authority.certify()
    (folder / "tsa.conf").write_text(CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    with serve(Handler, authority=authority) as url:
        authority.url = f"{url}/tsr"
        yield authority
