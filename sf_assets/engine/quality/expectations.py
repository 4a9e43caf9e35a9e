"""Rules run by Great Expectations inside DuckDB: only the keys of a few refused rows leave the warehouse.

Importing this module takes four to ten seconds, so that only steps that run rules import it.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import date
from functools import cache
from threading import Lock
from typing import Any, ClassVar

import duckdb
import great_expectations as gx
from duckdb_engine import CursorWrapper
from great_expectations import expectations

from sf_assets.engine.errors import describe_error_text
from sf_assets.engine.quality.rules import NOT_EMPTY, Outcome
from sf_assets.engine.storage.content import sql_constant
from sf_assets.engine.storage.shape import sql_identifier
from sf_assets.vocabulary.schema import Rule, Table

_SAMPLE = 5
_ERROR_LENGTH = 300
# Great Expectations fetches 200 rows of a query at most, and a row for each column of a table.
_FETCHED = 5000
_ROWS = "checked_rows"
_NO_ROW = "the month: expected at least one row, found none."
# There is one batch for the process, which reads one connection at a time.
_ONE_AT_A_TIME = Lock()
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
    source: str = "",
) -> dict[str, Outcome]:
    """Run `rules` on the rows of `table` in `scope`; return an outcome by name of rule.

    All rules are asked together whether they pass; only those that do not are asked which rows they refuse.
    `connection` has the warehouse attached as `lake`; `scope` gives the values of columns, `month` first. `source` names
    a copy of the rows, which is read in place of the table; the SQL of an outcome reads the table itself.

    Raises:
        duckdb.Error: the table cannot be read at all.
        ValueError: an expectation is misspelt or its arguments are wrong.

    """
    # Great Expectations takes a query as text, without parameters.
    conditions = " and ".join(
        f"{column} in ({', '.join(map(sql_constant, value if isinstance(value, list) else [value]))})"
        for column, value in scope.items()
    )
    rows = f"select * from lake.{table.name} where {conditions}"
    connection.execute(
        f"create or replace temp view {_ROWS} as select * from {source or f'lake.{table.name}'} where {conditions}"
    )
    (total,) = connection.execute(f"select count(*) from {_ROWS}").fetchall()[0]
    # Great Expectations would count, list and describe the refused rows of each rule in queries of their own.
    results = _validate(connection, table, rules, {"result_format": "BOOLEAN_ONLY"})
    if refusing := [rule for rule in rules if not results[rule.name].success or "mostly" in rule.arguments]:
        keys = {"unexpected_index_column_names": list(table.key)} if table.key else {}
        summary = {"result_format": "SUMMARY", "partial_unexpected_count": _SAMPLE, **keys}
        results |= _validate(connection, table, refusing, summary)
    return {
        rule.name: _outcome_of(connection, rule, results[rule.name], key=table.key, rows=rows, total=total)
        for rule in rules
    }


def _validate(
    connection: duckdb.DuckDBPyConnection, table: Table, rules: Sequence[Rule], result_format: dict[str, Any]
) -> dict[str, Any]:
    """Return the results of Great Expectations, by name of rule."""
    suite = gx.ExpectationSuite(name=table.name, expectations=[_expectation_of(rule) for rule in rules])
    with _ONE_AT_A_TIME:
        reader, definition = _started()
        reader.connection = connection
        try:
            report = definition.get_batch().validate(suite, result_format=result_format)
        finally:
            reader.connection = None
    # The report is not in the order of the suite: those that raised come first.
    return {result.expectation_config.meta["rule"]: result for result in report.results}


class ExpectNoRows(expectations.UnexpectedRowsExpectation):  # type: ignore[misc]
    """No row is returned by a query, which runs once: Great Expectations' own rule counts the rows, then fetches them."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(self, metrics: dict[str, Any], *_: object, **__: object) -> dict[str, Any]:
        refused = metrics["unexpected_rows_query.row_count"]
        return {"success": refused == 0, "result": {"observed_value": refused}}


