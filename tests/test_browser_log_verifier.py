"""The verifier for people without a terminal: one HTML file opened from disk gives the same verdicts as
verify_log.py."""

import base64
import random
import re
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from archive.transparency import export as exporting
from archive.transparency import verify_log
from archive.transparency.verify_log import (
    Checkpoint,
    Export,
    Invalid,
    Key,
    Receipt,
    endorsed_keys,
    sentence,
    split_notes,
    verify_certificate,
    verify_checkpoints,
    verify_export,
    verify_file,
)
from tests.support.certificates import CASES, make_parts
from tests.support.log_exports import (
    KEY,
    NEXT,
    NEXT_KEY,
    ROTATIONS,
    SIZES,
    TAMPERING,
    endorse,
    entry,
    make_files,
    rotated,
    sign,
    write_files,
)


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    folder = tmp_path / "clean"
    write_files(folder, make_files([entry(number) for number in range(300)], SIZES))
    return folder


@pytest.fixture
def verifier(page: Page, tmp_path: Path) -> Page:
    """The page, opened from disk. Any request from it fails the test."""
    path = tmp_path / "verify.html"
    path.write_bytes(exporting.verifier_page())
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    assert requests == [path.as_uri()]
    return page


def ask(page: Page, file: Path, key: str = str(KEY), *known: Path) -> str:
    """Return the page's verdict on a file."""
    page.locator("#keys").fill(key)
    page.locator("#file").set_input_files(file)
    page.locator("#known").set_input_files(list(known))
    page.get_by_role("button", name="Verify", exact=True).click()
    verdict = page.locator("#verdict")
    expect(verdict).not_to_have_text("Verifying…")
    return verdict.inner_text()


