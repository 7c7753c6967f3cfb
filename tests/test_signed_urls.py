"""Signed URLs of the store: expiry, file name, and range requests."""

import io
import time
import uuid
from datetime import timedelta
from email.message import Message
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from archive.storage import store, write


@pytest.fixture
def key() -> str:
    key = f"tests/{uuid.uuid4()}/a.zip"
    write(store(), key, io.BytesIO(b"0123456789"), "text/plain", check=lambda: None)
    return key


def signed(key: str, *, expires: float = 60, filename: str = "a.zip", inline: bool = False) -> str:
    seconds = timedelta(seconds=expires)
    return store().signed_url(key, expires=seconds, filename=filename, content_type="application/zip", inline=inline)


def get(url: str, **headers: str) -> tuple[int, Message, bytes]:
    with urlopen(Request(url, headers=headers), timeout=120) as answer:
        return answer.status, answer.headers, answer.read()


def test_a_signed_url_serves_the_object_with_our_headers(key: str) -> None:
    status, headers, body = get(signed(key))

    assert (status, body) == (200, b"0123456789")
    assert headers["Content-Type"] == "application/zip"
    assert headers["Cache-Control"] == "private, no-store"


def test_a_broken_download_resumes(key: str) -> None:
    status, headers, body = get(signed(key), Range="bytes=4-")

    assert (status, body) == (206, b"456789")
    assert headers["Content-Range"] == "bytes 4-9/10"


@pytest.mark.parametrize(
    ("filename", "inline", "disposition"),
    [
        ("a.zip", True, "inline; filename=\"a.zip\"; filename*=UTF-8''a.zip"),
        (
            "Gärten 🌱.zip",
            False,
            "attachment; filename=\"G_rten _.zip\"; filename*=UTF-8''G%C3%A4rten%20%F0%9F%8C%B1.zip",
        ),
        ('a"b\\c;d.zip', False, "attachment; filename=\"a_b_c;d.zip\"; filename*=UTF-8''a%22b%5Cc%3Bd.zip"),
    ],
)
def test_the_file_name_of_a_download(key: str, filename: str, inline: bool, disposition: str) -> None:
    _, headers, _ = get(signed(key, filename=filename, inline=inline))

    assert headers["Content-Disposition"] == disposition


def test_a_signed_url_expires(key: str) -> None:
    for seconds in (1, 10, 60):  # the last one for a very slow machine
        url = signed(key, expires=seconds)
        before = status(url)
        if before == 200:
            break
    time.sleep(seconds + 1.1)

    assert (before, status(url)) == (200, 403)


def status(url: str) -> int:
    try:
        return get(url)[0]
    except HTTPError as error:
        with error:
            return error.code


def test_a_signed_url_opens_no_other_object(key: str) -> None:
    with pytest.raises(HTTPError) as refused:
        get(signed(key).replace("a.zip?", "b.zip?"))
    assert refused.value.code == 403
    refused.value.close()


def test_no_signed_url_shorter_than_a_second(key: str) -> None:
    with pytest.raises(ValueError, match="at least one second"):
        signed(key, expires=0.9)
