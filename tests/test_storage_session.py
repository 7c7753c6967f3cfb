"""Threads have their own connections to the store, but share a session: creating one takes 0.1 s of CPU."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from archive.storage import store
from archive.storage.s3 import backend
from tests.support.object_stores import WRONG_KEY, override_store

THREADS = 8


def test_threads_that_start_together_have_their_own_connections() -> None:
    together = Barrier(THREADS)

    def connect(number: int) -> tuple[int, int]:
        together.wait(60)
        connection = backend("default").connection
        status = connection.meta.client.head_bucket(Bucket=store().bucket)["ResponseMetadata"]["HTTPStatusCode"]
        return id(connection), status

    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(connect, range(THREADS)))

    assert len({connection for connection, _ in results}) == THREADS
    assert [status for _, status in results] == [200] * THREADS


def test_the_endpoints_share_a_session_and_another_key_has_another() -> None:
    session = backend("default")._create_session()

    assert backend("public")._create_session() is session
    with override_store(**WRONG_KEY):
        assert backend("default")._create_session() is not session
