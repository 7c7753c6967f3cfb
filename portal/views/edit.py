"""Edit a Space as its host: facts and participants, speakers, lines of the transcript."""

from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from archive.content_access import Kind, record_access
from archive.editing.corrections import correct_lines
from archive.editing.facts import edit_space, read_editable
from archive.editing.speakers import rename_speakers
from archive.errors import Conflict, Refused, StorageError, TooManyRequests
from archive.models import Space, Transcript
from portal.access import find_space_to_edit
from portal.forms.editing import CorrectionsForm, LinesForm, SpaceForm, SpeakersForm
from portal.http import SignedInRequest
from portal.limits import count_request
from portal.presenters import edit_page as presenter
from portal.section_messages import add_success


@dataclass(frozen=True)
class Sent:
    """A refused form with the typed values, and the reason."""

    space_form: SpaceForm | None = None
    speakers_form: SpeakersForm | None = None
    error: Refused | StorageError | None = None

    @property
    def is_outdated(self) -> bool:
        return self.error is not None and self.error.code == "edit.changed_meanwhile"


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Show the page. POST saves facts and participants."""
    space = find_space_to_edit(request.user, space_id)
    if request.method != "POST":
        return _page(request, space, Sent(), 200)
    form = SpaceForm.sent(request.POST)
    if not form.is_valid():
        return _page(request, space, Sent(form), HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        count_request(request, "edit")
        changed = edit_space(space.pk, form.facts.cleaned_data["edition"], form.read(), request.user)
    except (Refused, StorageError) as error:
        return _page(request, find_space_to_edit(request.user, space_id), Sent(form, None, error), _status(error))
    messages.success(request, _("Saved.") if changed else _("Nothing to save: the Space is like that already."))
    return redirect("edit", space_id)


@require_POST
def speakers(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Rename or merge speakers."""
    space = find_space_to_edit(request.user, space_id)
    form = SpeakersForm(request.POST)
    form.full_clean()
    base = form.cleaned_data["base"]
    try:
        count_request(request, "edit")
        version = rename_speakers(space.pk, base, form.names, request.user, form.consent)
    except (Refused, StorageError) as error:
        return _page(request, find_space_to_edit(request.user, space_id), Sent(None, form, error), _status(error))
    add_success(request, "speakers", _saved(version, base))
    return redirect(f"{reverse('edit', args=[space_id])}#speakers")


@require_http_methods(["GET", "HEAD", "POST"])
def transcript(request: SignedInRequest, space_id: UUID) -> HttpResponse:
    """Show fifty lines with fields. POST saves the corrections from this page or the Space's page as one version."""
    space = find_space_to_edit(request.user, space_id)
    newest = space.transcripts.last()
    if newest is None:
        raise Http404
    lines = LinesForm(request.GET)
    lines.full_clean()
    start = lines.cleaned_data["start"]
    record_access(Kind.READ, [space], request.user)
    if request.method != "POST":
        return render(request, "edit/transcript.html", presenter.lines_page(space, newest, start))
    form = CorrectionsForm(request.POST)
    form.full_clean()
    base = form.cleaned_data["base"]
    try:
        count_request(request, "edit")
        version = correct_lines(space.pk, base, form.corrections, request.user)
    except (Refused, StorageError) as error:
        return _refused_lines(request, space, form, error)
    if "from_space" in request.POST:
        add_success(request, "transcript", _saved(version, base))
        return redirect(presenter.corrected_line_url(version, form.corrections))
    messages.success(request, _saved(version, base))
    return redirect(f"{reverse('edit-transcript', args=[space_id])}?start={start}")


def _refused_lines(
    request: SignedInRequest, space: Space, form: CorrectionsForm, error: Refused | StorageError
) -> HttpResponse:
    """Show the typed corrections again, so that they can be saved."""
    space = find_space_to_edit(request.user, space.pk)  # raises Gone if the deadline was the reason
    newest = space.transcripts.last()
    if newest is None:
        raise Http404
    base = space.transcripts.filter(number=form.cleaned_data["base"]).first()
    context = presenter.refused_lines_page(space, base, newest, form.corrections)
    context["problems"] = _problems(error)
    return render(request, "edit/transcript.html", context, status=_status(error))


def _page(request: SignedInRequest, space: Space, sent: Sent, status: int) -> HttpResponse:
    now, form = read_editable(space), sent.space_form
    edition = form.facts["edition"].value() if form and not sent.is_outdated else now.edition
    meanwhile = presenter.saved_meanwhile(form, now) if form and sent.is_outdated else {}
    problems = _problems(sent.error) if sent.error else form.problems if form else []
    if form is None:
        form = SpaceForm.of(now)
    elif sent.is_outdated:
        form = form.rebased(now)
    names = sent.speakers_form.names if sent.speakers_form else {}
    context = {
        **presenter.edit_page(space, now, form, names),
        "edition": edition,
        "meanwhile": meanwhile,
        "problems": [] if sent.speakers_form else problems,
        "speakers_problems": problems if sent.speakers_form else [],
        "speakers_form": sent.speakers_form,
        "asks": sent.error.code if sent.error else "",
        "asked_in": "speakers" if sent.speakers_form else "facts",
    }
    record_access(Kind.READ, [space], request.user)
    return render(request, "edit/page.html", context, status=status)


def _saved(version: Transcript, base: int) -> str:
    if version.number == base:
        return _("Nothing to save: the transcript is like that already.")
    return _("Saved as version {number} of the transcript.").format(number=version.number)


def _problems(error: Refused | StorageError) -> list[str]:
    if isinstance(error, StorageError):
        return [
            _("The store does not answer. Nothing was saved, and your changes are still here. Try again in a minute.")
        ]
    return [str(error)]


def _status(error: Refused | StorageError) -> int:
    match error:
        case TooManyRequests():
            return HTTPStatus.TOO_MANY_REQUESTS
        case Conflict():
            return HTTPStatus.CONFLICT
        case StorageError():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            return HTTPStatus.UNPROCESSABLE_ENTITY
