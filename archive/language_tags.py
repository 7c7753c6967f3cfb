"""Language tags (BCP 47), such as en or pt-BR."""

import re

MAX_LENGTH = 16
PATTERN = re.compile(r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")


def is_language_tag(text: str) -> bool:
    return len(text) <= MAX_LENGTH and PATTERN.fullmatch(text) is not None
