"""Forms of moderation: flags, lifts, appeals, decisions."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from archive.errors import Refused
from archive.models import Appeal, ReasonTemplate, Rule
from archive.moderation.evidence import Lines, parse
from archive.moderation.rules import list_rules
from portal.forms.base import (
    IdListField,
    LenientIntegerField,
    LongTextField,
    PortalForm,
    ReasonField,
    TextField,
    TextListField,
    render_sentence,
)

MAX_SPACES = 50  # Spaces that one URL can contain
MAX_TYPED_LINES = 2000  # characters of "12, 14-16"


class RuleField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """An active rule, by its code."""

    def __init__(self) -> None:
        errors = {
            "required": _("Choose a rule."),
            "invalid_choice": _("There is no such rule. Choose one from the list."),
        }
        super().__init__(list_rules(), to_field_name="code", error_messages=errors)

    def to_python(self, value: Any) -> Rule | None:
        return super().to_python(value.replace("\x00", "") if isinstance(value, str) else value)


class ChosenSpacesForm(PortalForm):
    """The Spaces that were ticked in the queue."""

    space = IdListField(most=MAX_SPACES)


class FlagForm(PortalForm):
    """A flag of one Space or several. If the reason is empty, the template's text is used; with JavaScript, the
    template fills the field."""

    rule = RuleField()
    template = forms.ModelChoiceField(ReasonTemplate.objects.all(), required=False)
    reason = ReasonField(required=False)

    def clean(self) -> None:
        template = self.cleaned_data.get("template")
        if self.cleaned_data.get("reason") == "" and template is not None:
            self.cleaned_data["reason"] = template.text
        if self.cleaned_data.get("reason") == "":
            self.add_error("reason", render_sentence("moderation.reason_missing"))


class EvidenceFlagForm(FlagForm):
    """A flag of one Space, with transcript lines as evidence: typed as in "12, 14-16", or ticked."""

    transcript = LenientIntegerField(default=0, min_value=0, max_value=9999)
    lines = TextField(
        required=False,
        max_length=MAX_TYPED_LINES,
        error_messages={"max_length": _("The numbers of the lines have at most %(limit_value)d characters.")},
    )
    line = TextListField(required=False)

    evidence: Lines | None = None

    def clean(self) -> None:
        super().clean()
        try:
            numbers = parse(",".join([self.cleaned_data.get("lines", ""), *self.cleaned_data["line"]]))
        except Refused as error:
            self.add_error("lines", str(error))
        else:
            self.evidence = Lines(self.cleaned_data["transcript"], numbers) if numbers else None

    @property
    def ticked(self) -> set[int]:
        """The numbers of the ticked lines, to show the form again."""
        ticked = self["line"].value() or []
        return {int(text) for text in ticked if text.isascii() and text.isdigit() and len(text) < 7}


class LiftForm(PortalForm):
    reason = ReasonField()


class AppealForm(PortalForm):
    statement = LongTextField(
        sentences={"required": "appeal.statement_missing", "max_length": "appeal.statement_too_long"},
        max_length=Appeal.MAX_LENGTH,
    )


class DecisionForm(PortalForm):
    """The decision on an appeal, with its reason."""

    NEITHER = _("Choose whether the appeal is granted or denied.")

    decision = forms.ChoiceField(
        choices={"grant": _("Grant"), "deny": _("Deny")},
        error_messages={"required": NEITHER, "invalid_choice": NEITHER},
    )
    reason = ReasonField()

    @property
    def granted(self) -> bool:
        return bool(self.cleaned_data["decision"] == "grant")
