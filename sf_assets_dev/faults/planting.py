"""An in-memory warehouse with every table of the project, empty, in which tests plant rows and run checks on them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

import duckdb

from sf_assets.catalogue.tables import SUITES, TABLES
from sf_assets.engine.quality.acceptances import CHECK_ACCEPTANCES
from sf_assets.engine.quality.rules import Outcome, Probe, Suite
from sf_assets.engine.quality.tables import CHECK_VERDICTS
from sf_assets.engine.quality.verdicts import Verdict, frame_of_verdicts
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.catalog import Catalog, sql_literal
from sf_assets.engine.storage.shape import declared_types, sql_identifier
from sf_assets.lists.tables import LIST_VERSIONS
from sf_assets.vocabulary.schema import Column, Rule, Table
from sf_assets_dev.faults.breaches import Breach, Rows, breaches_of

MONTH, BEFORE = date(2026, 3, 1), date(2026, 2, 1)
_JUDGED = tuple(suite.table for suite in SUITES.values() if suite.table)
_PLACES = {
    table.name: table for table in (*TABLES.values(), *_JUDGED, CHECK_VERDICTS, CHECK_ACCEPTANCES, LIST_VERSIONS)
}

# Value of a column in a valid default row: by table and column, by column, by pattern, then by type.
_ORDINARY = {
    "stg_filter_steps.avant": "3",
    "stg_filter_steps.apres": "2",
    "perimeter_report.avant": "3",
    "perimeter_report.apres": "2",
    "stg_cotisation.periode_fin": "(month + interval 1 month)::date",
    "date_fin": "(month + interval 1 month)::date",
    "date_retrait": "(month + interval 1 month)::date",
    "date_remplacement": "(month + interval 1 month)::date",
    "src_arrivals.file": "'a.csv'",
    "src_arrivals.sha256": "'a'",
    "fault": "null",
    "filtered": "0",
    "quarantined": "0",
    "corrected": "0",
    "lines_rejected": "0",
    "lines_skipped": "0",
    "procedure_connue": "null",
    "training_failures": "100",
    "ecart_explications": "0",
    "list_corrections.niveau": "2",
    "eval_answers.entreprises": "11",
    "list_answers.mois_liste": "(month - interval 1 month)::date",
    "remplace": "false",
}
_PATTERNS = {
    "[0-9]{9}": "'400000001'",
    "[0-9]{14}": "'40000000100012'",
    "[0-9][0-9AB][0-9]{3}": "'21231'",
    "[0-9]{5}": "'21000'",
    r"[0-9]{2}\.[0-9]{2}[A-Z]": "'25.62B'",
}
_TYPES = {
    "VARCHAR": "'a'",
    "DATE": "month",
    "TIMESTAMP": "month::timestamp",
    "INTEGER": "1",
    "BIGINT": "1",
    "DOUBLE": "0.5",
    "FLOAT": "0.5",
    "BOOLEAN": "true",
}


@dataclass(frozen=True, slots=True)
class Proof:
    """The outcomes of a check on the passing rows and on the failing rows of a breach."""

    suite: Suite
    check: Rule | Probe
    breach: Breach
    green: Outcome
    red: Outcome

    @property
    def holds(self) -> bool:
        """Whether the check passes the first and fails the second, without an error."""
        return self.green.passed and not self.red.passed and not self.red.error


@dataclass(frozen=True, slots=True)
class Planted:
    """An in-memory warehouse; `used` names the tables that contain rows. Default rows are checked once for all rules."""

    session: Session
    used: set[str] = field(default_factory=set)
    _ordinary: dict[str, dict[str, Outcome]] = field(default_factory=dict)

    def plant(self, asset: str, rows: Iterable[Rows], month: date) -> None:
        """Insert rows into a month of their tables; rows without a table go into the table of the asset."""
        suite = SUITES[asset]
        for planted_rows in rows:
            table = _PLACES[planted_rows.table or (suite.table.name if suite.table else "")]
            # Tables that several sources write have a column `source`: the asset's source is used.
            values = [f"{_ordinary(table, column, asset)} as {sql_identifier(column.name)}" for column in table.columns]
            changed = f"replace ({planted_rows.values})" if planted_rows.values else ""
            self.session.connection.execute(
                f"""
                insert into lake.{table.name} by name
                select * exclude (n) {changed}
                from (
                    select month, n, {", ".join(values)}
                    from (select $month::date as month, unnest(range(1, $copies + 1)) as n)
                )
                """,
                {"month": month, "copies": planted_rows.copies},
            )
            self.used.add(table.name)

    def clear(self, month: date | None = None) -> None:
        """Delete planted rows, of one month or of all."""
        for name in self.used:
            self.session.connection.execute(f"delete from lake.{name} where $1 is null or month = $1", [month])
        if month is None:
            self.used.clear()

    def judge(self, suite: Suite, check: Rule | Probe, month: date) -> Outcome:
        """Run one check as the graph does, and return its outcome."""
        if isinstance(check, Probe):
            return check.run(self.session, month)
        return self._judge_rules(suite, (check,), month)[check.name]

    def _judge_rules(self, suite: Suite, rules: tuple[Rule, ...], month: date) -> dict[str, Outcome]:
        if suite.table is None:
            raise ValueError(f"{suite.asset}: expected a table for its rules, found none")
        from sf_assets.engine.quality.expectations import validate  # noqa: PLC0415 - its import takes seconds

        return validate(self.session.connection, suite.table, rules, scope={"month": month, **suite.scope})

    def _judge_ordinary(self, suite: Suite, rule: Rule) -> Outcome:
        """Return the outcome of a rule on one default row; all rules of the suite run together, the first time."""
        if suite.asset not in self._ordinary:
            self.plant(suite.asset, (Rows(),), MONTH)
            self._ordinary[suite.asset] = self._judge_rules(suite, suite.rules, MONTH)
        return self._ordinary[suite.asset][rule.name]

    def store_verdict(self, suite: Suite, check: Rule | Probe, outcome: Outcome) -> None:
        """Store the verdict on the month before, with which tolerances compare."""
        verdict = Verdict(suite.asset, BEFORE, check, outcome, None)
        rows = frame_of_verdicts(
            {BEFORE: (verdict,)}, run_id="proof", judged_at=datetime.fromisoformat("2026-01-01T00:00Z")
        )
        self.session.connection.register("verdicts", rows.to_arrow())
        self.session.connection.execute(f"insert into lake.{CHECK_VERDICTS.name} by name from verdicts")
        self.used.add(CHECK_VERDICTS.name)

    def prove(self, suite: Suite, check: Rule | Probe, breach: Breach) -> Proof:
        """Run a check on the passing rows of a breach, then on its failing rows."""
        self.clear()
        if breach.before:
            self.plant(suite.asset, breach.before, BEFORE)
            self.store_verdict(suite, check, self.judge(suite, check, BEFORE))
        if isinstance(check, Rule) and breach.green == (Rows(),):
            green = self._judge_ordinary(suite, check)
        else:
            self.plant(suite.asset, breach.green, MONTH)
            green = self.judge(suite, check, MONTH)
        self.clear(MONTH)
        self.plant(suite.asset, breach.red, MONTH)
        return Proof(suite, check, breach, green, self.judge(suite, check, MONTH))


@contextmanager
def planted() -> Iterator[Planted]:
    """Open an in-memory warehouse with every table of the project, empty."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("attach ':memory:' as lake")
        for table in _PLACES.values():
            columns = ", ".join(f"{sql_identifier(name)} {type_}" for name, type_ in declared_types(table).items())
            connection.execute(f"create table lake.{table.name} ({columns})")
        yield Planted(Session(Catalog("in memory", "in memory"), connection))


def blocking() -> dict[tuple[str, str], tuple[Breach, ...]]:
    """Return the breaches of each blocking check of the project, by asset and check; empty for a check without any."""
    return {
        (suite.asset, check.name): breaches_of(suite, check)
        for suite in SUITES.values()
        for check in suite.checks
        if check.severity == "error"
    }


def _ordinary(table: Table, column: Column, asset: str) -> str:
    if column.name == "source":
        return sql_literal(asset.partition("_")[2])
    named: Mapping[str, str] = _ORDINARY
    value = named.get(f"{table.name}.{column.name}") or named.get(column.name)
    return value or (_PATTERNS[column.pattern] if column.pattern else _TYPES[column.type])