class _Cursor(CursorWrapper):  # type: ignore[misc]
    """The result of one statement, fetched at once: the next statement of the connection would take its place.

    It gives queries back their braces and colons.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, reader: "_Reader") -> None:
        super().__init__(connection, reader)
        self._connection = connection
        self._rows: deque[tuple[Any, ...]] = deque()
        self.description: list[Any] | None = None

    def execute(self, statement: str, parameters: tuple[Any, ...] | None = None, context: Any = None) -> None:
        super().execute(statement.translate(_UNESCAPE), parameters, context)
        self.description = self._connection.description
        self._rows = deque(self._connection.fetchmany(_FETCHED) if self.description else ())

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        return [self._rows.popleft() for _ in range(min(size or 1, len(self._rows)))]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.fetchmany(len(self._rows))


class _Reader:
    """The connection of the checks that run, in the form of a database driver for SQLAlchemy. Reading needs no transaction."""

    notices: tuple[str, ...] = ()  # SQLAlchemy reads the server's messages after each statement.

    def __init__(self) -> None:
        self.connection: duckdb.DuckDBPyConnection | None = None

    def cursor(self) -> _Cursor:
        if self.connection is None:
            raise RuntimeError("expected a connection of the checks that run, found none")
        return _Cursor(self.connection, self)

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...


@cache
def _started() -> tuple[_Reader, Any]:
    """Start Great Expectations, once for the process; return what it reads through and the batch that it checks."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    # It would write its settings as YAML, which nobody reads.
    context._save_project_config = lambda: None
    reader = _Reader()
    with duckdb.connect() as connection:  # Each declaration tries the connection.
        reader.connection = connection
        source = context.data_sources.add_sql(
            name="warehouse",
            connection_string="duckdb:///:memory:",
            create_temp_table=False,
            kwargs={"creator": lambda: reader},
        )
        asset = source.add_query_asset(name="month", query=f"select * from {_ROWS}")
        reader.connection = None
    return reader, asset.add_batch_definition_whole_table("month")


def _expectation_of(rule: Rule) -> Any:
    kind = getattr(expectations, rule.expectation, None)
    if kind is None:
        raise ValueError(f"rule {rule.name}: Great Expectations has no {rule.expectation!r}")
    arguments = dict(rule.arguments)
    if kind is expectations.UnexpectedRowsExpectation:
        kind = ExpectNoRows
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
    query = _query_of(rule, rows)
    if error := _error_in(result.exception_info):
        return Outcome(passed=False, element_count=total, query=query, error=error)
    if "unexpected_rows_query" in rule.arguments:
        refused = 0 if result.success else result.result["observed_value"]
        sample = _keys_in(connection, query, key) if refused else ()
        return Outcome(passed=result.success, unexpected_count=refused, element_count=total, sample=sample, query=query)
    # Without a key the first list is missing, and the second holds values without column names, which may be personal data.
    rows_found = (
        result.result.get("partial_unexpected_index_list") or result.result.get("partial_unexpected_list") or ()
    )
    return Outcome(
        passed=result.success,
        # Absent when the rule passes, None when there is no row.
        unexpected_count=result.result.get("unexpected_count") or 0,
        element_count=total,
        sample=_sample_of((row for row in rows_found if isinstance(row, Mapping)), key),
        query=query,
        statement="" if result.success or rule.name != NOT_EMPTY else _NO_ROW,
    )


def _query_of(rule: Rule, rows: str) -> str:
    """Return the query of the rows that a rule refuses, or of all rows that it reads when they are not refused one by one."""
    column = sql_identifier(rule.arguments.get("column", ""))
    match rule.expectation:
        case "UnexpectedRowsExpectation":
            return str(rule.arguments["unexpected_rows_query"]).replace("{batch}", f"({rows})")
        case "ExpectColumnValuesToNotBeNull":
            return f"select * from ({rows}) where {column} is null"
        case "ExpectColumnValuesToBeBetween":
            bounds = (("min_value", ">="), ("max_value", "<="))
            within = [
                f"{column} {side} {sql_constant(rule.arguments[name])}"
                for name, side in bounds
                if rule.arguments.get(name) is not None
            ]
            return f"select * from ({rows}) where not ({' and '.join(within or ['true'])})"
    return rows


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
