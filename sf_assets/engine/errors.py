"""Errors of DuckDB, Polars and Arrow without the data that their messages quote.

Messages about statements and files name tables, columns, files and sizes: they are repeated without their quoted
literals. Messages about values are not repeated at all, because no pattern removes a value reliably: only the class of
the error, the requested type and the line of the statement are.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import polars as pl
import pyarrow as pa

ENGINE_ERRORS = (duckdb.Error, pl.exceptions.PolarsError, pa.ArrowException)
_ABOUT_STATEMENTS = frozenset(
    {
        *("BinderException", "CatalogException", "ParserException", "SyntaxException", "NotImplementedException"),
        *("IOException", "TransactionException", "ConnectionException", "OutOfMemoryException", "InterruptException"),
        "PermissionException",
    }
)
_CLASS = re.compile(r"\(_?duckdb(?:\._?duckdb)*\.(\w+)\)\s*(.*)", re.DOTALL)
_LITERAL = re.compile(r"'.*'", re.DOTALL)
# The requested type and the line of the statement, as the engine writes them: neither can contain a value.
_PLACES = (
    re.compile(
        r"\bto (U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER|\d+)?|DOUBLE|FLOAT|DECIMAL\(\d+,\d+\)|DATE|TIMESTAMP|BOOL(?:EAN)?)\b"
    ),
    re.compile(r"\bon (Line: \d+)\b"),
    re.compile(r"\n(LINE \d+):"),
)
_ANSWER = re.compile(r"\bHTTP (?:code )?([45]\d\d)\b")
_MAX_LENGTH = 300
_INTERRUPTED = "Query interrupted"


class EngineError(Exception):
    """A statement failed in an engine. The message contains no value of the data."""


@contextmanager
def redact_engine_errors() -> Iterator[None]:
    """Raise an `EngineError` instead of the engine's own error, which is not attached as its cause either.

    What interrupts a query is raised as it is. DuckDB makes an error of it (1.5.5): only the step would fail, and its run,
    which somebody stops, would go on with the next one.
    """
    try:
        yield
    except RuntimeError as error:
        if str(error) == _INTERRUPTED and error.__cause__:
            raise error.__cause__ from None
        raise
    except ENGINE_ERRORS as error:
        raise EngineError(describe_error(error)).with_traceback(error.__traceback__) from None


def describe_error(error: BaseException) -> str:
    """Return the class of an error, with the parts of its message that cannot contain a value."""
    return _describe(type(error).__name__, str(error))


def describe_error_text(text: str) -> str:
    """Return the same from the text that SQLAlchemy makes of an engine's error: its class in parentheses, then its message."""
    match = _CLASS.search(text)
    return _describe(match[1], match[2].split("\n[SQL", 1)[0]) if match else _describe_other(text)


def _describe(name: str, text: str) -> str:
    if name in _ABOUT_STATEMENTS:
        return f"{name}: {_LITERAL.sub('…', text.splitlines()[0] if text else '')}"[:_MAX_LENGTH].rstrip()
    if name == "HTTPException":
        # Keys are in no message of the extension, but it repeats what the server answers.
        code = _ANSWER.search(text)
        return f"{name}: the object store answered {code[1]}" if code else name
    places = [match[1] for place in _PLACES if (match := place.search(text))]
    return f"{name} ({', '.join(places)})" if places else name


def _describe_other(text: str) -> str:
    """Describe an error of Great Expectations itself: the declared column that it does not find, or no detail."""
    missing = re.search(r'The column "(\w+)" in BatchData does not exist', text)
    return f"no column {missing[1]}" if missing else "an error outside of the engine"
