"""The certificate verifier is one file that runs anywhere, and names what was changed."""

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.test import override_settings

from archive.bundles.contents import facts
from archive.models import DeletionCertificate, Space, User
from archive.moderation.violations import flag
from archive.retention import certificate, verify_certificate
from archive.retention.purge import purge
from archive.retention.verify_certificate import InvalidCertificate, main, verify
from tests.support.deadlines import make_due
from tests.support.processes import ROOT

pytestmark = pytest.mark.usefixtures("db")
KEY = Ed25519PrivateKey.from_private_bytes(b"only for tests: 32 bytes of seed")
PUBLIC = KEY.public_key()
OTHER = Ed25519PrivateKey.from_private_bytes(b"another key, also of 32 bytes...").public_key()


@dataclass(frozen=True)
class Deleted:
    """The facts that a host who kept the bundle of a deleted Space has, and the certificate."""

    facts: dict[str, Any]
    document: bytes


_deleted: list[Deleted] = []


@pytest.fixture
def deleted(request: pytest.FixtureRequest, admin: User) -> Deleted:
    """Delete a Space for the first test that asks; the others get the same facts and certificate, without the rows."""
    if not _deleted:
        space: Space = request.getfixturevalue("zebrafish")
        flag(space.pk, "spam", "An axolotl.", admin)
        space_facts = facts(Space.objects.get(pk=space.pk))
        make_due(space)
        assert purge(space.pk)
        _deleted.append(Deleted(space_facts, DeletionCertificate.objects.get().document.encode()))
    return _deleted[0]


@pytest.fixture
def document(deleted: Deleted) -> bytes:
    return deleted.document


@pytest.fixture
def files(tmp_path: Path, document: bytes) -> Path:
    (tmp_path / "certificate.json").write_bytes(document)
    (tmp_path / "key.pem").write_bytes(certificate.public_keys())
    return tmp_path


def changed(document: bytes, **fields: Any) -> bytes:
    """Return the document with other fields, signed with the right key; None removes a field."""
    content = json.loads(document) | fields
    content = {name: value for name, value in content.items() if value is not None and name != "signature"}
    return rfc8785.dumps({**content, "signature": KEY.sign(rfc8785.dumps(content)).hex()})


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the verifier without any setting."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={}, check=False)


def check(files: Path, *more: str) -> int:
    return main([str(files / "certificate.json"), "--key", str(files / "key.pem"), *more])


def test_a_valid_certificate_verifies(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(files) == 0

    out = capsys.readouterr().out
    assert "good. Space " in out
    assert "3 objects deleted, seen empty at 20" in out


def test_any_changed_byte_is_found(document: bytes) -> None:
    for at in range(len(document)):
        for bit in (0x01, 0x20, 0x80):
            spoiled = document[:at] + bytes([document[at] ^ bit]) + document[at + 1 :]
            with pytest.raises(InvalidCertificate, match=r"\w{3}"):
                verify(spoiled, PUBLIC)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: b"\x89PNG" + d, "it is not JSON"),
        (lambda d: d[:-1], "it is not JSON"),
        (lambda d: b"[" * 100_000, "it is not JSON"),
        (lambda d: b'{"format":1e400}', "1e400 is not a whole number"),
        (lambda d: b"[]", "it is not a JSON object"),
        (lambda d: b"{}", "it is not a spacekeep/certificate-of-deletion: format is None"),
        (lambda d: changed(d, version=2), "version 2 is not known to this verifier, which knows 1"),
        (lambda d: changed(d, version=True), "version True is not known to this verifier"),
        (lambda d: changed(d, deletion=None), "the field 'deletion' is missing"),
        (lambda d: changed(d, policy=[]), "the field 'policy' is not what it should be"),
        (lambda d: changed(d, note="x"), "there is a field 'note' that no certificate has"),
        (lambda d: d + b"\n", "byte \\d+ was changed, added or lost"),
        (lambda d: json.dumps(json.loads(d)).encode(), "byte \\d+ was changed, added or lost"),
        (lambda d: d.replace(b'"signature":"', b'"signature":"AA'), "the signature is not 64 bytes in lower-case hex"),
        (lambda d: d.replace(b'"why":"deadline"', b'"why":"dreadful"'), "the signature does not fit"),
        (lambda d: d.replace(b'"space":"', b'"space":"\\ud800'), "it holds what canonical JSON can't"),
    ],
)
def test_each_error_has_a_message(document: bytes, spoil: Callable[[bytes], bytes], message: str) -> None:
    with pytest.raises(InvalidCertificate, match=message):
        verify(spoil(document), PUBLIC)


