"""File names that every system takes, out of titles that nobody would choose."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.bundles.names import safe


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("The seed library room", "The seed library room"),
        ("", "space"),
        ("   ", "space"),
        ("...", "space"),
        ("..", "space"),
        ("///", "space"),
        ("\x00", "space"),
        ("Gärten 🌱 & Höfe", "Gärten 🌱 & Höfe"),
        ("👩‍👩‍👧 at home", "👩‍👩‍👧 at home"),
        ("🏳️‍🌈", "🏳️‍🌈"),
        ("cafe\u0301", "caf\u00e9"),
        ("caf" + "e\u200b\u0301", "caf\u00e9"),
        ("annual\u202efdp.exe", "annualfdp.exe"),
        ("\u2066isolated\u2069 \u200bzero\u200bwidth\ufeff", "isolated zerowidth"),
        ("CON", "CON_"),
        ("con.txt", "con_txt"),
        ("Nul.tar.gz", "Nul_tar.gz"),
        ("com1", "com1_"),
        ("COM¹", "COM¹_"),
        ("console", "console"),
        ("../../x", "x"),
        ("..\\..\\windows", "windows"),
        ("/etc/passwd", "etc-passwd"),
        ("a/b\\c:d", "a-b-c-d"),
        ('what? "never" <ever> | *', "what- -never- -ever"),
        ("trailing dots...", "trailing dots"),
        ("trailing spaces   ", "trailing spaces"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("one\ttwo\r\nthree\u2028four", "one two three four"),
        ("nul\x00inside", "nulinside"),
        ("a\x1b[31mred", "a[31mred"),
        ("x" * 300, "x" * 120),
        ("ä" * 300, "ä" * 60),
        ("🌱" * 300, "🌱" * 30),
    ],
)
def test_a_title_becomes_a_name(title: str, name: str) -> None:
    assert safe(title) == name


def test_a_cut_takes_no_half_characters() -> None:
    assert safe("x" * 119 + "é") == "x" * 119
    assert safe("x" * 118 + "q\u0323\u0307" + "more") == "x" * 118  # a letter leaves together with its marks


def test_the_fallback_is_the_callers() -> None:
    assert safe("???", "recording") == "recording"


# What Windows takes for a device whatever follows the first dot.
DEVICES = {"CON", "PRN", "AUX", "NUL"} | {f"{port}{n}" for port in ("COM", "LPT") for n in "0123456789¹²³"}
nasty = st.text() | st.text(st.sampled_from("con.pruaxl1²\u0301\u0323 \u200d\u202e/\\:🌱x-\x00"), max_size=200)


@settings(deadline=None)
@given(nasty)
def test_it_is_always_one_name(title: str) -> None:
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
def test_a_name_is_its_own_name(title: str) -> None:
    assert safe(safe(title)) == safe(title)
