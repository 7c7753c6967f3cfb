"""Why browsers need an access copy of a recording."""

from enum import StrEnum


class Reason(StrEnum):
    """The reason for an access copy: codes of archive/error_messages/audio.py."""

    CODEC = "audio.copy_codec"
    CONTAINER = "audio.copy_container"
    TRACKS = "audio.copy_tracks"
    INDEX = "audio.copy_index"
    EDITED = "audio.copy_edited"
    CHAINED = "audio.copy_chained"
    GAPS = "audio.copy_gaps"
    CHANGES = "audio.copy_changes"
    LOW_BIT_RATE = "audio.copy_low_bit_rate"
    VARIABLE = "audio.copy_variable"
    DAMAGED = "audio.copy_damaged"
    LENGTH = "audio.copy_length"
