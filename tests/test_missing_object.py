"""If an object is missing from the store, its row raises an alert, and no message says "nothing was lost"."""

import pytest
from django.test import Client

from archive.models import Bundle, User
from archive.storage import store
from tests.support.factory import make_contents, make_row


@pytest.mark.django_db
def test_a_missing_recording_is_an_alarm(client: Client, alice: User) -> None:
    space = make_row(alice)
    make_contents(space)
    recording = space.recordings.get()
    store().client.delete_object(Bucket=store().bucket, Key=recording.key)
    client.force_login(alice)

    answer = client.get(f"/spaces/{space.pk}/recording")

    assert answer.status_code == 500
    assert "This file is missing from our storage" in answer.content.decode()
    assert "Nothing was lost" not in answer.content.decode()


@pytest.mark.django_db
def test_a_missing_bundle_can_be_requested_again(client: Client, alice: User) -> None:
    space = make_row(alice)
    bundle = make_contents(space)
    store().client.delete_object(Bucket=store().bucket, Key=bundle.key)
    client.force_login(alice)
    page = client.get(f"/spaces/{space.pk}/").content.decode()
    address = page.split('href="http://127.0.0.1:8000/download/')[1].split('"')[0]

    assert client.get(f"/download/{address}").status_code == 404

    assert Bundle.objects.get().state == "removed"
    assert (
        "Recording, transcript, facts and checksums in one ZIP, with a page that plays them offline: data/index.html."
        in client.get(f"/spaces/{space.pk}/").content.decode()
    )
