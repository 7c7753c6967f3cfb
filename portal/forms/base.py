"""What all forms share: fields that forgive, and bound fields that render as attributes of hand-written HTML."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.forms.utils import flatatt
from django.http import HttpRequest
from django.utils.safestring import SafeString

from archive.moderation.deadline import LONGEST_REASON


class AttributesBoundField(BoundField):
    """A field for templates that write the element themselves:
    `<input {{ form.name.attributes }} value="{{ form.name.text }}">`."""

    @property
    def attributes(self) -> SafeString:
        """`name`, and `required`, `maxlength`, `min`, `max`, `aria-invalid` where they apply."""
        return flatatt({"name": self.html_name, **self.build_widget_attrs(self.field.widget.attrs)})

    @property
    def text(self) -> Any:
        """What was typed, or the initial value."""
        value = self.value()
        return "" if value is None else value


class PortalForm(forms.Form):
    bound_field_class = AttributesBoundField

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, auto_id=False, **options)

    @property
    def problems(self) -> list[str]:
        """Every error once, in the order of the fields."""
        return list(dict.fromkeys(str(error) for errors in self.errors.values() for error in errors))

    def show_problems(self, request: HttpRequest, more: str = "") -> None:
        """Put the errors above the page; `more` follows each."""
        for problem in self.problems:
            messages.error(request, f"{problem}{more}")


class TextField(forms.CharField):
    """Text with `nul` in place of NUL, which PostgreSQL can't store."""

    def __init__(self, *, nul: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.nul = nul

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace("\x00", self.nul) if isinstance(value, str) else value)


class LongTextField(TextField):
    """Text of several lines. `subject` begins the sentence about its length: "The reason"."""

    def __init__(self, *, subject: str, required_message: str, max_length: int) -> None:
        errors = {
            "required": required_message,
            "max_length": f"{subject} has %(show_value)d characters; at most %(limit_value)d fit.",
        }
        widget = forms.Textarea(attrs={"rows": False, "cols": False})
        super().__init__(max_length=max_length, widget=widget, error_messages=errors)


class ReasonField(LongTextField):
    """The reason of an act of moderation. `reader` is who reads it: "the host"."""

    def __init__(self, reader: str) -> None:
        required = f"A reason is needed: {reader} will read it."
        super().__init__(subject="The reason", required_message=required, max_length=LONGEST_REASON)


class LenientIntegerField(forms.IntegerField):
    """A number in an address: never an error, since addresses are edited and cut off. Anything else than a number
    within the limits gives `default`."""

    def __init__(self, *, default: int, min_value: int, max_value: int) -> None:
        super().__init__(required=False, min_value=min_value, max_value=max_value)
        self.default = default

    def clean(self, value: Any) -> int:
        try:
            number = super().clean(value)
        except ValidationError:
            number = None
        return self.default if number is None else number


class LenientChoiceField(forms.ChoiceField):
    """A choice in an address: never an error. Anything else gives `default`."""

    def __init__(self, *, default: str, choices: Any) -> None:
        super().__init__(required=False, choices=choices)
        self.default = default

    def clean(self, value: Any) -> str:
        try:
            return str(super().clean(value) or self.default)
        except ValidationError:
            return self.default


class TextListField(forms.Field):
    """The values of all inputs of one name, as they were sent."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Iterable[str] | None) -> list[str]:
        return list(value or [])


class IdListField(TextListField):
    """Ids, each once, at most `most`; text that is no id is ignored."""

    def __init__(self, *, most: int) -> None:
        super().__init__(required=False)
        self.most = most

    def clean(self, value: Iterable[str] | None) -> list[UUID]:
        ids: dict[UUID, None] = {}
        for text in super().clean(value)[: self.most]:
            try:
                ids[UUID(text)] = None
            except ValueError:
                continue
        return list(ids)
