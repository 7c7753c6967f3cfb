"""The importers configure the upload page: JavaScript and Python match the same patterns."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from archive.intake import importers
from archive.intake.importers import xarchive
from archive.intake.importers.sniff import ZIP_ARCHIVE
from archive.intake.importers.tree import HIDDEN
from archive.language_tags import PATTERN as LANGUAGE
from embedded.node import find as find_node
from portal.presenters.upload_config import upload_config
from portal.views.upload import MAX_INSPECTED_BYTES

HEADER = "PK\x03\x04" + 26 * "\x00"
CASES: dict[str, tuple[re.Pattern[str], list[str]]] = {
    "hidden": (HIDDEN, [".DS_Store", "a/._b.m4a", "__MACOSX/a.m4a", "a/__MACOSX", "a__MACOSX/b", "a.b", "a/../b"]),
    "spaceArchive": (
        xarchive.LAYOUT,
        ["data/spaces-metadata.js", "x/data/spaces_media/a.ts", "spaces_media/a", "spaces-metadata.js", "data/a.js"],
    ),
    "spaceRecording": (
        xarchive.RECORDING,
        ["data/spaces_media/space-1yA_0.ts", "space-1yA.ts", "myspace-1.ts", "a/space-1.m4a"],
    ),
    "spaceMetadata": (
        xarchive.METADATA,
        ["data/spaces-metadata.js", "spaces-metadata-part1.js", "my-spaces-metadata.js"],
    ),
    "zipArchive": (
        ZIP_ARCHIVE,
        [
            *("PK\x05\x06", f"{HEADER}talk.m4a", f"{HEADER}word/talk.m4a", f"{HEADER}mimetype.txt", "PKZ", "OggS"),
            *(f"{HEADER}[Content_Types].xml", f"{HEADER}word/numbering.xml", f"{HEADER}_rels/.rels"),
            *(f"{HEADER}mimetypeapplication/epub+zip", f"{HEADER}META-INF/MANIFEST.MF"),
        ],
    ),
    "language": (LANGUAGE, ["en", "pt-BR", "zh-Hant-TW", "e", "en-", "en_US", ""]),
}
SCRIPT = """
const { config, cases } = JSON.parse(process.argv[1]);
const result = {};
for (const [name, texts] of Object.entries(cases)) {
  const pattern = new RegExp(config[name].pattern, config[name].flags);
  const matches = texts.map((text) => pattern.exec(text));
  result[name] = matches.map((match) => match && [match[0], match.groups?.id ?? null]);
}
console.log(JSON.stringify(result));
"""


def test_both_languages_match_the_same_texts() -> None:
    config = json.loads(json.dumps(upload_config()))
    cases = {name: texts for name, (_, texts) in CASES.items()}
    node, _ = find_node()
    argument = json.dumps({"config": config, "cases": cases})

    done = subprocess.run([node, "-e", SCRIPT, "--", argument], capture_output=True, text=True, check=True, timeout=60)

    results = json.loads(done.stdout)
    for name, (pattern, texts) in CASES.items():
        expected = [
            [match[0], match.groupdict().get("id")] if (match := pattern.search(text)) else None for text in texts
        ]
        assert results[name] == expected, name
        assert None in expected
        assert any(expected)


def test_the_scripts_know_each_entry() -> None:
    source = (Path(__file__).parent.parent / "portal/static/portal/upload/config.js").read_text()

    assert set(re.findall(r"@property \{[^}]*\} (\w+)", source)) == set(upload_config())


NUMBERS = {
    "headBytes",
    "inspectedHeadBytes",
    "sidecarBytes",
    "sniffedBytes",
    "sortedFiles",
    "transcriptBytes",
    "zipBytes",
}


@pytest.mark.parametrize("name", sorted(set(upload_config()) - NUMBERS))
def test_each_pattern_is_compared(name: str) -> None:
    assert name in CASES


def test_a_head_is_no_larger_than_what_is_inspected() -> None:
    config = upload_config()
    assert config["headBytes"] <= config["sidecarBytes"] == importers.MAX_DESCRIPTION_BYTES == 1024**2
    assert config["transcriptBytes"] + config["headBytes"] + 1024**2 + importers.MAX_HEAD_BYTES <= MAX_INSPECTED_BYTES
    assert config["inspectedHeadBytes"] == importers.MAX_HEAD_BYTES == 4 * 1024**2
