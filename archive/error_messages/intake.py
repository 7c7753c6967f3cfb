"""Registering and ingesting Spaces."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "intake.no_time_zone": _("{ended_at} has no time zone. Write the end as in 2026-11-22T14:05:00Z or +01:00."),
    "intake.not_a_time": _("“{text}” is not a time. Write it as in 2026-11-22T14:05:00Z."),
    "intake.time_out_of_range": _("{ended_at} is not a possible date."),
    "intake.end_unknown": _("When did the Space end? Give --ended-at: its deadline counts from there."),
    "intake.end_in_future": _("The Space can't have ended on {ended_at:time}: that is in the future."),
    "intake.deadline_passed": _(
        "The Space ended on {ended_at:time}. Every recording is kept for {days} days after that, so its deadline was "
        "{deadline:time}, and it can't be archived any more."
    ),
    "intake.title_too_long": _("The title has {length:number} characters; at most {limit:number} are allowed."),
    "intake.too_many_participants": _("A Space has at most {cohosts} co-hosts and {speakers} speakers."),
    "intake.invalid_text": _("The title, or the file name used instead of one, is not valid text. Give --title."),
    "intake.listeners_invalid": _("Enter numbers of listeners as whole numbers, 0 or more."),
    "intake.name_invalid": _("The name of a participant has 1 to {limit} characters."),
    "intake.deletion_started": _("This recording is in the archive as Space {space}, which is being deleted."),
    "intake.race": _("Another process is ingesting and discarding the same recording. Try again in a minute."),
    "intake.at_work": _("Another process is ingesting Space {space} right now. Try again in a few minutes."),
    "intake.file_growing": _("The file is still growing. Try again when it is complete."),
    "intake.file_changed": _("The file changed while it was read. Try again when it is complete."),
    "intake.stopped": _("Ingesting was stopped ({error})."),
    "intake.host_missing": _("Enter the host: the user name of the person whose Space it was."),
    "intake.not_rejected": _("Only a recording that was not accepted can be removed from the list."),
    "intake.not_the_host": _("Only the host of this Space can remove it from their list."),
    "intake.no_such_host": _("There is no host “{name}” for this token."),
    "intake.no_such_user": _("There is no user “{name}”."),
}
