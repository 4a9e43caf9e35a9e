"""What was computed is refused once what it was computed from is newer and sound, and only then."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.quality.rules import Suite
from sf_assets.engine.quality.tolerance_checks import suite_of
from sf_assets.engine.quality.verdicts import check_months, record_verdicts, require_passed
from sf_assets.engine.storage import Session, Warehouse
from sf_assets.engine.storage.inputs import ASSET_INPUTS, AssetMonth
from sf_assets.engine.storage.maintenance import merge_and_expire
from sf_assets.operations.acceptance import accept
from sf_assets.vocabulary.failures import Blocked
from sf_assets.vocabulary.schema import Column, Table, between

FEBRUARY, MARCH, APRIL = date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
AT = datetime(2026, 5, 3, 6, 30, tzinfo=UTC)
ADVICE = "Ask for the file again."
COLUMNS = (Column("montant", "DOUBLE", "what is owed", unit="€"),)


def table(name: str) -> Table:
    return Table(name, "one debt", COLUMNS, rules=(between("montant", 0, None, ADVICE),), may_be_empty=True)


TABLES = {name: table(name) for name in ("register", "clean", "features", "scores")}
SUITES: dict[str, Suite] = {name: suite_of(one) for name, one in TABLES.items()}


class Chain:
    """Four tables, each computed from the one before it: register, clean, features, scores."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def deliver(self, month: date, *amounts: float, judged: bool = True) -> None:
        """Write and judge the register of a month."""
        values = " union all ".join(f"select {amount}::double as montant" for amount in amounts)
        self._write("register", [month], values or "select 0::double as montant limit 0", judged=judged)

    def compute(self, name: str, source: str, month: date, *, of: date | None = None) -> None:
        """Compute a table from another one, `of` another month when given."""
        with_gate = [(source, of or month)]
        self.session.pin()
        self.session.inputs |= require_passed(self.session, with_gate, SUITES)
        self.session.bind({TABLES[source]: of or month})
        self._write(name, [month], f"select least(montant, 100) as montant from {source}")

    def through(self, month: date, *names: str) -> None:
        above = dict(zip(list(TABLES)[1:], TABLES, strict=False))
        for name in names or list(TABLES)[1:]:
            self.compute(name, above[name], month)

    def _write(self, name: str, months: list[date], query: str, *, judged: bool = True) -> None:
        self.session.replace({TABLES[name]: query}, where={"month": months}, author="test", message="test")
        if judged:
            self.check(name, *months)

    def check(self, name: str, *months: date) -> None:
        record_verdicts(
            self.session, name, check_months(self.session, SUITES[name], months), run_id="run", judged_at=AT
        )

    def refusals(self, name: str, month: date) -> list[str]:
        try:
            require_passed(self.session, [(name, month)], SUITES)
        except Blocked as blocked:
            return str(blocked.description).splitlines()[1:]
        return []


@pytest.fixture
def chain(warehouse: Warehouse) -> Iterator[Chain]:
    with warehouse.session() as session:
        yield Chain(session)


STALE = (
    "- clean, 2026-03: stale, register of 2026-03 was written again since and passed its checks. Rerun clean, then what "
    "follows it."
)


def test_a_stale_input_is_refused_however_far_back_the_newer_write_is(chain: Chain) -> None:
    chain.deliver(MARCH, 1, 2)
    chain.through(MARCH)
    assert [chain.refusals(name, MARCH) for name in TABLES] == [[]] * 4
    chain.deliver(MARCH, 1, 3)
    assert chain.refusals("register", MARCH) == []
    assert [chain.refusals(name, MARCH) for name in ("clean", "features", "scores")] == [[STALE]] * 3
    chain.through(MARCH, "clean")
    assert chain.refusals("clean", MARCH) == []
    (refusal,) = chain.refusals("scores", MARCH)
    assert refusal.startswith("- features, 2026-03: stale, clean of 2026-03 was written")
    chain.through(MARCH, "features", "scores")
    assert chain.refusals("scores", MARCH) == []


