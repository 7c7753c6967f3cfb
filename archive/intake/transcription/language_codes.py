"""Languages as Whisper names them: ISO 639-1 in most cases, where people use BCP 47."""

# BCP 47 tags for which Whisper has another code.
CODES = {"nb": "no", "jv": "jw", "cmn": "zh", "fil": "tl"}


def whisper_code(language: str) -> str:
    """Whisper's code of a language tag (`pt-BR`: pt)."""
    base = language.split("-", maxsplit=1)[0].lower()
    return CODES.get(base, base)