def test_a_wrong_key_is_named(document: bytes) -> None:
    with pytest.raises(InvalidCertificate, match=r"it names another key: [0-9a-f]{64}; given: [0-9a-f]{64}"):
        verify(document, OTHER)


def test_a_forger_with_a_key_of_their_own_does_not_pass(document: bytes) -> None:
    content = json.loads(document)
    del content["signature"]
    forger = Ed25519PrivateKey.generate()
    forged = rfc8785.dumps({**content, "signature": forger.sign(rfc8785.dumps(content)).hex()})

    with pytest.raises(InvalidCertificate, match="the signature does not fit"):
        verify(forged, PUBLIC)


def test_a_later_key_signs_later_certificates(document: bytes) -> None:
    with override_settings(CERTIFICATE_KEY=b"another key, also of 32 bytes..."):
        assert load_pem_public_key(certificate.public_keys()) == OTHER
        assert certificate.key_id() == verify_certificate.key_id(OTHER)
    assert verify(document, PUBLIC)["key"] == certificate.key_id()


@pytest.mark.parametrize(
    ("key", "message"),
    [(b"", "is not a public key in PEM"), (None, "can't be read (No such file or directory)")],
)
def test_an_invalid_key_is_refused(
    files: Path, capsys: pytest.CaptureFixture[str], key: bytes | None, message: str
) -> None:
    (files / "key.pem").unlink() if key is None else (files / "key.pem").write_bytes(key)

    assert check(files) == 1
    assert message in capsys.readouterr().err


def test_a_bundle_proves_what_its_certificate_is_about(
    files: Path, deleted: Deleted, capsys: pytest.CaptureFixture[str]
) -> None:
    remaining, other = files / "space.json", files / "other.json"
    remaining.write_text(json.dumps(deleted.facts))
    other.write_text(json.dumps(deleted.facts | {"title": "Axolotl"}))

    assert check(files, "--bundle", str(remaining)) == 0
    assert check(files, "--bundle", str(other)) == 1
    assert "about something else than what is in that bundle" in capsys.readouterr().err


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A Python as on another machine: only `cryptography` is installed."""
    venv.create(tmp_path / "env", symlinks=True)
    (packages,) = (tmp_path / "env").glob("lib/*/site-packages")
    ours = Path(sysconfig.get_path("platlib"))
    for package in (ours / "cryptography", ours / "cffi", *ours.glob("_cffi_backend*")):
        (packages / package.name).symlink_to(package)
    return tmp_path / "env" / "bin" / "python"


def test_the_verifier_runs_alone(files: Path, elsewhere: Path, document: bytes) -> None:
    (files / "empty").mkdir()
    script = Path(shutil.copy(verify_certificate.__file__, files / "empty"))
    command = [str(elsewhere), "-I", str(script), str(files / "certificate.json"), "--key", str(files / "key.pem")]

    django = run([str(elsewhere), "-I", "-c", "import django"])
    good = run(command)
    (files / "certificate.json").write_bytes(document.replace(b'"attempts":1', b'"attempts":2'))
    bad = run(command)

    assert django.returncode == 1, "that machine has more than it should"
    assert (good.returncode, good.stderr) == (0, "")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.endswith("NOT GOOD: the signature does not fit: it, or what it signs, was changed\n")
    assert bad.stderr.count("\n") == 1


def test_the_module_needs_no_settings(files: Path) -> None:
    command = [sys.executable, "-m", "archive.retention.verify_certificate", str(files / "certificate.json")]
    loaded = "import sys, archive.retention.verify_certificate; print('django' in sys.modules)"

    done = run([*command, "--key", str(files / "key.pem")])
    imported = run([sys.executable, "-c", loaded])

    assert (done.returncode, done.stderr) == (0, "")
    assert imported.stdout == "False\n"


def test_the_key_is_named_as_openssl_would() -> None:
    # openssl pkey -pubin -in key.pem -outform DER | sha256sum
    assert certificate.key_id() == "a56ea9d7e92e52c831bd426628b4621da5275564c295bd9a44d3361242c4521d"