def test_an_input_that_had_no_row_and_now_has_some_is_newer(chain: Chain) -> None:
    chain.deliver(MARCH)
    chain.through(MARCH, "clean")
    assert chain.refusals("clean", MARCH) == []
    chain.deliver(MARCH, 1)
    assert chain.refusals("clean", MARCH) == [STALE]


def test_a_newer_write_that_was_refused_or_not_checked_makes_nothing_stale(chain: Chain) -> None:
    chain.deliver(MARCH, 1)
    chain.through(MARCH, "clean")
    chain.deliver(MARCH, -1)
    assert len(chain.refusals("register", MARCH)) == 1
    assert chain.refusals("clean", MARCH) == []
    chain.deliver(MARCH, 2, judged=False)
    assert chain.refusals("clean", MARCH) == []
    chain.check("register", MARCH)
    assert chain.refusals("clean", MARCH) == [STALE]


def test_a_newer_write_that_was_refused_counts_once_accepted(chain: Chain) -> None:
    chain.deliver(MARCH, 1)
    chain.through(MARCH, "clean")
    chain.deliver(MARCH, -1)
    accept(chain.session, SUITES["register"], "montant_in_range", MARCH, reason="credit notes", accepted_by="C. Duval",
           accepted_at=AT)  # fmt: skip
    assert chain.refusals("clean", MARCH) == [STALE]


def test_a_step_that_gives_the_same_rows_again_is_fresh_and_so_are_later_steps(chain: Chain) -> None:
    chain.deliver(MARCH, 100, 2)
    chain.through(MARCH)
    chain.deliver(MARCH, 200, 2)
    chain.through(MARCH, "clean")  # 200 is cut to 100
    assert [chain.refusals(name, MARCH) for name in TABLES] == [[]] * 4


def test_the_same_rows_delivered_again_make_nothing_stale(chain: Chain) -> None:
    chain.deliver(MARCH, 1, 2)
    chain.through(MARCH)
    chain.deliver(MARCH, 2, 1)
    assert [chain.refusals(name, MARCH) for name in TABLES] == [[]] * 4


def test_writing_other_months_leaves_a_month_fresh(chain: Chain) -> None:
    chain.deliver(FEBRUARY, 1)
    for month in (MARCH, APRIL):
        chain.compute("clean", "register", month, of=FEBRUARY)
    chain.deliver(APRIL, 5)
    assert [chain.refusals("clean", month) for month in (MARCH, APRIL)] == [[], []]
    chain.deliver(FEBRUARY, 2)
    (refusal,) = chain.refusals("clean", APRIL)
    assert refusal.startswith("- clean, 2026-04: stale, register of 2026-02 was written again")


def test_maintenance_makes_nothing_stale(chain: Chain) -> None:
    for month in (FEBRUARY, MARCH, APRIL):
        chain.deliver(month, 1, 2)
        chain.through(month)
    done = merge_and_expire(chain.session, at=AT, keep_months=24, kept=(), dry_run=False)
    assert done.files < done.files_before
    assert [chain.refusals("scores", month) for month in (FEBRUARY, MARCH, APRIL)] == [[], [], []]
    chain.deliver(MARCH, 3)
    assert chain.refusals("scores", MARCH) == [STALE]


def test_a_write_from_before_inputs_were_recorded_is_never_stale(chain: Chain) -> None:
    chain.deliver(MARCH, 1)
    chain.through(MARCH)
    chain.session.connection.execute(f"drop table lake.{ASSET_INPUTS.name}")
    chain.deliver(MARCH, 2)
    assert chain.refusals("scores", MARCH) == []
    chain.through(MARCH)
    chain.deliver(MARCH, 3)
    assert chain.refusals("scores", MARCH) == [STALE]


