"""Rules run by Great Expectations inside DuckDB: only the keys of a few refused rows leave the warehouse.

Importing this module takes four to ten seconds, so that only steps that run rules import it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import date
from typing import Any

import duckdb
import great_expectations as gx
from duckdb_engine import CursorWrapper
from great_expectations import expectations

from sf_assets.engine.errors import describe_error_text
from sf_assets.engine.quality.rules import Outcome
from sf_assets.vocabulary.schema import Rule, Table

_SAMPLE = 5
_ERROR_LENGTH = 300
# Great Expectations reads braces as placeholders and SQLAlchemy reads colons as parameters, also inside literals. Queries
# therefore pass through both with private-use characters instead, which are replaced before DuckDB receives them.
_ESCAPE = str.maketrans({"{": "\ue000", "}": "\ue001", ":": "\ue002"})
_UNESCAPE = str.maketrans({"\ue000": "{", "\ue001": "}", "\ue002": ":"})


def validate(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    rules: Sequence[Rule],
    *,
    scope: Mapping[str, date | str | list[date]],
) -> dict[str, Outcome]:
    """Run `rules` on the rows of `table` in `scope`, in one pass; return an outcome by name of rule.

    `connection` has the warehouse attached as `lake`; `scope` gives the values of the columns that select rows, `month` first.

    Raises:
        duckdb.Error: the table cannot be read at all.
        ValueError: an expectation is misspelt or its arguments are wrong.

    """
    # Great Expectations takes a query as text, without parameters.
    conditions = " and ".join(f"{column} in ({_literals(value)})" for column, value in scope.items())
    rows = f"select * from lake.{table.name} where {conditions}"
    (total,) = connection.execute(f"select count(*) from ({rows})").fetchall()[0]
    suite = gx.ExpectationSuite(name=table.name, expectations=[_expectation_of(rule) for rule in rules])
    result_format: dict[str, Any] = {
        "result_format": "SUMMARY",
        "partial_unexpected_count": _SAMPLE,
        "return_unexpected_index_query": True,
    }
    if table.key:
        result_format["unexpected_index_column_names"] = list(table.key)
    with _batch_of(connection, rows) as batch:
        report = batch.validate(suite, result_format=result_format)
    # The report does not follow the order of the suite: rules that raised an error come first.
    results = {result.expectation_config.meta["rule"]: result for result in report.results}
    return {
        rule.name: _outcome_of(connection, rule, results[rule.name], key=table.key, rows=rows, total=total)
        for rule in rules
    }


class _Cursor(CursorWrapper):  # type: ignore[misc]
    """A cursor that restores the braces and colons of queries."""

    def execute(self, statement: str, parameters: tuple[Any, ...] | None = None, context: Any = None) -> None:
        super().execute(statement.translate(_UNESCAPE), parameters, context)


class _Reader:
    """A database connection as SQLAlchemy sees it, with a DuckDB cursor of its own for each statement.

    duckdb-engine shares one cursor between statements; Great Expectations returns its connection, which rolls back and
    loses the pending result, before it fetches. Reading needs no transaction.
    """

    notices: tuple[str, ...] = ()  # SQLAlchemy reads the server's messages after each statement.

    def __init__(self, connection: duckdb.DuckDBPyConnection, opened: ExitStack) -> None:
        self._connection = connection
        self._opened = opened

    def cursor(self) -> Any:
        return _Cursor(self._opened.enter_context(closing(self._connection.cursor())), self)

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...


@contextmanager
def _batch_of(connection: duckdb.DuckDBPyConnection, rows: str) -> Iterator[Any]:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    # It would write its settings as YAML three times for each batch, a fifth of the time of a table; nothing reads them.
    context._save_project_config = lambda: None
    with ExitStack() as opened:
        source = context.data_sources.add_sql(
            name="warehouse",
            connection_string="duckdb:///:memory:",
            create_temp_table=False,
            kwargs={"creator": lambda: _Reader(connection, opened)},
        )
        asset = source.add_query_asset(name="month", query=rows.translate(_ESCAPE))
        yield asset.add_batch_definition_whole_table("month").get_batch()


def _literals(value: date | str | list[date]) -> str:
    return ", ".join(_literal(item) for item in (value if isinstance(value, list) else [value]))


def _literal(value: date | str) -> str:
    return f"date '{value.isoformat()}'" if isinstance(value, date) else "'" + value.replace("'", "''") + "'"


def _expectation_of(rule: Rule) -> Any:
    kind = getattr(expectations, rule.expectation, None)
    if kind is None:
        raise ValueError(f"rule {rule.name}: Great Expectations has no {rule.expectation!r}")
    arguments = dict(rule.arguments)
    if "unexpected_rows_query" in arguments:
        arguments["unexpected_rows_query"] = _template_of(arguments["unexpected_rows_query"])
    return kind(**arguments, meta={"rule": rule.name})


def _template_of(query: str) -> str:
    """Return the text of `query` that Great Expectations accepts.

    It gives `{batch}` an alias unless the query joins; inside a named subquery the rule may choose its own alias.
    """
    literal = query.replace("{batch}", "batch").translate(_ESCAPE)
    return f"with batch as (select * from {{batch}}) select * from ({literal})"


def _outcome_of(
    connection: duckdb.DuckDBPyConnection, rule: Rule, result: Any, *, key: tuple[str, ...], rows: str, total: int
) -> Outcome:
    error = _error_in(result.exception_info)
    query = _query_of(rule, result.result, rows)
    if error:
        return Outcome(passed=False, element_count=total, query=query, error=error)
    if "unexpected_rows_query" in rule.arguments:
        refused = result.result["observed_value"]
        sample = _keys_in(connection, query, key) if refused else ()
        return Outcome(passed=result.success, unexpected_count=refused, element_count=total, sample=sample, query=query)
    # Without a key the first list is missing, and the second holds values without column names, which may be personal data.
    rows_found = (
        result.result.get("partial_unexpected_index_list") or result.result.get("partial_unexpected_list") or ()
    )
    return Outcome(
        passed=result.success,
        unexpected_count=result.result.get("unexpected_count") or 0,  # None when there is no row
        element_count=total,
        sample=_sample_of((row for row in rows_found if isinstance(row, Mapping)), key),
        query=query,
    )


def _query_of(rule: Rule, result: Mapping[str, Any], rows: str) -> str:
    if "unexpected_rows_query" in rule.arguments:
        return str(rule.arguments["unexpected_rows_query"]).replace("{batch}", f"({rows})")
    # Great Expectations omits the parentheses around the query of the batch, and writes lists of values as $1, $2…
    query = (
        str(result.get("unexpected_index_query", "$")).translate(_UNESCAPE).replace(f"FROM {rows}", f"FROM ({rows})")
    )
    return rows if "$" in query else query.rstrip(";")


def _keys_in(connection: duckdb.DuckDBPyConnection, query: str, key: tuple[str, ...]) -> tuple[Mapping[str, str], ...]:
    with closing(connection.cursor()) as cursor:
        cursor.execute(f"select * from ({query}) limit {_SAMPLE}")
        names = [name for name, *_ in cursor.description or ()]
        return _sample_of((dict(zip(names, row, strict=True)) for row in cursor.fetchall()), key)


def _sample_of(rows: Iterable[Mapping[str, Any]], key: tuple[str, ...]) -> tuple[Mapping[str, str], ...]:
    keys = ({name: str(row[name]) for name in key if name in row} for row in rows)
    return tuple(key_of_row for key_of_row in keys if key_of_row)


def _error_in(exception_info: Mapping[str, Any]) -> str:
    """Return the error that Great Expectations caught and reports as a failed rule, or an empty text."""
    infos = [exception_info] if "raised_exception" in exception_info else list(exception_info.values())
    messages = [str(info["exception_message"]) for info in infos if info["raised_exception"]]
    return " | ".join(dict.fromkeys(describe_error_text(message.translate(_UNESCAPE)) for message in messages))[
        :_ERROR_LENGTH
    ]