def pack(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", folder))


def python_says(path: Path) -> str:
    try:
        with Export.open(path) as export:
            return sentence("log.verified", verify_export(export, export.endorsed_keys([KEY])))
    except Invalid as error:
        return str(error) if error.code in verify_log.UNCHECKED else f"NOT VALID: {error}"


def test_every_export_has_the_verdict_of_the_python_verifier(verifier: Page, clean: Path, tmp_path: Path) -> None:
    assert ask(verifier, pack(clean)).startswith("Verified: 300 entries, up to 1 November 2026, 00:00:59 UTC.")
    for number, (damage, code, _) in enumerate([*TAMPERING, *ROTATIONS]):
        folder = tmp_path / str(number)
        shutil.copytree(clean, folder)
        damage(folder)
        path = pack(folder)
        assert ask(verifier, path) == python_says(path), code


def mutate(folder: Path, chance: random.Random) -> None:
    """Make one to three changes to the entries, and sometimes one to the hashes."""
    path = folder / "entries.jsonl"
    entries = path.read_bytes().splitlines(keepends=True)
    for _ in range(chance.randint(1, 3)):
        place, other = chance.randrange(len(entries)), chance.randrange(len(entries))
        match chance.choice(["change", "delete", "insert", "copy", "swap", "cut off"]):
            case "change":
                entries[place] = entries[place].replace(b"Z", b"z")
            case "delete":
                del entries[place : place + chance.choice([1, 2, 40])]
            case "insert":
                entries.insert(place, entry(1000 + place) + b"\n")
            case "copy":
                entries.insert(place, entries[other])
            case "swap":
                entries[place], entries[other] = entries[other], entries[place]
            case "cut off":
                entries = [*entries[:place], entries[place][: chance.choice([0, 5])]]
        entries = entries or [b""]
    path.write_bytes(b"".join(entries))
    if chance.random() < 0.2:
        (folder / "tile/0/000").write_bytes((folder / "tile/0/000").read_bytes()[: chance.choice([0, 40, 7000])])


def test_mutated_exports_have_the_verdict_of_the_python_verifier(
    page: Page, clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LOOK_AHEAD is 20 in both, so that 300 entries are enough to have some beyond it."""
    monkeypatch.setattr(verify_log, "LOOK_AHEAD", 20)
    source = exporting.verifier_page().decode()
    assert source.count("LOOK_AHEAD = 65536") == 1
    (tmp_path / "verify.html").write_text(source.replace("LOOK_AHEAD = 65536", "LOOK_AHEAD = 20"))
    page.goto((tmp_path / "verify.html").as_uri())
    chance = random.Random(4)
    verdicts = set()
    for number in range(40):
        folder = tmp_path / str(number)
        shutil.copytree(clean, folder)
        mutate(folder, chance)
        path = pack(folder)
        assert ask(page, path) == python_says(path), number
        verdicts.add(python_says(path).translate(str.maketrans("", "", "0123456789")))
    assert len(verdicts) >= 6, verdicts


def test_a_kept_checkpoint_shows_a_fork(verifier: Page, clean: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    (*_, last) = split_notes((clean / "checkpoints.txt").read_text())
    kept.write_text(last)
    forked = tmp_path / "forked"
    write_files(forked, make_files([entry(number) for number in range(1000, 1300)], SIZES))

    assert ask(verifier, pack(clean), str(KEY), kept).startswith("Verified: ")
    expected = "NOT VALID: There are two different logs: both checkpoints of 300 entries are signed."
    assert ask(verifier, pack(forked), str(KEY), kept) == expected


def test_receipts_and_checkpoints(verifier: Page, clean: Path, tmp_path: Path) -> None:
    notes = (clean / "checkpoints.txt").read_text()
    data, other = entry(0), entry(1)
    two = make_files([data, other], (2,))
    checkpoint = Checkpoint.parse(next(split_notes(two["checkpoints.txt"].decode())))
    receipt = Receipt(data, 0, (two["tile/0/000.p/2"][32:],), checkpoint)
    path = tmp_path / "entry.tlog-proof"
    path.write_text(str(receipt))
    chain = tmp_path / "chain.txt"
    chain.write_text(notes)

    assert ask(verifier, path) == sentence("receipt.verified", receipt.verify([KEY]))
    path.write_text(str(Receipt(other, 0, receipt.path, checkpoint)))
    assert ask(verifier, path) == (
        "NOT VALID: The receipt does not fit: entry 2 is not at place 0 of the tree of the checkpoint."
    )
    assert ask(verifier, chain) == sentence("checkpoints.verified", verify_checkpoints(notes, [KEY]))
    chain.write_text(f"{notes}{sign(300, b'r' * 32)}\n")
    assert ask(verifier, chain).startswith("NOT VALID: There are two different logs")
    assert ask(verifier, chain, "not a key").startswith("not a key is not a public key of a log")


def test_a_cosignature_that_does_not_fit_is_refused(verifier: Page, clean: Path, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from archive.transparency.witness import Witness

    witness = Witness("w.example", Ed25519PrivateKey.from_private_bytes(b"w" * 32), [KEY], tmp_path)
    (*_, last) = split_notes((clean / "checkpoints.txt").read_text())
    line = witness.add_checkpoint(f"old 0\n\n{last}").body
    file = tmp_path / "one.txt"
    keys = f"{KEY}\n{witness.key}\n"

    file.write_text(last + line)
    assert ask(verifier, file, keys).startswith(
        "Verified: 1 checkpoint, up to 300 entries, signed by archive.example.org/log"
    )
    signature = bytearray(base64.b64decode(line.split()[2]))
    signature[-1] ^= 1
    file.write_text(f"{last}— w.example {base64.b64encode(signature).decode()}\n")
    expected = "A signature of the checkpoint of 300 entries does not fit: it, or what it signs, was changed."
    assert ask(verifier, file, keys) == f"NOT VALID: {expected}"


def test_certificates_have_the_verdicts_of_the_python_verifier(verifier: Page, tmp_path: Path) -> None:
    for number, (change, code) in enumerate(CASES):
        parts = change(make_parts())
        if parts.pem == b"no key" or parts.document == b"[]":
            continue  # the page recognizes files by content: these are neither keys nor a certificate
        document, receipt, pem = (tmp_path / f"{number}.{end}" for end in ("json", "tlog-proof", "pem"))
        document.write_bytes(parts.document)
        receipt.write_text(str(parts.receipt))
        pem.write_bytes(parts.pem or b"")
        more = [path for path, has in ((receipt, parts.receipt), (pem, parts.pem)) if has]
        try:
            expected = sentence(
                *verify_certificate(parts.document, [Key.parse(parts.log_key)], parts.receipt, parts.pem)
            )
        except Invalid as error:
            expected = f"NOT VALID: {error}"

        assert ask(verifier, document, parts.log_key, *more) == expected, code


def zip_certificates(path: Path, *names: str, receipts: Sequence[str] | None = None) -> Path:
    """Write what the page of a certificate downloads: {name}.json with its receipt, the keys, and other files that are
    not verified."""
    parts = make_parts()
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("README.txt", "Certificates of deletion.")
        package.writestr("log-keys.txt", f"{parts.log_key} from=2026-11-01T00:00:00Z\n")
        package.writestr("spacekeep-certificates.pem", parts.pem or b"")
        for name in names:
            package.writestr(f"deletion-of-{name}.json", parts.document)
        for name in names if receipts is None else receipts:
            package.writestr(f"deletion-of-{name}.tlog-proof", str(parts.receipt))
    return path


def test_certificates_in_a_zip_have_the_verdict_of_the_python_verifier(verifier: Page, tmp_path: Path) -> None:
    for names in ("a", "ab"):
        check_certificates_in_a_zip(verifier, tmp_path, names)


def check_certificates_in_a_zip(verifier: Page, folder: Path, names: str) -> None:
    path, parts = zip_certificates(folder / f"{len(names)} certificates.zip", *names), make_parts()
    pem = (parts.pem or b"").decode()

    both = ask(verifier, path, f"{parts.log_key}\n{pem}")
    verifier.locator("#keys").fill("")
    expect(verifier.locator("#keys")).to_have_value("")
    assert both == verify_file(path, [KEY], (), parts.pem, "")
    assert both.startswith("Verified: ")
    check_an_older_key(verifier, path, pem)
    bad = folder / f"{len(names)} changed.zip"
    with zipfile.ZipFile(path) as good, zipfile.ZipFile(bad, "w") as changed:
        for name in good.namelist():
            data = good.read(name)
            changed.writestr(name, data.replace(b'"size":7', b'"size":8') if name == "deletion-of-a.json" else data)
    with pytest.raises(Invalid) as error:
        verify_file(bad, [KEY], (), parts.pem, "")
    assert ask(verifier, bad, f"{parts.log_key}\n{pem}") == f"NOT VALID: {error.value}"


def check_an_older_key(verifier: Page, path: Path, pem: str) -> None:
    """Check with a key from before a rotation: the list of keys beside the certificates contains its endorsement of the
    next one."""
    later = path.with_name(f"later {path.name}")
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(later, "w") as package:
        for name in given.namelist():
            package.writestr(name, endorse(KEY, NEXT) if name == "log-keys.txt" else given.read(name))

    assert verify_file(later, [NEXT_KEY], (), pem.encode(), "").startswith("Verified: ")
    assert ask(verifier, later, f"{NEXT_KEY}\n{pem}").startswith("Verified: ")
    assert ask(verifier, path, f"{NEXT_KEY}\n{pem}").startswith("NOT VALID: ")


LONE = [
    ("a", "ab", "Not checked: 1 receipt, for its certificate is missing: deletion-of-b.tlog-proof. Verified: the"),
    ("ab", "abcdef", "Not checked: 4 receipts, for their certificates are missing: deletion-of-c.tlog-proof, "),
    ("", "a", "There is a receipt in it, but no certificate of deletion."),
    ("ab", "", "Not checked whether the log records them: no receipts were given."),
    ("ab", "a", "Verified: 2 certificates of deletion, all signed with a key that you gave. The log of "),
]


def test_a_certificate_or_receipt_without_the_other_is_reported(verifier: Page, tmp_path: Path) -> None:
    for number, (names, receipts, start) in enumerate(LONE):
        path, parts = zip_certificates(tmp_path / f"{number}.zip", *names, receipts=receipts), make_parts()
        try:
            expected = verify_file(path, [KEY], (), parts.pem, "")
        except Invalid as error:
            expected = str(error)

        assert expected.startswith(start)
        assert ask(verifier, path, f"{parts.log_key}\n{(parts.pem or b'').decode()}") == expected
        kind = "good" if expected.startswith("Verified") else "part"
        expect(verifier.locator("#verdict")).to_have_class(kind)


def test_each_verdict_has_one_wording_in_both_verifiers(verifier: Page) -> None:
    names = {name for text in verify_log.VERDICTS.values() for name in re.findall(r"\{(\w+)", text)}
    for number in (0, 1, 2):
        values = dict.fromkeys(names, number)
        ours = {code: sentence(code, values) for code in verify_log.VERDICTS}
        script = "(values) => Object.fromEntries(Object.keys(VERDICTS).map((code) => [code, sentence(code, values)]))"
        assert verifier.evaluate(script, values) == ours


def test_keys_that_come_with_the_files_are_filled_in_and_prove_little(verifier: Page, tmp_path: Path) -> None:
    path = zip_certificates(tmp_path / "certificates.zip", "a")
    keys = verifier.locator("#keys")

    verifier.locator("#file").set_input_files(path)
    expect(keys).to_have_value(re.compile(r"^archive\.example\.org/log\+[\s\S]*BEGIN PUBLIC KEY"))
    expect(verifier.locator("#key-note")).to_contain_text("compare them with keys that you got elsewhere")
    verifier.get_by_role("button", name="Verify", exact=True).click()
    expect(verifier.locator("#verdict.part")).to_contain_text("The keys came with the files")

    verifier.reload()
    own = str(NEXT_KEY)  # when the user gave a key, a file in the ZIP adds no trusted key
    keys.fill(own)
    verifier.locator("#file").set_input_files(path)
    expect(keys).to_have_value(re.compile("BEGIN PUBLIC KEY"))
    assert str(KEY) not in keys.input_value()


def test_what_was_not_checked_is_not_called_wrong(verifier: Page, clean: Path, tmp_path: Path) -> None:
    other, empty = tmp_path / "holiday.txt", tmp_path / "other.zip"
    other.write_text("sea and sun")
    with zipfile.ZipFile(empty, "w") as package:
        package.writestr("a.txt", "x")

    for path in (other, empty):
        with pytest.raises(Invalid) as error:
            verify_file(path, [KEY], (), None, "")
        assert error.value.code == "file.unknown"
        assert ask(verifier, path) == str(error.value)
    assert ask(verifier, clean / "checkpoints.txt", "").startswith("A public key of the log is missing. Paste it")
    verifier.reload()
    verifier.get_by_role("button", name="Verify", exact=True).click()
    expect(verifier.locator("#verdict")).to_contain_text("A file is missing. Choose what to verify")


def test_all_files_of_a_folder_are_dropped_anywhere_on_the_page(verifier: Page, tmp_path: Path) -> None:
    parts = make_parts()
    files = {
        "a.tlog-proof": str(parts.receipt), "README.txt": "Certificates of deletion.", "log-keys.txt": parts.log_key,
        "spacekeep-certificates.pem": (parts.pem or b"").decode(), "a.json": parts.document.decode(),
    }  # fmt: skip
    verifier.evaluate(
        """(files) => {
            const transfer = new DataTransfer();
            for (const [name, text] of Object.entries(files)) transfer.items.add(new File([text], name));
            const options = {dataTransfer: transfer, bubbles: true, cancelable: true};
            document.body.dispatchEvent(new DragEvent("drop", options));
        }""",
        files,
    )
    expect(verifier.locator("#keys")).to_have_value(re.compile("BEGIN PUBLIC KEY"))
    expect(verifier.locator("#key-note")).to_contain_text("compare them with keys that you got elsewhere")
    verifier.wait_for_function("document.getElementById('known').files.length === 2")
    verifier.get_by_role("button", name="Verify", exact=True).click()

    expect(verifier.locator("#verdict")).to_contain_text("Verified: the deletion of Space")
    expect(verifier.locator("#verdict")).to_contain_text("Entry 113 of archive.example.org/log records it, as the")


def test_later_keys_count_if_a_given_one_endorsed_them(verifier: Page, tmp_path: Path) -> None:
    files = rotated()
    write_files(tmp_path, files)
    notes = files["checkpoints.txt"].decode()
    with_list = sentence(
        "checkpoints.verified", verify_checkpoints(notes, endorsed_keys(files["keys.txt"].decode(), [KEY]))
    )

    assert ask(verifier, tmp_path / "checkpoints.txt", str(KEY), tmp_path / "keys.txt") == with_list
    assert ask(verifier, tmp_path / "checkpoints.txt", str(KEY)).startswith(
        "NOT VALID: The checkpoint of 257 entries is not signed by a key that you gave"
    )