def test_each_month_of_one_write_records_its_own_inputs(chain: Chain) -> None:
    for month in (FEBRUARY, MARCH, APRIL):
        chain.deliver(month, 1)
    session = chain.session
    gate = Gate(SUITES)
    own: dict[date, list[AssetMonth]] = {month: [("register", month), ("scores", month)] for month in (MARCH, APRIL)}
    absent = [("scores", MARCH), ("scores", APRIL)]
    # March is at once an input of March alone and, were it a batch, of both months.
    gate.require(session, [("register", FEBRUARY)], by_month=own, absent=absent)
    session.replace(
        {TABLES["clean"]: f"select unnest([date '{MARCH}', date '{APRIL}']) as month, 1::double as montant"},
        where={"month": [MARCH, APRIL]},
        author="test",
        message="test",
    )
    stored = "select input, month, input_month from lake.asset_inputs where asset = 'clean' order by all"
    both = [(MARCH, FEBRUARY), (MARCH, MARCH), (APRIL, FEBRUARY), (APRIL, APRIL)]
    assert session.connection.execute(stored).fetchall() == [
        *(("register", *months) for months in both),
        *(("scores", month, month) for month in (MARCH, APRIL)),
    ]


def test_a_month_computed_from_a_batch_of_the_same_range_records_it(chain: Chain) -> None:
    """A range of months may hold the batch month that its earlier months are computed from."""
    chain.deliver(APRIL, 1)
    session = chain.session
    Gate(SUITES).require(session, [("register", APRIL)])
    rows = f"select unnest([date '{MARCH}', date '{APRIL}']) as month, 1::double as montant"
    session.replace({TABLES["clean"]: rows}, where={"month": [MARCH, APRIL]}, author="test", message="test")
    chain.check("clean", MARCH, APRIL)
    chain.deliver(APRIL, 2)
    for month in (MARCH, APRIL):
        (refusal,) = chain.refusals("clean", month)
        assert refusal.startswith(f"- clean, {month:%Y-%m}: stale, register of 2026-04 was written again since")


def test_an_input_that_was_absent_makes_its_reader_stale_once_it_is_computed(chain: Chain) -> None:
    session = chain.session
    gate = Gate(SUITES)
    gate.require(session, (), by_month={MARCH: [("register", FEBRUARY)]}, absent=[("register", FEBRUARY)])
    session.bind({TABLES["register"]: FEBRUARY})
    chain._write("clean", [MARCH], "from register")
    assert chain.refusals("clean", MARCH) == []
    chain.deliver(FEBRUARY, 1)
    assert chain.refusals("clean", MARCH) == [STALE.replace("register of 2026-03", "register of 2026-02")]


def test_months_to_run_again_are_listed_together(chain: Chain) -> None:
    for month in (FEBRUARY, MARCH, APRIL):
        chain.deliver(month, 1)
        chain.compute("clean", "register", month, of=FEBRUARY)
    chain.deliver(FEBRUARY, 2)
    with pytest.raises(Blocked) as refused:
        require_passed(chain.session, [("clean", month) for month in (FEBRUARY, MARCH, APRIL)], SUITES)
    (line,) = str(refused.value.description).splitlines()[1:]
    assert line.startswith("- clean, 2026-02 to 2026-04: stale, register of 2026-02 was written again")


def test_the_gate_and_later_reads_use_one_snapshot(warehouse: Warehouse) -> None:
    other = replace(warehouse, threads=1)
    with warehouse.session() as session, other.session() as writer:
        chain = Chain(session)
        chain.deliver(MARCH, 1)
        chain.check("register", MARCH)
        session.pin()
        session.inputs |= require_passed(session, [("register", MARCH)], SUITES)
        # Another run replaces what was judged, with rows that nobody judged.
        Chain(writer).deliver(MARCH, -5, judged=False)
        session.bind({TABLES["register"]: MARCH})
        session.replace({TABLES["clean"]: "from register"}, where={"month": MARCH}, author="test", message="test")
        assert session.connection.execute("select montant from lake.clean").fetchall() == [(1.0,)]
        assert session.connection.execute("select montant from lake.register").fetchall() == [(-5.0,)]
        chain.check("clean", MARCH)
        assert chain.refusals("clean", MARCH) == []
        Chain(writer).deliver(MARCH, 5)
        assert chain.refusals("clean", MARCH) == [STALE]
