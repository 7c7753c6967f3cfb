"""python verify_log.py EXPORT --key VKEY [--checkpoint FILE]
   python verify_log.py RECEIPT.tlog-proof --key VKEY [--certificate FILE [--certificate-key PUB]] [--keys KEYS.txt]
   python verify_log.py CERTIFICATES --key VKEY [--certificate-key PUB] [--keys KEYS.txt]
   python verify_log.py CHECKPOINTS.txt --key VKEY [--keys KEYS.txt]

Verify an export of the retention log, or the receipt of one entry; with --certificate, also verify that the entry is
about this deletion certificate. This file stands alone: it needs Python 3.11 and the package `cryptography`, and
nothing else of Spacekeep, so it can be copied to any machine and run there. With --certificate-key, the archive's
public keys as PEM, it also checks the certificate's own signature, and needs verify_certificate.py beside it.

EXPORT is the ZIP file or the folder made by `manage.py export_log` or the log's page: `entries.jsonl` (one entry per
line, byte for byte as it was hashed), `checkpoints.txt` (signed tree heads, oldest first) and `tile/` (hashes). VKEY is
the log's public key, which you must have obtained while you could trust it. FILE is a checkpoint from another source:
mail, a witness, or an older export. CERTIFICATES is the ZIP file, or the folder, from the page of one certificate or
from their list: deletion certificates and their receipts. The keys in it are not trusted: they prove only that the
files match each other. KEYS.txt is the log's list of keys, which exports and certificates include: a later key counts
if one of your keys has endorsed it. After a leak, give --key for the new one instead.

Formats: RFC 6962 (hashes and proofs), and of c2sp.org: signed-note, tlog-checkpoint, tlog-tiles, tlog-proof,
tlog-cosignature. The exit status is 0 only if everything is right; otherwise one line on standard error says what is
wrong. It is 1, with NOT VALID in the line, if a check failed, and 2 if nothing could be checked.
"""

import argparse
import base64
import binascii
import hashlib
import importlib.util
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HASH = 32  # bytes
TILE = 256  # hashes in a full tile
TILE_HEIGHT = 8
EMPTY_ROOT = hashlib.sha256(b"").digest()
ED25519, COSIGNATURE = 1, 4  # signature types of c2sp.org/signed-note
MAX_NOTE = 1_000_000  # bytes
LOOK_AHEAD = 65_536  # entries to read after the first difference, to find out what was done
SAVED_EACH = 65_536  # entries between two saved states: two full levels of tiles
KEY_RETIRED = b'"event":"log.key_retired"'
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
CONTROL = re.compile("[\\x00-\\x09\\x0b-\\x1f]")  # a note has no control character but the newline

