"""python -m archive.retention.verify_certificate FILE --key PUB [--bundle SPACE_JSON] [--receipt FILE --log-key VKEY]

Checks a deletion certificate. This file stands alone: it needs Python 3.11 and the package `cryptography`, and nothing
else of Spacekeep, so it can be copied to any machine and run there as `python verify_certificate.py`.

PUB is the archive's public key as PEM, which you must have obtained while you could trust it. SPACE_JSON is
data/space.json of a bundle: with it, the program also checks that the certificate is about the recording in that
bundle. --receipt is the receipt of the certificate's entry in the retention log: with it, the program also checks that
the log has the entry; that needs verify_log.py beside this file. VKEY is the log's public key.

The exit status is 0 only if everything is right; otherwise one line on standard error says what is wrong.
"""

import argparse
import hashlib
import hmac
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

FORMAT = "spacekeep/certificate-of-deletion"
VERSION = 1
# Every field and its type.
FIELDS: dict[str, type] = {
    "format": str,
    "version": int,
    "space": str,
    "facts": str,
    "ended_at": str,
    "deadline": dict,
    "policy": dict,
    "decisions": list,
    "deletion": dict,
    "issued_at": str,
    "key": str,
    "signature": str,
}


class InvalidCertificate(Exception):
    """The certificate is not valid. The text says why."""


def canonical(value: Any) -> bytes:
    """Encode as canonical JSON (RFC 8785) the values that a certificate may have: objects with ASCII names, lists,
    texts, whole numbers, true, false and null."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def parsed(data: bytes, what: str = "it") -> dict[str, Any]:
    """Return the JSON object in `data`; `what` names it in errors. Raises InvalidCertificate."""

    def refuse(text: str) -> NoReturn:
        raise ValueError(f"{text[:20]} is not a whole number")

    try:
        found = json.loads(data.decode(), parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise InvalidCertificate(f"{what} is not JSON with whole numbers only ({error})") from error
    if not isinstance(found, dict):
        raise InvalidCertificate(f"{what} is not a JSON object")
    return found


def verify(data: bytes, *keys: Ed25519PublicKey) -> dict[str, Any]:
    """Return the certificate in `data` if it is valid and signed with one of `keys`. Raises InvalidCertificate."""
    found = parsed(data)
    if found.get("format") != FORMAT:
        raise InvalidCertificate(f"it is not a {FORMAT}: format is {found.get('format')!r}")
    if found.get("version") != VERSION or isinstance(found.get("version"), bool):
        raise InvalidCertificate(
            f"version {found.get('version')!r} is not known to this verifier, which knows {VERSION}"
        )
    for name, kind in FIELDS.items():
        if name not in found:
            raise InvalidCertificate(f"the field {name!r} is missing")
        if not isinstance(found[name], kind):
            raise InvalidCertificate(f"the field {name!r} is not what it should be")
    if unknown := sorted(set(found) - set(FIELDS)):
        raise InvalidCertificate(f"there is a field {unknown[0]!r} that no certificate has")
    given = {key_id(key): key for key in keys}
    if found["key"] not in given:
        raise InvalidCertificate(f"it names another key: {found['key']}; given: {', '.join(given)}")
    try:
        whole = canonical(found)
        signed = canonical({name: value for name, value in found.items() if name != "signature"})
    except (ValueError, RecursionError) as error:
        raise InvalidCertificate(f"it holds what canonical JSON can't ({error})") from error
    if whole != data:
        at = next((i for i, (a, b) in enumerate(zip(whole, data, strict=False)) if a != b), min(len(whole), len(data)))
        raise InvalidCertificate(f"it is not in canonical form: byte {at} was changed, added or lost")
    if not re.fullmatch("[0-9a-f]{128}", found["signature"]):
        raise InvalidCertificate("the signature is not 64 bytes in lower-case hex")
    try:
        given[found["key"]].verify(bytes.fromhex(found["signature"]), signed)
    except InvalidSignature:
        raise InvalidCertificate("the signature does not fit: it, or what it signs, was changed") from None
    return found


def check_bundle(certificate: dict[str, Any], bundle: dict[str, Any]) -> None:
    """Raise InvalidCertificate unless the certificate is about the recording whose bundle has this space.json."""
    try:
        facts = {
            "title": bundle["title"],
            "ended_at": bundle["ended_at"],
            "participants": bundle["participants"],
            "recordings": [recording["sha256"] for recording in bundle["recordings"]],
        }
        salt = bytes.fromhex(bundle["salt"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidCertificate(f"the bundle's space.json lacks something ({error})") from error
    made = hmac.new(salt, json.dumps(facts, sort_keys=True).encode(), hashlib.sha256).hexdigest()
    if bundle.get("id") != certificate["space"] or made != certificate["facts"]:
        raise InvalidCertificate("it is good, but about something else than what is in that bundle")


def key_id(key: Ed25519PublicKey) -> str:
    """Return the SHA-256 (hex) of the public key as DER."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidCertificate(f"{path} can't be read ({error.strerror})") from error


