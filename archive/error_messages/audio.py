"""Recordings: faults of a file that the decoder finds, and failures of the decoder itself."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "audio.empty": _("The file is empty."),
    "audio.not_a_file": _("This is not a regular file."),
    "audio.silent": _("There is no sound in this file. Upload a recording as {formats}."),
    "audio.unreadable": _("No audio could be read from this file. Upload a recording as {formats}."),
    "audio.no_index": _(
        "The file has sound but no index (moov): the recorder was stopped before it finished. A repair program such "
        "as untrunc can rebuild the index with the help of a complete recording from the same recorder; FFmpeg "
        "can't. Upload the repaired file, or a recording of another kind if the recorder kept one."
    ),
    "audio.too_long": _("The recording is longer than {limit:duration}, which is the limit."),
    "audio.too_many_samples": _(
        "The recording has more than {limit:number} samples in all its channels: more than a day of stereo. Save it "
        "with fewer channels or at 48,000 samples a second, and upload that file."
    ),
    "audio.too_short": _(
        "The file says that it is {claimed:duration} long, but only {heard:duration} can be decoded: its end is "
        "missing. Look for the complete file. An operator can accept what is there (--accept-short)."
    ),
    "audio.damaged": _("The file is damaged: {broken:number} of {packets:number} packets could not be decoded."),
    "audio.too_many_tags": _(
        "The file has {size:size} of tags before its sound; at most {limit:size} are accepted. Save it again without "
        "tags, and upload that file."
    ),
    "audio.bad_sample_rate": _("The file has {rate:number} samples a second, which no recording of speech needs."),
    "audio.external_reference": _("The file refers to other files, which are not read. Upload the recording itself."),
    "audio.too_much_memory": _(
        "The file needs more memory or tracks than any recording, so decoding was stopped: it is damaged, or was made "
        "to do that. Save it again with an audio program, and upload that file."
    ),
    "audio.copy_too_large": _(
        "The copy for browsers grew larger than any recording needs, so decoding was stopped: the file is damaged."
    ),
    "audio.too_slow": _(
        "Decoding the file took longer than {limit:duration}, so it was stopped. Save it again with an audio program, "
        "and upload that file; this one is unchanged."
    ),
    "audio.decoder_broke_off": _(
        "This file could not be decoded; it may be damaged. Save it again with an audio program, and upload that "
        "file; this one is unchanged."
    ),
    "audio.decoder_killed": _(
        "The system stopped the decoder of this file, most likely because memory ran out. Try again. If that does not "
        "help, save the file again with an audio program, and upload that file; this one is unchanged."
    ),
    "audio.decoder_died": _("The decoder was stopped before it finished. We will retry automatically."),
    "audio.decoder_failed": _(
        "The decoder failed ({error}). That is a fault of this installation, not of the recording. Nothing was lost, "
        "and the log says where it failed."
    ),
    "audio.disk_failed": _(
        "The worker can't write the recording to its disk ({error}). Nothing was lost, and we will retry automatically."
    ),
    # What was unusual about a recording that was accepted.
    "audio.gaps": _(
        "The recording has gaps, as after muting or a lost connection: {total:duration} in all, the longest "
        "{longest:duration}, the first at {first:duration}. They are filled with silence, so that all times are "
        "correct."
    ),
    "audio.clock_jumps": _("The clock of the recording jumps. Its parts are played one after the other."),
    "audio.overlaps": _("{seconds:duration} of the recording were stored twice, and are played only once."),
    "audio.lost_parts": _(
        "Parts of the file are damaged: {seconds:duration} in all, the first at {first:duration}. They are silent here."
    ),
    "audio.broken_packets": _("{broken:number} of {packets:number} packets could not be decoded and were left out."),
    "audio.track_chosen": _(
        "The file has {tracks:number} audio tracks. This is track {track}, the first with sound; the others are: "
        "{others}. They are in the original file."
    ),
    "audio.copy": _("A copy was made for browsers: {reason:message} The original file is unchanged."),
    # Why browsers get an access copy: playability.py in archive/intake/audio/decoder.
    "audio.copy_codec": _("Not every browser plays this format."),
    "audio.copy_container": _("Not every browser plays this kind of container."),
    "audio.copy_tracks": _("The file has several tracks, or a picture."),
    "audio.copy_index": _("The file has no index, so browsers can't jump to a position in it."),
    "audio.copy_edited": _("The file has an edit list, which browsers read differently."),
    "audio.copy_chained": _("The file consists of several streams, one after the other."),
    "audio.copy_gaps": _("The timestamps of the file have gaps or jumps, which browsers play differently."),
    "audio.copy_changes": _(
        "The sample rate or the channels change in the middle of the file. Some browsers stop there."
    ),
    "audio.copy_low_bit_rate": _(
        "The bit rate of the file is so low that browsers play from a wrong position after a jump."
    ),
    "audio.copy_variable": _("The bit rate of the file varies, so browsers jump to wrong positions."),
    "audio.copy_damaged": _("The file is damaged in places. Some browsers stop there."),
    "audio.copy_length": _("The file does not state its correct length."),
}