# {name} is a value, and {name:one|many} the first text if the value is 1, else the second one.
VERDICTS = {
    "log.verified": "Verified: {count} {count:entry|entries}, up to {at}. None was changed, removed, inserted or "
    "reordered since it was signed. Checkpoints that fit: {checkpoints}, {checkpoints:|all }signed by {keys}.",
    "checkpoints.verified": "Verified: {count} {count:checkpoint|checkpoints}, up to {size} {size:entry|entries}, "
    "{count:|all }signed by {keys}.{count:| None contradicts another one.} An export shows whether the entries fit.",
    "receipt.verified": "Verified: entry {entry} is in the log of {origin}, at place {index} of its tree (the first is "
    "place 0), as the checkpoint of {size} {size:entry|entries} says, signed by {keys}.",
    "certificate.verified": "Verified: the deletion of Space {space}, kept until {deadline}: {count} "
    "{count:object|objects} deleted, storage seen empty at {emptied}. The certificate is signed with the key "
    "{certificate_key}. Entry {entry} of {origin} records it, as the checkpoint of {size} {size:entry|entries} says, "
    "signed by {keys}.",
    "certificate.recorded": "The signature of the certificate itself was not checked: no key for it was given. "
    "Verified: entry {entry} of {origin} records this certificate, as the checkpoint of {size} {size:entry|entries} "
    "says, signed by {keys}. It says: Space {space}, kept until {deadline}: {count} {count:object|objects} deleted, "
    "storage seen empty at {emptied}.",
    "certificate.signed": "Not checked whether the log records it: no receipt was given. A receipt exists once a "
    "checkpoint contains its entry. Verified: the deletion of Space {space}, kept until {deadline}: {count} "
    "{count:object|objects} deleted, storage seen empty at {emptied}. The certificate is signed with the key "
    "{certificate_key}.",
    "certificates.verified": "Verified: {count} {count:certificate|certificates} of deletion, {count:|all }signed with "
    "a key that you gave. The log of {origin} records {recorded} of them, as {recorded:its receipt says|their receipts "
    "say}, signed by {keys}. Without a receipt: {pending}.",
    "certificates.recorded": "The signatures of the certificates themselves were not checked: no key for them was "
    "given. Verified: the log of {origin} records {recorded} of {count} {count:certificate|certificates} of deletion, "
    "as {recorded:its receipt says|their receipts say}, signed by {keys}. Without a receipt, so not checked: "
    "{pending}.",
    "certificates.signed": "Not checked whether the log records them: no receipts were given. A receipt exists once a "
    "checkpoint contains its entry. Verified: {count} {count:certificate|certificates} of deletion, {count:|all }"
    "signed with a key that you gave.",
    "certificates.unpaired": "Not checked: {count} {count:receipt, for its certificate is|receipts, for their "
    "certificates are} missing: {names}. {verdict}",
    "certificate.invalid": "The certificate is not valid: {why}.",
    "certificates.one_invalid": "{name}: {why}",
    "entry.changed": "Entry {entry} was changed (place {index} of the tree).",
    "entry.removed": "An entry was removed before entry {entry} (place {index} of the tree).",
    "entry.inserted": "Entry {entry} was inserted (place {index} of the tree): the log did not have it.",
    "entry.swapped": "Entries {entry} and {other_entry} were swapped (places {index} and {other} of the tree).",
    "entries.cut_off": "Entries were cut off: {index} {index:is|are} left, and a checkpoint says that there "
    "{size:is|are} {size}.",
    "entries.unproven": "Checkpoints cover the first {index} {index:entry|entries} only, and not those that follow.",
    "entries.differ": "One of the entries at the places {index} to {last} of the tree was changed, removed or "
    "inserted. The export has no true hashes that would say which.",
    "entries.unnumbered": "Entry {entry} of the database has no place in the tree, and later ones have.",
    "tile.changed": "The hashes in {name} are not those of the entries.",
    "tile.missing": "{name} is missing.",
    "checkpoint.unsigned": "The checkpoint of {size} {size:entry|entries} is not signed by a key that you gave, or "
    "that one of them endorsed, but by {keys}.",
    "checkpoint.retired_key": "The checkpoint of {size} {size:entry|entries} is signed by {keys} only, and entry "
    "{entry} says that it was retired.",
    "checkpoint.forged": "A signature of the checkpoint of {size} {size:entry|entries} does not fit: it, or what it "
    "signs, was changed.",
    "checkpoint.forked": "There are two different logs: both checkpoints of {size} {size:entry|entries} are signed.",
    "checkpoint.order": "The checkpoints are not in order: one of {size} {size:entry|entries} follows one of {before}.",
    "checkpoint.foreign": "The checkpoint of {size} {size:entry|entries} is of another log: {origin}.",
    "checkpoint.none": "There is no checkpoint, so nothing is proven.",
    "receipt.differs": "The receipt does not fit: entry {entry} is not at place {index} of the tree of the checkpoint.",
    "receipt.other_certificate": "The receipt is of another entry: entry {entry} is not about this certificate.",
    "receipt.contradicts": "Entry {entry} contradicts the certificate that it records: it has another {name}.",
    "receipt.no_entry": "The receipt does not contain its entry.",
    "receipt.alone": "There {count:is a receipt|are receipts} in it, but no certificate of deletion. Choose a file "
    "that has both, or a single receipt (.tlog-proof).",
    "note.malformed": "{name} is not a signed note.",
    "export.malformed": "{name} can't be read: {why}.",
    "key.malformed": "{text} is not a public key of a log (NAME+ID+KEY).",
    "key.missing": "A public key of the log is missing. Paste it: a line of the form NAME+ID+KEY.",
    "certificate.nothing_to_check": "Nothing to check {name} with. Choose its receipt (.tlog-proof) too, or give the "
    "public key of certificates.",
    "file.unreadable": "{name} can't be read: {why}.",
    "file.unknown": "{name} is not an export, a receipt, a certificate of deletion, a ZIP file of these, or a file of "
    "checkpoints. Choose one of them.",
}
# With these nothing was checked, so nothing is reported as wrong.
UNCHECKED = {
    *("key.malformed", "key.missing", "certificate.nothing_to_check", "receipt.alone"),
    *("file.unreadable", "file.unknown"),
}
PLACE = re.compile(r"\{(\w+)(?::([^|{}]*)\|([^{}]*))?\}")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
MOMENT = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-([0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?Z")
CERTIFICATE_NAME = re.compile(r"deletion-of-.+\.json")
RECEIPT_NAME = re.compile(r"deletion-of-.+\.tlog-proof")
MOST_NAMED = 3  # files in one sentence
LARGEST_ENTRY = 2**53 - 1  # the largest number in JSON by RFC 8785


class Invalid(Exception):
    """A check failed. `code` is a key of VERDICTS, `values` fills in its sentence."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code, values)
        self.code, self.values = code, values

    def __str__(self) -> str:
        return sentence(self.code, self.values)


def sentence(code: str, values: dict[str, Any]) -> str:
    def fill(place: re.Match[str]) -> str:
        name, one, many = place.groups()
        if many is None:
            return str(_spoken(values[name]))
        return str(one if values[name] == 1 else many)

    return PLACE.sub(fill, VERDICTS[code])


def _spoken(value: Any) -> Any:
    """Return a value for a sentence: a time in words, and a missing entry number as text."""
    if value is None:
        return "without a number"
    moment = MOMENT.fullmatch(value) if isinstance(value, str) else None
    if moment is None:
        return value
    year, month, day, time = moment.groups()
    return f"{int(day)} {MONTHS[int(month) - 1]} {year}, {time} UTC"


def entry_number(line: bytes) -> int | None:
    """Return the number of an entry in the archive, which is in the entry and is not its index in the tree."""
    try:
        number = json.loads(line)["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return number if type(number) is int and 0 <= number <= LARGEST_ENTRY else None


# ---- hashes and proofs: RFC 6962, section 2.1; the algorithms that verify proofs are those of RFC 9162 ----


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


class Frontier:
    """The part of a Merkle tree that is needed to append to it: the roots of its complete subtrees, largest first."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if len(hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees, not {len(hashes)}")
        self.size, self.hashes = size, list(hashes)

    def append(self, leaf: bytes) -> Iterator[tuple[int, bytes]]:
        """Append the hash of a leaf. Yields (level, hash) of each hash in tiles that is now known, from level 0."""
        height, merged, size = 0, leaf, self.size
        yield 0, leaf
        while size & 1:
            merged = node_hash(self.hashes.pop(), merged)
            size >>= 1
            height += 1
            if height % TILE_HEIGHT == 0:
                yield height // TILE_HEIGHT, merged
        self.hashes.append(merged)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        for leaf in leaves:
            for _ in self.append(leaf):
                pass

    def root(self) -> bytes:
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root

    def copy(self) -> "Frontier":
        return Frontier(self.size, self.hashes)


def proves_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Return whether `path` proves that the leaf has this `index` in the tree: RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    node, last, merged = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            merged = node_hash(sibling, merged)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            merged = node_hash(merged, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and merged == root


def proves_consistency(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Return whether `path` proves that the tree of `size` leaves extends that of `old`: RFC 9162, 2.1.4.2."""
    if not 0 <= old <= size:
        return False
    if old in (0, size):
        return not path and (old_root == root if old == size else old_root == EMPTY_ROOT)
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    if not hashes:
        return False
    node, last = old - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and first == old_root and second == root


# ---- signed notes and checkpoints: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature ----


@dataclass(frozen=True)
class Key:
    """A public key (Ed25519) with its name in signatures. `kind`: ED25519 for logs, COSIGNATURE for witnesses."""

    name: str
    public: bytes
    kind: int = ED25519

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "Key":
        """Read a verifier key (vkey). Raises Invalid."""
        try:
            (vkey, *_) = text.split()  # a line of keys.txt continues with facts
            name, number, material = vkey.split("+", 2)
            data = base64.b64decode(material, validate=True)
        except (ValueError, binascii.Error):
            raise Invalid("key.malformed", text=text.strip()[:80]) from None
        key = cls(name, data[1:], data[0]) if len(data) == 1 + HASH else None
        if key is None or not name or key.kind not in (ED25519, COSIGNATURE) or key.id.hex() != number:
            raise Invalid("key.malformed", text=text.strip()[:80])
        return key

    def has_signed(self, text: str, signature: bytes) -> bool:
        message = text.encode()
        if self.kind == COSIGNATURE:
            if len(signature) != 8 + 64:
                return False
            message = f"cosignature/v1\ntime {int.from_bytes(signature[:8])}\n".encode() + message
            signature = signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: the number of entries and the root hash of the log `origin`, as a signed note."""

    origin: str
    size: int
    root: bytes
    note: str
    signatures: tuple[tuple[str, bytes], ...]  # (name, key id + signature)

    @property
    def named_keys(self) -> str:
        """The keys that its signatures name, which are not verified yet."""
        return ", ".join(f"{name} ({data[:4].hex()})" for name, data in self.signatures)

    @property
    def text(self) -> str:
        """The signed text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, note: str, name: str = "checkpoint") -> "Checkpoint":
        """Parse a checkpoint without extension lines. Its signatures are not verified yet. Raises Invalid."""
        text, blank, lines = note.rpartition("\n\n")
        body = text.split("\n")
        try:
            if len(note) > MAX_NOTE or not blank or not lines.endswith("\n") or CONTROL.search(note):
                raise ValueError
            origin, size, root = body
            signatures = tuple(_signature(line) for line in lines[:-1].split("\n"))
            checkpoint = cls(origin, int(size), base64.b64decode(root, validate=True), note, signatures)
        except (ValueError, binascii.Error):
            raise Invalid("note.malformed", name=name) from None
        if checkpoint.text != text + "\n" or len(checkpoint.root) != HASH or not origin:
            raise Invalid("note.malformed", name=name)
        return checkpoint

    def signers(self, keys: Sequence[Key]) -> list[Key]:
        """Return those of `keys` that signed it. Raises Invalid if a signature of one of them is wrong."""
        by_line = {(key.name, key.id): key for key in keys}
        signers = []
        for name, signature in self.signatures:
            if key := by_line.get((name, signature[:4])):
                if not key.has_signed(self.text, signature[4:]):
                    raise Invalid("checkpoint.forged", size=self.size)
                signers.append(key)
        return signers

    def require_signature(self, keys: Sequence[Key]) -> list[Key]:
        """Return those of `keys` that signed it as keys of this log. Raises Invalid if there are none, or if it is of
        another log."""
        signers = [key for key in self.signers(keys) if key.kind == ED25519]
        if not signers:
            raise Invalid("checkpoint.unsigned", size=self.size, keys=self.named_keys)
        if all(key.name != self.origin for key in signers):
            raise Invalid("checkpoint.foreign", size=self.size, origin=self.origin)
        return signers


def endorsed_keys(lines: str, trusted: Sequence[Key]) -> list[Key]:
    """Return `trusted`, and the keys in these lines (keys.txt) with a chain of endorsements from one of them. Raises
    Invalid if a line is not a key."""
    known, rest = list(trusted), [_endorsed(line) for line in lines.splitlines() if line.strip()]
    while found := [key for key, sign in rest if key not in known and sign and _endorses(known, key, sign)]:
        known += found
    return known


def endorsement_text(key: Key) -> str:
    """Return the text that an endorsement signs: four lines, so that it can't be taken for a checkpoint, with three."""
    return f"spacekeep\nnext key\n{key.name}\n{base64.b64encode(key.public).decode()}\n"


def _endorsed(line: str) -> tuple[Key, bytes]:
    """Return (the key of a line, its endorsement or b"")."""
    encoded = next((word[len("endorsed=") :] for word in line.split() if word.startswith("endorsed=")), "")
    try:
        return Key.parse(line), base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise Invalid("key.malformed", text=line.strip()[:80]) from None


def _endorses(known: Sequence[Key], key: Key, signature: bytes) -> bool:
    by = [one for one in known if one.kind == ED25519 and one.name == key.name]
    return any(one.has_signed(endorsement_text(key), signature) for one in by)


def _signature(line: str) -> tuple[str, bytes]:
    dash, name, encoded = line.split(" ")
    data = base64.b64decode(encoded, validate=True)
    if dash != "\u2014" or not name or "+" in name or len(data) <= 4:
        raise ValueError
    return name, data


def split_notes(text: str) -> Iterator[str]:
    """Yield the notes of a file in which each is followed by a blank line. Raises Invalid."""
    parts = text.split("\n\n")
    if parts.pop() != "" or len(parts) % 2:
        raise Invalid("note.malformed", name="checkpoints.txt")
    for body, signatures in zip(parts[::2], parts[1::2], strict=True):
        yield f"{body}\n\n{signatures}\n"


# ---- receipts: c2sp.org/tlog-proof ----


@dataclass(frozen=True)
class Receipt:
    """The proof that the entry `leaf` (its canonical JSON) has the index `index` in the log's tree."""

    leaf: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint

    @classmethod
    def parse(cls, text: str) -> "Receipt":
        """Parse a proof whose extra data is the entry. Raises Invalid."""
        head, _, note = text.partition("\n\n")
        lines = head.split("\n")
        try:
            if lines.pop(0) != PROOF_HEADER:
                raise ValueError
            if not lines[0].startswith("extra "):
                raise Invalid("receipt.no_entry")
            leaf = base64.b64decode(lines.pop(0).removeprefix("extra "), validate=True)
            word, number = lines.pop(0).split(" ")
            path = tuple(base64.b64decode(line, validate=True) for line in lines)
            if word != "index" or str(int(number)) != number or any(len(sibling) != HASH for sibling in path):
                raise ValueError
        except (ValueError, IndexError, binascii.Error):
            raise Invalid("note.malformed", name="receipt") from None
        return cls(leaf, int(number), path, Checkpoint.parse(note, "receipt"))

    @property
    def entry(self) -> int | None:
        return entry_number(self.leaf)

    def __str__(self) -> str:
        lines = [PROOF_HEADER, f"extra {base64.b64encode(self.leaf).decode()}", f"index {self.index}"]
        lines += [base64.b64encode(sibling).decode() for sibling in self.path]
        return "\n".join(lines) + "\n\n" + self.checkpoint.note

    def verify(self, keys: Sequence[Key], certificate: bytes | None = None) -> dict[str, Any]:
        """Return the values of the verdict `receipt.verified`. `certificate`: a deletion certificate that the entry
        must be about. Raises Invalid."""
        signers = self.checkpoint.require_signature(keys)
        size, root = self.checkpoint.size, self.checkpoint.root
        if not proves_inclusion(leaf_hash(self.leaf), self.index, size, self.path, root):
            raise Invalid("receipt.differs", entry=self.entry, index=self.index)
        if certificate is not None:
            self._require_record(certificate)
        place = {"entry": self.entry, "index": self.index}
        return {**place, "origin": self.checkpoint.origin, "size": size, "keys": _names(signers)}

    def _require_record(self, certificate: bytes) -> None:
        """Raise Invalid unless the entry records this certificate, and agrees with it."""
        try:
            entry, digest = json.loads(self.leaf), hashlib.sha256(certificate).hexdigest()
            is_of_it = entry["event"] == "space.deleted" and entry["detail"]["certificate"] == digest
        except (ValueError, KeyError, TypeError, RecursionError):
            is_of_it = False
        if not is_of_it:
            raise Invalid("receipt.other_certificate", entry=self.entry)
        said = certificate_facts(certificate)
        detail = entry["detail"]
        told = {
            "space": entry.get("space"),
            "deadline": detail.get("deadline"),
            "emptied": detail.get("listed_empty_at"),
        }
        for name, value in told.items():
            if value != said[name]:
                raise Invalid("receipt.contradicts", entry=self.entry, name=name)


def certificate_facts(certificate: bytes) -> dict[str, Any]:
    """Return the facts of a deletion certificate for a verdict. Raises Invalid if it is not one."""
    try:
        document = json.loads(certificate)
        deletion = document["deletion"]
        return {
            "space": document["space"],
            "deadline": document["deadline"]["at"],
            "count": len(deletion["removed"]),
            "emptied": deletion["listed_empty_at"],
        }
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Invalid("certificate.invalid", why="it is no certificate of deletion") from None


def verify_certificate(
    certificate: bytes, keys: Sequence[Key], receipt: "Receipt | None", certificate_keys: bytes | None
) -> tuple[str, dict[str, Any]]:
    """Return (code, values) of the verdict. `certificate_keys`: PEM, or None to skip the certificate's signature.
    Raises Invalid."""
    key = _require_certificate_signature(certificate, certificate_keys) if certificate_keys is not None else ""
    proven = receipt.verify(keys, certificate) if receipt else {}
    code = "certificate.verified" if key and receipt else "certificate.recorded" if receipt else "certificate.signed"
    facts = {name: "-" if value is None else value for name, value in certificate_facts(certificate).items()}
    return code, {**facts, **proven, **({"certificate_key": key} if key else {})}


def _require_certificate_signature(certificate: bytes, pem: bytes) -> str:
    """Return the id of the key that signed it. Raises Invalid."""
    verifier = _load_certificate_verifier()
    try:
        return str(verifier.verify(certificate, *verifier.parse_keys(pem, "The file of keys"))["key"])
    except verifier.InvalidCertificate as error:
        raise Invalid("certificate.invalid", why=str(error)) from None


def _load_certificate_verifier() -> Any:
    """Load verify_certificate.py, beside this file or at its place in Spacekeep. Raises Invalid."""
    here = Path(__file__).parent
    places = (here / "verify_certificate.py", here.parent / "retention" / "verify_certificate.py")
    path = next((place for place in places if place.exists()), places[0])
    try:
        spec = importlib.util.spec_from_file_location("verify_certificate", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except OSError as error:
        raise Invalid("file.unreadable", name=path.name, why=str(error)) from None
    return module


# ---- exports ----


UNREADABLE = (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)


def _reason(error: Exception) -> str:
    return "it is missing" if isinstance(error, FileNotFoundError | KeyError) else str(error)


class Log(Protocol):
    """The log to verify: an export, or the archive's own database."""

    def lines(self, first: int = 0) -> Generator[bytes, None, None]: ...
    def tile(self, level: int, number: int, width: int) -> bytes | None: ...
    def checkpoints(self, trusted: Sequence[Key]) -> list[Checkpoint]: ...


# Lists of keys with their endorsements, in an export or beside certificates.
KEY_LISTS = ("keys.txt", "log-keys.txt")


@dataclass
class Export:
    """The files of an export, in a folder or a ZIP."""

    root: "Path | zipfile.Path"

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["Export"]:
        """Open a folder, or a ZIP until the end of the context. Raises Invalid."""
        if path.is_dir():
            yield cls(path)
            return
        try:
            package = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise Invalid("file.unreadable", name=path.name, why=str(error)) from None
        with package:
            yield cls(zipfile.Path(package))

    def kind(self) -> str:
        """Return the kind of these files: export, certificates, or neither ("")."""
        if any((self.root / name).exists() for name in ("entries.jsonl", "checkpoints.txt", "tile")):
            return "export"
        return "certificates" if self.certificates() or self.unpaired_receipts() else ""

    def certificates(self) -> list[str]:
        """Return the names of the deletion certificates, in order."""
        return sorted(path.name for path in self.root.iterdir() if CERTIFICATE_NAME.fullmatch(path.name))

    def unpaired_receipts(self) -> list[str]:
        """Return the names of the receipts without a certificate beside them, in order."""
        receipts = (path.name for path in self.root.iterdir() if RECEIPT_NAME.fullmatch(path.name))
        certificates = {name.removesuffix("json") for name in self.certificates()}
        return sorted(name for name in receipts if name.removesuffix("tlog-proof") not in certificates)

    def lines(self, first: int = 0) -> Generator[bytes, None, None]:
        """Yield the entries from index `first` on. Raises Invalid."""
        try:
            with (self.root / "entries.jsonl").open("rb") as file:
                yield from islice(file, first, None)
        except UNREADABLE as error:
            raise Invalid("export.malformed", name="entries.jsonl", why=_reason(error)) from None

    def read(self, name: str) -> bytes:
        try:
            return (self.root / name).read_bytes()
        except UNREADABLE as error:
            raise Invalid("export.malformed", name=name, why=_reason(error)) from None

    def endorsed_keys(self, trusted: Sequence[Key]) -> list[Key]:
        """Return `trusted`, and the later keys that they endorsed, by the lists in the files. Raises Invalid."""
        known = list(trusted)
        for name in KEY_LISTS:
            try:
                lines = self.read(name).decode() if (self.root / name).is_file() else ""
            except UnicodeDecodeError:
                raise Invalid("export.malformed", name=name, why="it is not text") from None
            known = endorsed_keys(lines, known)
        return known

    def tile(self, level: int, number: int, width: int) -> bytes | None:
        """Return the hashes of a tile, joined; None without the file."""
        name = tile_path(level, number, width)
        return self.read(name) if (self.root / name).is_file() else None

    def checkpoints(self, trusted: Sequence[Key]) -> list[Checkpoint]:
        """Return all checkpoints, oldest first, with verified signatures. Raises Invalid."""
        try:
            text = self.read("checkpoints.txt").decode()
        except UnicodeDecodeError:
            raise Invalid("note.malformed", name="checkpoints.txt") from None
        checkpoints = [Checkpoint.parse(note, "checkpoints.txt") for note in split_notes(text)]
        for checkpoint in checkpoints:
            checkpoint.require_signature(trusted)
        return checkpoints


def tile_path(level: "int | str", number: int, width: int = TILE) -> str:
    """Return the path of a tile below the log's prefix: c2sp.org/tlog-tiles. `level` may be `entries`."""
    digits = f"{number % 1000:03}"
    while number >= 1000:
        number //= 1000
        digits = f"x{number % 1000:03}/{digits}"
    return f"tile/{level}/{digits}" + (f".p/{width}" if width < TILE else "")


@dataclass
class _Verification:
    """The state of one pass over an export. Its memory does not grow with the number of entries."""

    export: Log
    checkpoints: list[Checkpoint]
    size: int  # of the tree that the export's tiles belong to
    keys: Sequence[Key]
    save: Callable[[dict[str, Any]], None] = lambda state: None
    tree: Frontier = field(default_factory=Frontier)
    proven: Frontier = field(default_factory=Frontier)  # up to the last verified checkpoint
    tiles: dict[int, list[bytes]] = field(default_factory=dict)  # level: hashes of the tile that is not full yet
    full: dict[int, int] = field(default_factory=dict)  # level: number of full tiles
    wrong_tile: Invalid | None = None
    last_line: bytes = b""
    retired: dict[bytes, tuple[int, int | None]] = field(
        default_factory=dict
    )  # public key: (index, entry) that retired it

    def run(self) -> None:
        with closing(self.export.lines(self.tree.size)) as lines:
            self._run(lines)

    def state(self) -> dict[str, Any]:
        """Return the state for `resume`, as JSON."""
        return {
            "size": self.tree.size,
            "compared": self.compared(self.tree.size),
            "tree": _hex(self.tree.hashes),
            "proven": [self.proven.size, _hex(self.proven.hashes)],
            "tiles": {str(level): _hex(hashes) for level, hashes in self.tiles.items() if hashes},
            "retired": {public.hex(): said for public, said in self.retired.items()},
            "wrong_tile": [self.wrong_tile.code, self.wrong_tile.values] if self.wrong_tile else None,
            "last_line": self.last_line.decode(errors="replace"),
        }

    def compared(self, size: int) -> str:
        """Return a digest of the checkpoints below `size`, which a pass that resumes there does not compare again."""
        below = (checkpoint for checkpoint in self.checkpoints if checkpoint.size < size)
        return hashlib.sha256("".join(checkpoint.text for checkpoint in below).encode()).hexdigest()

    def resume(self, state: dict[str, Any]) -> None:
        """Continue from a saved state. Starts over if the checkpoints before it have changed; otherwise the entries
        before it are not read again."""
        if state.get("compared") != self.compared(state["size"]):
            return
        size, hashes = state["proven"]
        self.tree = Frontier(state["size"], _unhex(state["tree"]))
        self.proven = Frontier(size, _unhex(hashes))
        self.tiles = {int(level): _unhex(hashes) for level, hashes in state["tiles"].items()}
        self.full = {level: self.tree.size >> 8 * (level + 1) for level in range(8)}
        self.retired = {bytes.fromhex(public): (place, entry) for public, (place, entry) in state["retired"].items()}
        if state["wrong_tile"]:
            code, values = state["wrong_tile"]
            self.wrong_tile = Invalid(code, **values)
        self.last_line = state["last_line"].encode()

    def _run(self, lines: Iterator[bytes]) -> None:
        for checkpoint in self.checkpoints:
            if checkpoint.size < self.tree.size:
                continue  # compared before this pass was resumed
            while self.tree.size < checkpoint.size:
                line = next(lines, b"")
                if not line.endswith(b"\n"):
                    self._locate(checkpoint)
                    raise Invalid("entries.cut_off", index=self.tree.size, size=checkpoint.size)
                self._append(line)
                if self.tree.size % SAVED_EACH == 0:
                    self.save(self.state())
            if self.tree.root() != checkpoint.root:
                self._locate(checkpoint)
                raise Invalid("entries.differ", index=self.proven.size, last=checkpoint.size - 1)
            self.proven = self.tree.copy()
            if self.wrong_tile:
                raise self.wrong_tile
            self._refuse_retired_key(checkpoint)
        if next(lines, None) is not None:
            raise Invalid("entries.unproven", index=self.tree.size)
        for level, hashes in self.tiles.items():
            self._compare_tile(level, hashes)
        if self.wrong_tile:
            raise self.wrong_tile

    def _append(self, line: bytes) -> None:
        leaf = leaf_hash(line[:-1])
        if KEY_RETIRED in line and (public := _retired_key(line)):
            self.retired[public] = self.tree.size, entry_number(line)
        self.last_line = line
        for level, known in self.tree.append(leaf):
            hashes = self.tiles.setdefault(level, [])
            hashes.append(known)
            if len(hashes) == TILE:
                self._compare_tile(level, hashes)
                self.full[level] = self.full.get(level, 0) + 1
                hashes.clear()

    def _refuse_retired_key(self, checkpoint: Checkpoint) -> None:
        if not self.retired:
            return
        signers = checkpoint.require_signature(self.keys)
        if all(key.public in self.retired for key in signers):
            _, entry = max((self.retired[key.public] for key in signers), key=lambda said: said[0])
            raise Invalid("checkpoint.retired_key", size=checkpoint.size, keys=_names(signers), entry=entry)

    def _compare_tile(self, level: int, hashes: list[bytes]) -> None:
        """Note a tile that differs. It is reported once a checkpoint has confirmed the entries."""
        if not hashes or self.wrong_tile:
            return
        number = self.full.get(level, 0)
        stored = self.export.tile(level, number, len(hashes))
        if stored != b"".join(hashes):
            code = "tile.missing" if stored is None else "tile.changed"
            self.wrong_tile = Invalid(code, name=tile_path(level, number, len(hashes)))

    def _locate(self, checkpoint: Checkpoint) -> None:
        """Raise Invalid for the first entry that differs, if the export's tiles have the signed hashes."""
        start = self.proven.size
        tree = self.proven.copy()
        tree.extend(islice(self._tile_hashes(start), checkpoint.size - start))
        if tree.size != checkpoint.size or tree.root() != checkpoint.root:
            return
        with closing(self.export.lines(start)) as lines:
            ours = (leaf_hash(line[:-1]) for line in lines if line.endswith(b"\n"))
            theirs = self._tile_hashes(start)
            for index in range(start, checkpoint.size):
                known, found = next(theirs, b""), next(ours, None)
                if found is None:
                    return  # only the end is missing
                if found != known:
                    differs = [known, *islice(theirs, LOOK_AHEAD)], [found, *islice(ours, LOOK_AHEAD)]
                    code, places = _name_difference(index, *differs)
                    raise Invalid(code, **places, **self._entries_at(**places))

    def _entries_at(self, index: int, other: int | None = None) -> dict[str, int | None]:
        """Return the numbers of the export's entries at these indices."""
        with closing(self.export.lines(index)) as lines:
            values = {"entry": entry_number(next(lines, b""))}
            if other is not None:
                values["other_entry"] = entry_number(next(islice(lines, other - index - 1, None), b""))
        return values

    def _tile_hashes(self, start: int) -> Iterator[bytes]:
        """Yield the hashes of the entries from `start` to the end of the tiles. They are not verified yet."""
        for number in range(start // TILE, -(-self.size // TILE)):
            tile = self.export.tile(0, number, min(TILE, self.size - number * TILE))
            if tile is None:
                return
            first = max(0, start - number * TILE) * HASH
            yield from (tile[i : i + HASH] for i in range(first, len(tile), HASH))


def _name_difference(index: int, theirs: Sequence[bytes], ours: Sequence[bytes]) -> tuple[str, dict[str, int]]:
    """Return (code, indices) of the verdict on `index`, the first one that differs. `theirs`: the signed hashes from it
    on. `ours`: those of the entries."""
    other = next((i for i in range(1, len(theirs)) if theirs[i] == ours[0]), None)
    if other is not None and ours[other : other + 1] == [theirs[0]]:
        return "entry.swapped", {"index": index, "other": index + other}
    if other is not None:
        return "entry.removed", {"index": index}
    if theirs[0] in ours[1:]:
        return "entry.inserted", {"index": index}
    return "entry.changed", {"index": index}


def _hex(hashes: Sequence[bytes]) -> list[str]:
    return [known.hex() for known in hashes]


def _unhex(hashes: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(known) for known in hashes]


def _retired_key(line: bytes) -> bytes | None:
    """Return the public key of the log that this entry retires."""
    try:
        entry = json.loads(line)
        is_ours = entry["event"] == "log.key_retired" and entry["detail"]["kind"] == "log"
        return base64.b64decode(entry["detail"]["public"], validate=True) if is_ours else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def verify_export(
    export: Log,
    keys: Sequence[Key],
    known: Sequence[Checkpoint] = (),
    *,
    state: dict[str, Any] | None = None,
    save: Callable[[dict[str, Any]], None] = lambda state: None,
) -> dict[str, Any]:
    """Return the values of the verdict `log.verified`. `known`: checkpoints from elsewhere. Raises Invalid.

    `save` regularly gets the state as JSON, with the number of entries so far as `size`; a later call with this `state`
    continues there.
    """
    own = export.checkpoints(keys)
    if not own:
        raise Invalid("checkpoint.none")
    for checkpoint in known:
        checkpoint.require_signature(keys)
    for before, after in pairwise(own):
        if after.size < before.size:
            raise Invalid("checkpoint.order", size=after.size, before=before.size)
    checkpoints = _compare([*own, *known])
    verification = _Verification(export, checkpoints, own[-1].size, keys, save)
    if state:
        verification.resume(state)
    verification.run()
    at = json.loads(verification.last_line)["at"] if verification.last_line else "-"
    return {"count": verification.tree.size, "at": at, "checkpoints": len(own), "keys": _signers(checkpoints, keys)}


def verify_checkpoints(text: str, keys: Sequence[Key], known: Sequence[Checkpoint] = ()) -> dict[str, Any]:
    """Return the values of the verdict `checkpoints.verified` on one checkpoint, or a file of them. Raises Invalid."""
    notes = split_notes(text if text.endswith("\n\n") else f"{text}\n")
    checkpoints = _compare([*(Checkpoint.parse(note, "checkpoints.txt") for note in notes), *known])
    if not checkpoints:
        raise Invalid("checkpoint.none")
    for checkpoint in checkpoints:
        checkpoint.require_signature(keys)
    return {"count": len(checkpoints), "size": checkpoints[-1].size, "keys": _signers(checkpoints, keys)}


def _compare(checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    """Sort the checkpoints by size. Raises Invalid if two are of different logs, or of different trees of one size."""
    ordered = sorted(checkpoints, key=lambda checkpoint: checkpoint.size)
    for before, after in pairwise(ordered):
        if after.origin != before.origin:
            raise Invalid("checkpoint.foreign", size=after.size, origin=after.origin)
        if after.size == before.size and after.root != before.root:
            raise Invalid("checkpoint.forked", size=after.size)
    return ordered


def _names(keys: Sequence[Key]) -> str:
    return ", ".join(sorted(f"{key.name} ({key.id.hex()})" for key in keys))


def _signers(checkpoints: Sequence[Checkpoint], keys: Sequence[Key]) -> str:
    """Return the keys that signed, in order of their first checkpoint; with its range, if a key did not sign all."""
    sizes: dict[Key, list[int]] = {}
    for checkpoint in checkpoints:
        for key in checkpoint.signers(keys):
            sizes.setdefault(key, []).append(checkpoint.size)
    return ", ".join(
        _names([key]) + ("" if len(signed) == len(checkpoints) else _describe_range(signed))
        for key, signed in sizes.items()
    )


def _describe_range(sizes: Sequence[int]) -> str:
    first, last = sizes[0], sizes[-1]
    if first == last:
        return f" at {last} {'entry' if last == 1 else 'entries'}"
    return f" from {first} to {last} entries"


def verify_certificates(
    package: Export, keys: Sequence[Key], certificate_keys: bytes | None
) -> tuple[str, dict[str, Any]]:
    """Return (code, values) of the verdict on the certificates in a package, each with its receipt if there is one. For
    a single one it is the verdict of verify_certificate. Names receipts without a certificate. Raises Invalid with the
    name of the first wrong certificate."""
    names, unpaired = package.certificates(), package.unpaired_receipts()
    if not names:
        raise Invalid("receipt.alone", count=len(unpaired))
    code, values = _verify_each(package, names, keys, certificate_keys)
    if not unpaired:
        return code, values
    listed = ", ".join(unpaired[:MOST_NAMED]) + (", \u2026" if len(unpaired) > MOST_NAMED else "")
    return "certificates.unpaired", {"count": len(unpaired), "names": listed, "verdict": sentence(code, values)}


def _verify_each(
    package: Export, names: Sequence[str], keys: Sequence[Key], certificate_keys: bytes | None
) -> tuple[str, dict[str, Any]]:
    verdicts = []
    for name in names:
        path = package.root / f"{name.removesuffix('.json')}.tlog-proof"
        try:
            receipt = Receipt.parse(package.read(path.name).decode()) if path.is_file() else None
            if receipt is None and certificate_keys is None:
                if len(names) == 1:
                    raise Invalid("certificate.nothing_to_check", name=name)
                continue
            verdicts.append(verify_certificate(package.read(name), keys, receipt, certificate_keys))
        except Invalid as error:
            if len(names) == 1 or error.code in UNCHECKED:
                raise
            raise Invalid("certificates.one_invalid", name=name, why=str(error)) from None
        except UnicodeDecodeError:
            raise Invalid("note.malformed", name=path.name) from None
    if len(names) == 1:
        return verdicts[0]
    if not verdicts:
        raise Invalid("certificate.nothing_to_check", name="these certificates")
    recorded = [values for _, values in verdicts if "origin" in values]
    values = {
        "count": len(names),
        "recorded": len(recorded),
        "pending": len(names) - len(recorded),
        "origin": ", ".join(sorted({one["origin"] for one in recorded})),
        "keys": ", ".join(sorted({one["keys"] for one in recorded})),
    }
    if not recorded:
        return "certificates.signed", values
    return "certificates.recorded" if certificate_keys is None else "certificates.verified", values


def kind_of(path: Path) -> str:
    """Return the kind of a file or folder: export, certificates, receipt, certificate or checkpoints. Raises
    Invalid."""
    if path.is_dir() or path.suffix == ".zip" or zipfile.is_zipfile(path):
        with Export.open(path) as package:
            kind = package.kind()
    else:
        try:
            with path.open("rb") as file:
                start = file.read(4096).decode(errors="replace")
        except OSError as error:
            raise Invalid("file.unreadable", name=path.name, why=str(error)) from None
        looks = (
            ("receipt", start.startswith("c2sp.org/tlog-proof") or path.suffix == ".tlog-proof"),
            ("certificate", start.startswith("{") and '"spacekeep/' in start),
            ("checkpoints", "\n\u2014 " in start),
        )
        kind = next((kind for kind, is_it in looks if is_it), "")
    if not kind:
        raise Invalid("file.unknown", name=path.name)
    return kind


def verify_file(
    path: Path, keys: Sequence[Key], known: Sequence[Checkpoint], pem: bytes | None, certificate: str
) -> str:
    """Return the verdict on a file or folder of any kind. `certificate`: that a receipt must be about, or "". Raises
    Invalid."""
    match kind_of(path):
        case "receipt":
            receipt = Receipt.parse(_read(path))
            if certificate:
                return sentence(*verify_certificate(certificate.encode(), keys, receipt, pem))
            return sentence("receipt.verified", receipt.verify(keys))
        case "certificate" if pem is None:
            raise Invalid("certificate.nothing_to_check", name=path.name)
        case "certificate":
            return sentence(*verify_certificate(_read(path).encode(), keys, None, pem))
        case "checkpoints":
            return sentence("checkpoints.verified", verify_checkpoints(_read(path), keys, known))
    with Export.open(path) as package:
        kind, keys = package.kind(), package.endorsed_keys(keys)
        if kind == "certificates":
            return sentence(*verify_certificates(package, keys, pem))
        return sentence("log.verified", verify_export(package, keys, known))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Verify an export of the retention log, certificates, or a receipt.")
    parser.add_argument("file", type=Path, metavar="EXPORT, CERTIFICATES or RECEIPT")
    parser.add_argument("--key", action="append", required=True, metavar="VKEY", help="a public key of the log")
    parser.add_argument("--keys", type=Path, metavar="FILE", help="keys.txt: later keys that a given one endorsed")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="of the deletion that the receipt is about")
    parser.add_argument("--certificate-key", type=Path, metavar="PUB", help="public keys of certificates, PEM")
    parser.add_argument("--checkpoint", action="append", type=Path, default=[], metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        keys = [Key.parse(text) for text in options.key]
        keys = endorsed_keys(_read(options.keys), keys) if options.keys else keys
        known = [Checkpoint.parse(_read(path), path.name) for path in options.checkpoint]
        pem = _read(options.certificate_key).encode() if options.certificate_key else None
        certificate = _read(options.certificate) if options.certificate else ""
        text = verify_file(options.file, keys, known, pem, certificate)
    except Invalid as error:
        is_unchecked = error.code in UNCHECKED
        sys.stderr.write(f"{options.file}: {'' if is_unchecked else 'NOT VALID: '}{error}\n")
        return 2 if is_unchecked else 1
    sys.stdout.write(f"{options.file}: {text}\n")
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid("file.unreadable", name=path.name, why=str(error)) from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