def read_keys(path: Path) -> list[Ed25519PublicKey]:
    """Return the public keys in a PEM file: several after a rotation."""
    return parse_keys(read(path), str(path))


def parse_keys(pem: bytes, what: str) -> list[Ed25519PublicKey]:
    """Return the public keys in PEM; `what` names it in errors. Raises InvalidCertificate."""
    blocks = re.findall(rb"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", pem, re.DOTALL)
    try:
        keys = [load_pem_public_key(block) for block in blocks]
    except ValueError as error:
        raise InvalidCertificate(f"{what} is not a public key in PEM") from error
    if not keys:
        raise InvalidCertificate(f"{what} is not a public key in PEM")
    found = [key for key in keys if isinstance(key, Ed25519PublicKey)]
    if len(found) != len(keys):
        raise InvalidCertificate(f"{what} is not an Ed25519 key")
    return found


def check_receipt(certificate: Path, pem: Path, receipt: Path, log_keys: list[str]) -> int:
    """Run verify_log.py, beside this file or at its place in Spacekeep, on the receipt. Returns its exit status."""
    here = Path(__file__).parent
    places = (here / "verify_log.py", here.parent / "transparency" / "verify_log.py")
    path = next((place for place in places if place.exists()), places[0])
    arguments = [str(receipt), "--certificate", str(certificate), "--certificate-key", str(pem)]
    arguments += [word for key in log_keys for word in ("--key", key)]
    return subprocess.run([sys.executable, "-I", str(path), *arguments], check=False).returncode


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Check a certificate of deletion.")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--key", type=Path, required=True, metavar="PUB", help="the archive's public keys, PEM")
    parser.add_argument("--bundle", type=Path, metavar="SPACE_JSON", help="data/space.json of a bundle of it")
    parser.add_argument("--receipt", type=Path, metavar="FILE", help="of its entry in the retention log")
    parser.add_argument("--log-key", action="append", default=[], metavar="VKEY", help="the public key of the log")
    options = parser.parse_args(arguments)
    if options.receipt and not options.log_key:
        parser.error("--receipt needs --log-key: the public key of the log")
    try:
        found = verify(read(options.file), *read_keys(options.key))
        if options.bundle:
            check_bundle(found, parsed(read(options.bundle), str(options.bundle)))
    except InvalidCertificate as error:
        sys.stderr.write(f"{options.file}: NOT GOOD: {error}\n")
        return 1
    deletion = found["deletion"]
    count = len(deletion.get("removed", []))
    sys.stdout.write(
        f"{options.file}: good. Space {found['space']}, kept until {found['deadline'].get('at')}: "
        f"{count} {'object' if count == 1 else 'objects'} deleted, "
        f"seen empty at {deletion.get('listed_empty_at')}.\n"
    )
    sys.stdout.flush()
    return check_receipt(options.file, options.key, options.receipt, options.log_key) if options.receipt else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
