"""Hostile titles become file names that every system accepts."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.bundles import names
from archive.bundles.names import safe

FLAG = "\N{REGIONAL INDICATOR SYMBOL LETTER P}\N{REGIONAL INDICATOR SYMBOL LETTER T}"
FAMILY = "👩‍👩‍👧"  # three people and two joiners: 18 bytes
WAVE = "👋🏽"  # a hand and its color: 8 bytes

TITLES = [
    ("The seed library room", "The seed library room"),
    # Nothing visible
    ("", "space"),
    ("   ", "space"),
    (".", "space"),
    ("..", "space"),
    ("...", "space"),
    (". . .", "space"),
    ("///", "space"),
    ("\x00", "space"),
    ("\u200d", "space"),
    ("\u202e", "space"),
    ("\ufeff\u200b", "space"),
    ("\u0301\u0323", "space"),
    ("\ud800", "space"),
    # Emoji
    ("Gärten 🌱 & Höfe", "Gärten 🌱 & Höfe"),
    (f"{FAMILY} at home", f"{FAMILY} at home"),
    ("🏳️‍🌈", "🏳️‍🌈"),
    (f"{FLAG} Lisbon", f"{FLAG} Lisbon"),
    (f"{WAVE}", f"{WAVE}"),
    ("3️⃣ things", "3️⃣ things"),
    ("\u200d🌱", "🌱"),
    # Right-to-left text, and characters that only change its direction
    ("בוקר טוב", "בוקר טוב"),
    ("غرفة البذور", "غرفة البذور"),
    ("annual\u202efdp.exe", "annualfdp.exe"),
    ("\u202dleft\u202c \u200fright", "left right"),
    ("\u2066isolated\u2069 \u200bzero\u200bwidth\ufeff", "isolated zerowidth"),
    # Marks
    ("cafe\u0301", "caf\u00e9"),
    ("caf" + "e\u200b\u0301", "caf\u00e9"),
    ("\u0301e\u0301", "\u00e9"),
    ("q\u0323\u0307", "q\u0323\u0307"),
    ("नमस्ते", "नमस्ते"),
    # Devices of Windows
    ("CON", "CON_"),
    ("con", "con_"),
    ("con.txt", "con_txt"),
    ("CON .txt", "CON _txt"),
    ("Nul.tar.gz", "Nul_tar.gz"),
    ("aux ", "aux_"),
    ("com1", "com1_"),
    ("COM¹", "COM¹_"),
    ("lpt³.log", "lpt³_log"),
    ("CONIN$", "CONIN$_"),
    ("console", "console"),
    ("com10", "com10"),
    # Paths
    ("../../x", "x"),
    ("..\\..\\windows", "windows"),
    ("/etc/passwd", "etc-passwd"),
    ("C:\\temp", "C--temp"),
    ("a/b\\c:d", "a-b-c-d"),
    ("~/x", "~-x"),
    ("file:///x", "file----x"),
    ('what? "never" <ever> | *', "what- -never- -ever"),
    # Ends and beginnings
    ("trailing dots...", "trailing dots"),
    ("trailing spaces   ", "trailing spaces"),
    ("both. . .", "both"),
    (".hidden", "hidden"),
    ("-rf", "rf"),
    # Controls and half characters
    ("one\ttwo\r\nthree\u2028four", "one two three four"),
    ("nul\x00inside", "nulinside"),
    ("a\x1b[31mred", "a[31mred"),
    ("half \ud83d of one", "half of one"),
    ("\ude00\ud83d", "space"),
    # 300 characters
    ("x" * 300, "x" * 120),
    ("ä" * 300, "ä" * 60),
    ("🌱" * 300, "🌱" * 30),
    ("a" + FLAG * 150, "a" + FLAG * 14),
    (FAMILY * 60, FAMILY * 6),
    (WAVE * 150, WAVE * 15),
    ("xxx" + WAVE * 150, "xxx" + WAVE * 14),
    ("e" + "\u0323\u0307" * 150, "space"),
    ("." * 300, "space"),
]


@pytest.mark.parametrize(("title", "name"), TITLES, ids=[ascii(title)[:40] for title, _ in TITLES])
def test_a_title_becomes_a_name(title: str, name: str) -> None:
    assert safe(title) == name


def test_a_cut_keeps_whole_characters() -> None:
    assert safe("x" * 119 + "é") == "x" * 119
    assert safe("x" * 118 + "q\u0323\u0307" + "more") == "x" * 118  # a letter is removed together with its marks
    assert safe("x" * 116 + "❤\ufe0f" + "more") == "x" * 116  # so is an emoji, with the characters that modify it


def test_the_caller_gives_the_fallback() -> None:
    assert safe("???", "recording") == "recording"


def test_file_names_in_a_bundle() -> None:
    assert names.recording(1, "m4a") == "recording.m4a"
    assert names.recording(2, "M4A") == "recording-2.m4a"
    assert names.access_copy("m4a") == "access-copy.m4a"
    assert names.transcript(1, "en", "vtt") == "transcript.en.vtt"
    assert names.transcript(2, "pt-BR", "json") == "transcript.2.pt-br.json"


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("../../x", "transcript.x.vtt"),
        ("en/../..", "transcript.en.vtt"),
        ("2.en", "transcript.2-en.vtt"),
        ("", "transcript.und.vtt"),
        ("..", "transcript.und.vtt"),
        ("\x00\u202e", "transcript.und.vtt"),
        ("con", "transcript.con.vtt"),
        ("İ", "transcript.i.vtt"),
    ],
)
def test_a_language_tag_cannot_change_the_path(language: str, name: str) -> None:
    assert names.transcript(1, language, "vtt") == name


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from("enEN2.-/\\ÅåS\u017fK\u212a")), min_size=2, max_size=6))
def test_no_two_files_differ_only_in_case(languages: list[str]) -> None:
    made = [names.transcript(number, language, "vtt") for number, language in enumerate(languages, 1)]

    assert len({name.casefold() for name in made}) == len(made)
    assert all(name == name.lower() and name.isascii() and not set(name) & set("/\\:") for name in made)


# Windows takes these for devices, whatever follows the first dot.
DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    f"{port}{n}" for port in ("COM", "LPT") for n in "0123456789¹²³"
}
nasty = st.text() | st.text(
    st.sampled_from("con.pruaxl1²\u0301\u0323 \u200d\u202e/\\:🌱x-\x00$\ufe0f\U0001f1f5\U0001f3fd"), max_size=200
)


@settings(deadline=None)
@given(nasty)
def test_a_name_is_always_one_path_component(title: str) -> None:
    name = safe(title)

    assert name
    assert len(name.encode()) <= 120
    assert unicodedata.normalize("NFC", name) == name
    assert not set(name) & set('/\\:*?"<>|')
    assert name[0] not in " .-"
    assert name[-1] not in " ."
    assert name.split(".")[0].strip().upper() not in DEVICES
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Cn"} for c in name)
    assert not any(
        unicodedata.bidirectional(c) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "PDI"} for c in name
    )


@settings(deadline=None)
@given(nasty)
def test_making_a_name_twice_changes_nothing(title: str) -> None:
    assert safe(safe(title)) == safe(title)
