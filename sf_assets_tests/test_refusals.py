"""An object store that restarts or refuses for half a minute: requests are repeated for longer. A wrong key is final."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import botocore.endpoint
import botocore.exceptions
import duckdb
import pytest

from sf_assets.engine.storage.catalog import is_of_store, is_transient
from sf_assets.engine.storage.extensions import open_object_store
from sf_assets.engine.storage.objects import ObjectStore

# What a trial saw: half a minute of refusals, and a quarter of a minute until the server has started again.
OUTAGE_SECONDS = 45
NOBODY = ObjectStore("a", "b", endpoint="http://127.0.0.1:1")


@contextmanager
def answering(codes: list[int]) -> Iterator[ObjectStore]:
    """Serve the codes one after the other, the last for ever."""

    class Answer(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(codes.pop(0) if len(codes) > 1 else codes[0])
            self.send_header("Content-Length", "0")
            self.send_header("ETag", '"one"')
            self.end_headers()

        do_GET = do_HEAD = do_PUT = do_POST = answer  # noqa: N815 - names of the library

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield ObjectStore("a", "b", endpoint=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


@contextmanager
def opened(store: ObjectStore) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a database that opens the store, and waits a thousandth of the time."""
    with duckdb.connect(config={"allow_unsigned_extensions": True}) as connection:
        open_object_store(connection, store)
        connection.execute("set global http_retry_wait_ms = 1")
        yield connection


def test_duckdb_repeats_a_request_for_longer_than_an_outage() -> None:
    with duckdb.connect(config={"allow_unsigned_extensions": True}) as connection:
        open_object_store(connection, NOBODY)
        settings = ", ".join(
            f"current_setting('http_{name}')" for name in ("retries", "retry_wait_ms", "retry_backoff")
        )
        ((retries, milliseconds, growth),) = connection.execute(f"select {settings}").fetchall()
    # The first request and the first of its repetitions have no wait between: seen with a server that counts.
    assert sum(milliseconds / 1000 * growth**wait for wait in range(retries - 1)) > OUTAGE_SECONDS


def test_boto_repeats_a_request_for_longer_than_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(botocore.endpoint.time, "sleep", waits.append)
    random.seed(1)
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        list(NOBODY.listed("s3://lake"))
    assert sum(waits) > OUTAGE_SECONDS


def test_a_store_in_trouble_is_asked_again() -> None:
    with answering([503, 500, 200]) as store, opened(store) as connection:
        connection.execute("copy (select 1) to 's3://lake/a.parquet'")


@pytest.mark.parametrize(("code", "passes"), [(503, True), (500, True), (429, True), (403, False), (404, False)])
def test_only_a_store_in_trouble_is_a_passing_error(code: int, *, passes: bool) -> None:
    with answering([code]) as store, opened(store) as connection, pytest.raises(duckdb.Error) as refused:
        connection.execute("copy (select 1) to 's3://lake/a.parquet'")
    assert (is_transient(refused.value), is_of_store(refused.value)) == (passes, True)


@pytest.mark.parametrize(
    ("statement", "of_store"),
    [("from 's3://lake/a.parquet'", True), ("from '/nowhere/a.parquet'", False), ("from nowhere", False)],
)
def test_a_store_that_does_not_answer_is_told_from_other_errors(statement: str, *, of_store: bool) -> None:
    with opened(NOBODY) as connection, pytest.raises(duckdb.Error) as refused:
        connection.execute(statement)
    assert is_of_store(refused.value) == of_store


def test_a_write_is_tried_once_more_only_when_the_store_is_gone_for_minutes(
    warehouse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def fail(error: duckdb.Error) -> Callable[[], None]:
        def act() -> None:
            tries.append(1)
            raise error

        return act

    monkeypatch.setattr("sf_assets.engine.storage.session.time.sleep", lambda _: None)
    gone = "IO Error: Could not connect to server error for HTTP PUT to 'http://127.0.0.1:1/lake/a.parquet'"
    for error, most in ((duckdb.IOException(gone), 2), (duckdb.TransactionException("conflict"), 8)):
        tries.clear()
        with warehouse.session() as session, pytest.raises(duckdb.Error):
            session._retried(fail(error))
        assert len(tries) == most
