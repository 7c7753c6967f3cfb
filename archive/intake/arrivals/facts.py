"""The facts of an arrival that are known before its bytes are read."""

from dataclasses import dataclass

from archive.intake.register import NewSpace


@dataclass(frozen=True)
class ArrivalFacts:
    """The Space to register. `size` (bytes) and `sha256` (hex) of the recording, if its recorder announced them."""

    space: NewSpace
    size: int | None = None
    sha256: str = ""
