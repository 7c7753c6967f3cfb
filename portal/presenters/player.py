"""What a page needs so that a Space can be heard: where its sound comes from, its shape. Plain values."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from archive.models import Derived, Recording, Space


def player(space: Space) -> dict[str, Any]:
    """The context of archive/parts/player.html, except for the recording."""
    has_peaks = space.derived.filter(kind=Derived.Kind.PEAKS).exists()
    return {
        "audio_url": reverse("audio", args=[space.pk]),
        "peaks_url": reverse("peaks", args=[space.pk]) if has_peaks else None,
        "audio_lives": settings.SIGNED_URL_SECONDS,
    }


def outline(recording: Recording | None) -> dict[str, Any] | None:
    """Of a recording whose loudness is known, the path of a small picture of it, `width` by 100, loudest 100 high."""
    steps = recording.outline if recording else []
    if not steps:
        return None
    high = [max(2, min(100, round(step))) / 2 for step in steps]  # silence is a thin line, and not nothing
    above = "".join(f"L{x} {50 - y:g}H{x + 1}" for x, y in enumerate(high))
    below = "".join(f"L{x + 1} {50 + y:g}H{x}" for x, y in reversed(list(enumerate(high))))
    return {"width": len(high), "path": f"M0 50{above}{below}Z"}
