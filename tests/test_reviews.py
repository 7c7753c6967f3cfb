"""Reviews of Spaces: what leaves the queue, what returns to it, and claims that expire."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from archive import dbtime, lifecycle
from archive.cues import Cue
from archive.errors import Conflict, Refused, TooLate
from archive.intake.persist import TranscriptOrigin, save_transcript
from archive.log import SYSTEM
from archive.models import ReviewClaim, Space, Transcript, User
from archive.moderation.reviews import claim, claim_next, release_claim, review, reviewable
from archive.moderation.violations import flag, lift
from archive.retention.purge import purge
from archive.storage.multipart import Written
from tests.support.deadlines import make_due
from tests.support.errors import raises_error
from tests.support.factory import make_row
from tests.support.log_entries import entries, events

pytestmark = pytest.mark.usefixtures("db")


def to_review(by: User) -> list[str]:
    return sorted(space.title for space in reviewable(Space.objects.all(), by))


def end_claims() -> None:
    ReviewClaim.objects.update(lease_until=dbtime.now())


def test_a_reviewed_space_leaves_the_queue(alice: User, admin: User) -> None:
    space = make_row(alice, title="One")
    make_row(alice, title="Two")
    assert to_review(admin) == ["One", "Two"]

    review(space.pk, admin)

    assert to_review(admin) == ["Two"]
    space.refresh_from_db()
    assert space.reviewed_by == admin
    assert abs(dbtime.now() - space.reviewed_at) < timedelta(seconds=10)  # type: ignore[operator]
    assert entries(space) == [("space.reviewed", {"transcript": 0})]
    assert list(Space.objects.reviewed(flagged=False)) == [space]


def test_a_flag_is_a_review_and_a_lift_does_not_undo_it(alice: User, admin: User) -> None:
    space = make_row(alice)
    claim(space.pk, admin)

    flag(space.pk, "spam", "Watches.", admin)
    assert (to_review(admin), list(Space.objects.reviewed(flagged=True))) == ([], [space])
    lift(space.pk, "In error.", admin)

    assert (to_review(admin), list(Space.objects.reviewed(flagged=False))) == ([], [space])
    assert not ReviewClaim.objects.exists()


def test_one_of_two_flags_still_flags(alice: User, admin: User) -> None:
    space = make_row(alice)
    flag(space.pk, "spam", "Watches.", admin)
    flag(space.pk, "hate", "Words.", admin)

    space.violations.filter(rule__code="spam").update(state="lifted", lifted_by=admin, lifted_at=dbtime.now())
    flag(space.pk, "other", "More.", admin)

    assert Space.objects.get(pk=space.pk).is_flagged


def add_transcript(space: Space, number: int) -> None:
    stored = Written(f"spaces/{space.pk}/{number}", 5, "a" * 64, 1, "etag")
    origin = TranscriptOrigin(Transcript.Source.GIVEN)
    save_transcript(space.pk, stored, [Cue(0, 900, "", "Beans.")], language="en", origin=origin, actor=SYSTEM)


def test_the_first_transcript_brings_a_space_back_and_a_later_one_does_not(alice: User, admin: User) -> None:
    space, flagged = make_row(alice, title="One"), make_row(alice, title="Flagged")
    review(space.pk, admin)
    flag(flagged.pk, "spam", "Watches.", admin)

    add_transcript(flagged, 1)
    assert to_review(admin) == []
    add_transcript(space, 1)
    assert to_review(admin) == ["One"]
    review(space.pk, admin)
    add_transcript(space, 2)

    assert to_review(admin) == []
    assert entries(space)[2] == ("space.reviewed", {"transcript": 1})


def test_what_is_refused(alice: User, bob: User, admin: User, second_admin: User) -> None:
    space, own = make_row(alice), make_row(admin)
    coming = make_row(alice, state="processing")
    due, going = make_row(alice, ended_ago=timedelta(days=31)), make_row(alice)
    lifecycle.transition(going, Space.State.AVAILABLE, Space.State.EXPIRING, actor=SYSTEM)
    for host in (alice, bob):
        with raises_error(Refused, "moderation.not_an_admin", user=host.username):
            review(space.pk, host)
        with raises_error(Refused, "moderation.not_an_admin"):
            claim(space.pk, host)
    with raises_error(Refused, "moderation.own_space"):
        review(own.pk, admin)
    with raises_error(Conflict, "review.not_available"):
        review(coming.pk, admin)
    with raises_error(TooLate, "space.deadline_passed"):
        review(due.pk, admin)
    with raises_error(TooLate, "space.deletion_started"):
        review(going.pk, admin)
    review(space.pk, admin)
    with raises_error(Conflict, "review.exists"):
        review(space.pk, second_admin)

    assert [one.pk for one in (space, own, coming, due, going) if "space.reviewed" in events(one)] == [space.pk]
    assert not ReviewClaim.objects.exists()


def test_a_claimed_space_is_nobody_elses(alice: User, admin: User, second_admin: User) -> None:
    space = make_row(alice)

    first = claim(space.pk, admin)

    assert first is not None
    assert claim(space.pk, second_admin) is None
    with raises_error(Conflict, "review.claimed", admin="ada"):
        review(space.pk, second_admin)
    assert claim_next(Space.objects.all(), second_admin) is None
    again = claim(space.pk, admin, new_page=False)
    assert again == first
    end_claims()
    other = claim(space.pk, second_admin)
    assert other is not None
    assert other.since > first.since
    assert claim(space.pk, admin, new_page=False) is None
    review(space.pk, second_admin)
    assert claim(space.pk, second_admin) is None


def test_a_claim_lasts_three_minutes(alice: User, admin: User) -> None:
    space = make_row(alice)

    claim(space.pk, admin)

    left = ReviewClaim.objects.get().lease_until - dbtime.now()
    assert timedelta(seconds=170) < left <= timedelta(seconds=180)


def test_a_page_that_closes_ends_its_own_claim_only(alice: User, admin: User, second_admin: User) -> None:
    space = make_row(alice)
    old, new = claim(space.pk, admin), claim(space.pk, admin)
    assert old is not None
    assert new is not None
    assert old.since == new.since

    release_claim(space.pk, admin, old.fence)
    release_claim(space.pk, second_admin, new.fence)
    assert ReviewClaim.objects.exists()
    release_claim(space.pk, admin, new.fence)

    assert not ReviewClaim.objects.exists()


def test_the_next_space_is_the_first_that_is_free(alice: User, admin: User, second_admin: User) -> None:
    one, two, own = make_row(alice), make_row(alice), make_row(admin)
    order = Space.objects.order_by("created_at")
    assert claim_next(order, admin) == one
    assert claim_next(order, second_admin) == two
    assert claim_next(order, second_admin) == two  # their own claim is no obstacle
    review(two.pk, second_admin)
    assert claim_next(order, second_admin) == own
    assert claim_next(order.filter(host=admin), admin) is None  # never their own Spaces


def test_a_deleted_space_leaves_no_claim(alice: User, admin: User) -> None:
    space = make_row(alice)
    claim(space.pk, admin)
    make_due(space)

    assert purge(space.pk)

    assert not ReviewClaim.objects.exists()


def test_the_command_reviews(alice: User, admin: User, capsys: pytest.CaptureFixture[str]) -> None:
    space = make_row(alice)

    call_command("review", str(space.pk), "--by", "ada")

    assert capsys.readouterr().out == "Reviewed: no violation.\n"
    with pytest.raises(CommandError, match="was reviewed already"):
        call_command("review", str(space.pk), "--by", "ada")
