"""The page on which hosts correct lines: fifty at a time, without JavaScript. A refused form keeps the typed text."""

import pytest
from django.test import Client

from archive.models import Space, User
from tests.support.editing import make_talk, read_lines
from tests.support.html_forms import read_form
from tests.support.http_clients import make_client
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(alice: User) -> Space:
    return make_talk(alice)


@pytest.fixture
def host(alice: User) -> Client:
    return make_client(alice)


def url(space: Space, start: int = 0) -> str:
    return f"/spaces/{space.pk}/edit/transcript/{f'?start={start}' if start else ''}"


def form_of(host: Client, space: Space, start: int = 0, **changes: str) -> dict[str, str]:
    return read_form(host.get(url(space, start)).content) | {n.replace("_", "-"): v for n, v in changes.items()}


def test_several_corrections_are_one_version(space: Space, host: Client) -> None:
    answer = host.post(url(space), form_of(host, space, text_1="Broad beans.", speaker_4="Ines"))

    assert (answer.status_code, answer["Location"]) == (302, f"{url(space)}?start=1")
    assert space.transcripts.count() == 2
    assert read_lines(space.transcripts.last()) == [
        ("Nora", "Broad beans."), ("Tom", "And peas."), ("Nora", "Sow them early."), ("Ines", "Why?"),
    ]  # fmt: skip


def test_corrections_from_the_page_of_the_space_lead_back_to_it(space: Space, host: Client) -> None:
    answer = host.post(url(space), {"base": "1", "from_space": "1", "text-1": "Broad beans.", "speaker-1": "Nora"})

    assert answer["Location"] == f"/spaces/{space.pk}/?t=0"
    assert read_lines(space.transcripts.last())[0] == ("Nora", "Broad beans.")


def test_long_transcripts_come_in_pages(space: Space, host: Client) -> None:
    make_transcript(space, [("Nora", f"Line {n}.") for n in range(1, 121)], number=2)

    forms = [form_of(host, space, start) for start in (0, 51, 101, 999_999)]
    numbers = [sorted(int(name[5:]) for name in form if name.startswith("text-")) for form in forms]

    assert [(lines[0], lines[-1]) for lines in numbers] == [(1, 50), (51, 100), (101, 120), (120, 120)]
    assert 'href="?start=51"' in host.get(url(space)).content.decode()

    host.post(url(space, 51), form_of(host, space, 51, text_60="Corrected."))
    assert read_lines(space.transcripts.last())[59] == ("Nora", "Corrected.")


def test_the_second_of_two_tabs_keeps_its_text_and_can_save_again(space: Space, host: Client) -> None:
    mine = form_of(host, space, text_1="Runner beans.", text_4="Why not?")
    host.post(url(space), form_of(host, space, text_1="Broad beans.", text_2="And carrots."))

    refused = host.post(url(space), mine)

    assert refused.status_code == 409
    assert "version 2 is the newest by now" in refused.content.decode()
    again = read_form(refused.content)
    assert {name: value for name, value in again.items() if "-" in name} == {
        "text-1": "Runner beans.", "speaker-1": "Nora", "text-4": "Why not?", "speaker-4": "Ida",
    }  # fmt: skip
    assert "Broad beans." in refused.content.decode()  # the stored text is shown beside it

    assert host.post(url(space), again).status_code == 302
    assert [text for _, text in read_lines(space.transcripts.last())] == [
        "Runner beans.", "And carrots.", "Sow them early.", "Why not?",
    ]  # fmt: skip


def test_lines_that_an_upload_moved_are_found_by_their_time(space: Space, host: Client) -> None:
    mine = form_of(host, space, text_2="And carrots.", text_4="Why not?")
    cues = space.transcripts.get().cues
    moved = make_transcript(space, ["An intro."], number=2)
    moved.cues = [{**cues[0], "text": "An intro."}, {**cues[0]}, *cues[1:3]]
    moved.save(update_fields=["cues"])

    refused = host.post(url(space), mine)

    again = read_form(refused.content)
    assert (again["base"], again["text-3"], "text-2" in again) == ("2", "And carrots.", False)
    assert "Copy your text from here" in refused.content.decode()
    assert "Why not?" in refused.content.decode()


def test_a_line_without_text_is_refused(space: Space, host: Client) -> None:
    answer = host.post(url(space), form_of(host, space, text_1=" ", text_2="And carrots."))

    assert answer.status_code == 422
    assert "Line 1 needs some text." in answer.content.decode()
    assert read_form(answer.content)["text-2"] == "And carrots."
    assert space.transcripts.count() == 1


def test_without_a_transcript_there_is_no_page(space: Space, host: Client) -> None:
    space.transcripts.all().delete()

    assert host.get(url(space)).status_code == 404
    assert host.post(url(space), {"base": "1", "text-1": "Beans."}).status_code == 404


@pytest.mark.parametrize(
    ("form", "status"),
    [({}, 422), ({"base": "x", "text-1": "Beans."}, 422), ({"text-99999999": "x", "base": "1"}, 302)],
)
def test_a_form_that_no_page_has(space: Space, host: Client, form: dict[str, str], status: int) -> None:
    assert host.post(url(space), form).status_code == status

    assert space.transcripts.count() == 1
