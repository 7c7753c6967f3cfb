"""Language tags (BCP 47), such as en or pt-BR."""

import re

MAX_LENGTH = 16
ORIGINAL = "orig"
PATTERN = re.compile(r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")


def is_language_tag(text: str) -> bool:
    return len(text) <= MAX_LENGTH and PATTERN.fullmatch(text) is not None


# ISO 639-1. File names have other short words between dots, such as "hd" or "v2".
OF_TWO_LETTERS = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en "
    "eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu iw ja "
    "jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd "
    "ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr "
    "ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
# In the spellings of ISO 639-2 and YouTube.
OF_THREE_LETTERS = (
    "ast ara ces ceb chi cze dan deu dut ell eng fas fil fin fra fre ger gre haw heb hin hmn hun ind ita jpn kor may "
    "msa nld nor per pol por ron rum rus spa swe tha tur ukr vie zho"
)
LANGUAGES = frozenset([*OF_TWO_LETTERS.split(), *OF_THREE_LETTERS.split()])


def language_in_name(word: str) -> str:
    """Return the language tag in a word of a file name ("en", "pt-BR", yt-dlp's "en-orig"), or ""."""
    primary, *rest = word.split("-")
    if primary.lower() not in LANGUAGES:
        return ""
    tag = "-".join([primary.lower(), *(part for part in rest if part.lower() != ORIGINAL)])
    return tag if is_language_tag(tag) else ""


def is_original(word: str) -> bool:
    """Return whether yt-dlp marks these captions as being in the spoken language."""
    return word.lower().endswith(f"-{ORIGINAL}")


def language_of_file(name: str) -> str:
    """Return the language in the name of a transcript, such as talk.en.vtt, or ""."""
    words = name.rpartition("/")[2].split(".")[1:-1]
    return next((tag for word in reversed(words) if (tag := language_in_name(word))), "")
