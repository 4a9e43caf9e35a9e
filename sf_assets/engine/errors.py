"""What may be repeated of an engine's error: its class and its place. Its text quotes what cells hold, whatever they hold.

Texts of errors about statements and files name tables, columns, files and sizes, and are kept but for what stands in
quotes of literals. Those about values are not kept at all: no pattern takes a value out of a text for sure.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import polars as pl
import pyarrow as pa

ENGINE_ERRORS = (duckdb.Error, pl.exceptions.PolarsError, pa.ArrowException)
_OF_STATEMENTS = frozenset(
    {
        *("BinderException", "CatalogException", "ParserException", "SyntaxException", "NotImplementedException"),
        *("IOException", "TransactionException", "ConnectionException", "OutOfMemoryException", "InterruptException"),
        "PermissionException",
    }
)
_CLASS = re.compile(r"\(_?duckdb(?:\._?duckdb)*\.(\w+)\)\s*(.*)", re.DOTALL)
_LITERAL = re.compile(r"'.*'", re.DOTALL)
# Where and what for, in the words of the engine itself; a type or a number cannot hold a value.
_PLACES = (
    re.compile(
        r"\bto (U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER|\d+)?|DOUBLE|FLOAT|DECIMAL\(\d+,\d+\)|DATE|TIMESTAMP|BOOL(?:EAN)?)\b"
    ),
    re.compile(r"\bon (Line: \d+)\b"),
    re.compile(r"\n(LINE \d+):"),
)
_LONGEST = 300


class EngineError(Exception):
    """A statement failed in an engine; the message holds no value of any cell."""


@contextmanager
def redact_engine_errors() -> Iterator[None]:
    """Raise an `EngineError` in the place of an engine's own error, which is not even kept as its cause."""
    try:
        yield
    except ENGINE_ERRORS as error:
        raise EngineError(describe_error(error)).with_traceback(error.__traceback__) from None


def describe_error(error: BaseException) -> str:
    """Return the class of an error, and what of its text cannot hold a value."""
    return _describe(type(error).__name__, str(error))


def describe_error_text(text: str) -> str:
    """Return the same of an error that others made a text of, with the class of the engine's error in parentheses."""
    found = _CLASS.search(text)
    return _describe(found[1], found[2].split("\n[SQL", 1)[0]) if found else _without_engine(text)


def _describe(name: str, text: str) -> str:
    if name in _OF_STATEMENTS:
        return f"{name}: {_LITERAL.sub('…', text.splitlines()[0] if text else '')}"[:_LONGEST].rstrip()
    places = [match[1] for place in _PLACES if (match := place.search(text))]
    return f"{name} ({', '.join(places)})" if places else name


def _without_engine(text: str) -> str:
    """Return what an error of Great Expectations itself says, which names a column of ours or nothing."""
    missing = re.search(r'The column "(\w+)" in BatchData does not exist', text)
    return f"no column {missing[1]}" if missing else "an error outside of the engine"
