"""The player of a Space: URLs of its sound, and the waveform. Plain values for templates."""

from itertools import pairwise
from typing import Any

from django.conf import settings
from django.urls import reverse

from archive.models import Recording, Space
from archive.models.of_space import has_peaks


def player(space: Space) -> dict[str, Any]:
    """The context of archive/parts/player.html, except for the recording."""
    return {
        "audio_url": reverse("audio", args=[space.pk]),
        "peaks_url": reverse("peaks", args=[space.pk]) if has_peaks(space) else None,
        "audio_lives": settings.SIGNED_URL_SECONDS,
    }


LIST_STEPS = 50  # of the small picture in lists: about 2 px each
LIST_HEIGHT = 15  # each way from the middle


def list_outline(recording: Recording | None) -> str:
    """Return the small waveform of a recording: the path of its upper half, `LIST_STEPS` wide and `LIST_HEIGHT` high.

    The lower half mirrors it. "" if the loudness is not known. Relative steps keep the page of a list small.
    """
    steps = recording.outline if recording else []
    if not steps:
        return ""
    starts = [len(steps) * x // LIST_STEPS for x in range(LIST_STEPS + 1)]
    loudest = [max(steps[start : max(end, start + 1)]) for start, end in pairwise(starts)]
    # Draw silence as a thin line.
    heights = [max(1, min(LIST_HEIGHT, round(step * LIST_HEIGHT / 100))) for step in loudest]
    return "M0 0" + "".join(f"V-{height}h1" for height in heights) + "V0z"
