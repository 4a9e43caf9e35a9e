"""Rules: what a declaration implies, and how a month is judged against it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from sf_assets.engine.quality import expectations, verdicts
from sf_assets.engine.quality.expectations import validate
from sf_assets.engine.quality.measures import Margin, Tolerance
from sf_assets.engine.quality.rules import Outcome, Probe, Suite, describe_check, rules_of
from sf_assets.engine.quality.tolerance_checks import suite_of
from sf_assets.engine.quality.verdicts import check_months
from sf_assets.engine.storage import Session, Warehouse
from sf_assets.vocabulary.schema import Column, Rule, Table, between, no_rows, not_null

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)

DEBTS = Table(
    "debts",
    "one debt of one establishment and month",
    (
        Column("siret", "VARCHAR", "establishment", pattern="[0-9]{14}"),
        Column("periode", "DATE", "month of the debt"),
        Column("montant", "DOUBLE", "what is owed", unit="€"),
        Column("etat", "INTEGER", "state of the account"),
        Column("nom", "VARCHAR", "name of the debtor"),
    ),
    key=("siret", "periode"),
    rules=(
        between("montant", 0, 1000, "Look at the amounts."),
        not_null("nom", "Look at the names."),
        Rule(
            "etat_known",
            "ExpectColumnValuesToBeInSet",
            {"column": "etat", "value_set": [1, 2, 3]},
            "Look at the state.",
        ),
        no_rows(
            "struck_off_owes_nothing",
            "select b.* from {batch} as b where b.etat = 3 and b.montant > 0 and regexp_full_match(b.siret, '.{14}')",
            "Look at the accounts that were struck off.",
        ),
    ),
)

GOOD = """
    select lpad(i::varchar, 14, '0') as siret, date '2026-01-01' as periode, i * 10.0 as montant, 1 as etat,
        'DUPONT' as nom
    from range(1, 9) t(i)
"""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    warehouse = Warehouse(catalog=str(tmp_path / "catalog.sqlite"), data_path=str(tmp_path / "tables"), threads=1)
    with warehouse.session() as opened:
        yield opened


def write(session: Session, query: str, month: date = MARCH, table: Table = DEBTS) -> None:
    typed = ", ".join(f"cast({column.name} as {column.type}) as {column.name}" for column in table.columns)
    session.replace({table: f"select {typed} from ({query})"}, where={"month": month}, author="test", message="test")


def checked(session: Session, month: date = MARCH, table: Table = DEBTS) -> dict[str, Outcome]:
    return validate(session.connection, table, rules_of(table), scope={"month": month})


def refused(outcomes: dict[str, Outcome]) -> list[str]:
    return [name for name, outcome in outcomes.items() if not outcome.passed]


def test_a_declaration_implies_presence_key_and_patterns_before_its_own_rules() -> None:
    assert [rule.name for rule in rules_of(DEBTS)] == [
        "not_empty",
        "siret_present",
        "periode_present",
        "key_unique",
        "siret_well_formed",
        "numbers_finite",
        "montant_in_range",
        "nom_present",
        "etat_known",
        "struck_off_owes_nothing",
    ]


def test_a_table_that_may_be_empty_without_key_nor_pattern_implies_nothing() -> None:
    assert rules_of(Table("notes", "a note", (Column("note", "VARCHAR", "text"),), may_be_empty=True)) == ()


def test_good_rows_satisfy_every_kind_of_rule(session: Session) -> None:
    write(session, GOOD)
    outcomes = checked(session)
    assert refused(outcomes) == []
    assert {outcome.element_count for outcome in outcomes.values()} == {8}
    assert {outcome.error for outcome in outcomes.values()} == {""}


@pytest.mark.parametrize(
    ("change", "rule", "count"),
    [
        ("select * from good limit 0", "not_empty", 0),
        ("select * replace (if(montant = 10, null, siret) as siret) from good", "siret_present", 1),
        ("select * replace (if(montant = 10, null, periode) as periode) from good", "periode_present", 1),
        ("select * from good union all select * from good where montant < 40", "key_unique", 3),
        ("select * replace (if(montant = 10, '123', siret) as siret) from good", "siret_well_formed", 1),
        ("select * replace (if(montant < 30, -1, montant) as montant) from good", "montant_in_range", 2),
        ("select * replace (null::varchar as nom) from good", "nom_present", 8),
        ("select * replace (if(montant = 10, 4, etat) as etat) from good", "etat_known", 1),
        ("select * replace (if(montant < 60, 3, etat) as etat) from good", "struck_off_owes_nothing", 5),
    ],
)
def test_each_kind_of_rule_refuses_its_bad_rows_and_counts_them(
    session: Session, change: str, rule: str, count: int
) -> None:
    write(session, f"with good as ({GOOD}) {change}")
    outcomes = checked(session)
    assert refused(outcomes) == [rule]
    assert outcomes[rule].unexpected_count == count
    assert outcomes[rule].error == ""
    # A count of nothing says nothing.
    assert outcomes[rule].statement == ("" if count else "the month: expected at least one row, found none.")


@pytest.mark.parametrize("value", ["nan", "infinity", "-infinity"])
@pytest.mark.parametrize("spoilt", ["part", "reste", "note"])
def test_a_decimal_number_without_a_rule_of_its_own_is_finite_or_unknown(
    session: Session, value: str, spoilt: str
) -> None:
    columns = (*(Column(name, "DOUBLE", "share") for name in ("part", "reste")), Column("note", "FLOAT", "note"))
    shares = Table("shares", "a share", (Column("nom", "VARCHAR", "name"), *columns), key=("nom",))
    good = "select n::varchar as nom, n / 2 as part, null as reste, n / 3 as note from range(3) as r (n)"
    write(session, good, table=shares)
    assert refused(checked(session, table=shares)) == []
    write(
        session,
        f"select * replace (if(nom = '1', '{value}'::double, {spoilt}) as {spoilt}) from ({good})",
        table=shares,
    )
    outcomes = checked(session, table=shares)
    assert (refused(outcomes), outcomes["numbers_finite"].sample) == (["numbers_finite"], ({"nom": "1"},))


@pytest.mark.parametrize("value", ["nan", "infinity", "-infinity"])
@pytest.mark.parametrize(("low", "high"), [(None, None), (0, None), (None, 0), (-1, 1)])
def test_a_bound_refuses_nan_and_infinity_and_its_sql_returns_the_row(
    session: Session, value: str, low: float | None, high: float | None
) -> None:
    write(session, f"with good as ({GOOD}) select * replace (0 as montant) from good")
    rule = between("montant", low, high, "Look.")
    assert validate(session.connection, DEBTS, (rule,), scope={"month": MARCH})["montant_in_range"].passed
    write(
        session,
        f"with good as ({GOOD}) select * replace (if(montant = 10, '{value}', 0.0::double) as montant) from good",
    )
    outcome = validate(session.connection, DEBTS, (rule,), scope={"month": MARCH})["montant_in_range"]
    assert (outcome.passed, outcome.unexpected_count, outcome.error) == (False, 1, "")
    assert session.connection.execute(outcome.query).pl()["montant"].to_list() == [
        pytest.approx(float(value), nan_ok=True)
    ]


def test_a_bound_accepts_infinity_and_nan_only_when_the_rule_declares_it(session: Session) -> None:
    for value in ("nan", "infinity"):
        write(
            session,
            f"with good as ({GOOD}) select * replace (if(montant = 10, '{value}', 0.0::double) as montant) from good",
        )
        rule = between("montant", 0, None, "Look.", finite=False)
        assert validate(session.connection, DEBTS, (rule,), scope={"month": MARCH})["montant_in_range"].passed


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"(?:DU|LE)PONT", "DUPONT", "DURAND"),
        (r"[A-Z]+ ?: [^:]{2,}:[a-z]+", "HEURE : 12:mn", "HEURE 12"),
        (r"\{[^}:]*\}", "{batch}", "{a:b}"),
        (r"a\:b%[(]s[)]", "a:b%(s)", "a\\:b%(s)"),
    ],
)
def test_a_pattern_or_text_with_colons_braces_or_percents_is_used_as_written(
    session: Session, pattern: str, good: str, bad: str
) -> None:
    names = Table("names", "a name", (Column("nom", "VARCHAR", "name", pattern=pattern),), key=("nom",), rules=(
        no_rows("not_the_other", f"select nom from {{batch}} where nom = '{bad}' and nom::varchar = nom", "Look."),
    ))  # fmt: skip
    write(session, f"select '{good}' as nom", table=names)
    assert [(name, one.error) for name, one in checked(session, table=names).items() if not one.passed] == []
    write(session, f"select '{bad}' as nom union all select '{good}'", table=names)
    outcomes = checked(session, table=names)
    assert refused(outcomes) == ["nom_well_formed", "not_the_other"]
    for name in refused(outcomes):
        assert (outcomes[name].error, outcomes[name].sample) == ("", ({"nom": bad},))
        assert session.connection.execute(outcomes[name].query).pl()["nom"].to_list() == [bad]


@pytest.mark.parametrize(
    ("spoilt", "rule"),
    [
        ("-1 as montant", "montant_in_range"),
        ("1001 as montant", "montant_in_range"),
        ("null::varchar as nom", "nom_present"),
        ("3 as etat", "struck_off_owes_nothing"),
    ],
)
def test_the_sql_of_a_refusal_returns_the_rows_refused(session: Session, spoilt: str, rule: str) -> None:
    write(session, f"{GOOD} union all select * replace ({spoilt}, '{'9' * 14}' as siret) from ({GOOD} limit 1)")
    rows = session.connection.execute(checked(session)[rule].query).pl()
    assert rows["siret"].to_list() == ["9" * 14]


@pytest.mark.parametrize("rule", ["montant_in_range", "struck_off_owes_nothing", "key_unique"])
def test_samples_are_at_most_five_keys(session: Session, rule: str) -> None:
    write(session, f"with good as ({GOOD}) select good.* replace (2000 as montant, 3 as etat) from good, range(2)")
    sample = checked(session)[rule].sample
    assert len(sample) == 5
    assert {tuple(key) for key in sample} == {("siret", "periode")}


def test_a_table_without_key_shows_no_sample(session: Session) -> None:
    names = Table("names", "a name", (Column("nom", "VARCHAR", "name"),), rules=(
        Rule("short", "ExpectColumnValuesToBeInSet", {"column": "nom", "value_set": ["X"]}, "Look."),
    ))  # fmt: skip
    write(session, "select 'DUPONT' as nom", table=names)
    outcome = checked(session, table=names)["short"]
    assert (outcome.passed, outcome.unexpected_count, outcome.sample) == (False, 1, ())


def test_a_month_is_checked_on_its_own_rows_only(session: Session) -> None:
    write(session, f"with good as ({GOOD}) select * replace (-1 as montant) from good", MARCH)
    write(session, GOOD, APRIL)
    assert refused(checked(session, MARCH)) == ["montant_in_range"]
    assert refused(checked(session, APRIL)) == []


@pytest.mark.parametrize(
    "broken",
    [
        not_null("nosuch", "Fix it."),
        no_rows("broken", "select nosuch from {batch}", "Fix it."),
        no_rows("broken", "select * from {batch} where nom::integer > 0", "Fix it."),
    ],
)
def test_a_check_that_raises_is_an_error_of_the_check_and_not_bad_data(session: Session, broken: Rule) -> None:
    write(session, GOOD)
    outcomes = validate(
        session.connection, DEBTS, (between("montant", 0, 1000, "Look."), broken), scope={"month": MARCH}
    )
    assert outcomes["montant_in_range"].passed
    assert not outcomes[broken.name].passed
    assert outcomes[broken.name].error
    assert outcomes[broken.name].unexpected_count == 0


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("nom::integer > 0", "ConversionException (INT32"),
        ("error(nom) is null", "InvalidInputException"),
        ("(nom || chr(39) || nom)::date is null", "ConversionException (LINE"),
        ("nosuch > 0", "BinderException: Binder Error: Referenced column"),
    ],
)
def test_errors_name_class_and_place_and_do_not_quote_the_data(
    session: Session, caplog: pytest.LogCaptureFixture, condition: str, expected: str
) -> None:
    write(session, GOOD)
    broken = no_rows("broken", f"select * from {{batch}} where {condition}", "Fix it.")
    error = validate(session.connection, DEBTS, (broken,), scope={"month": MARCH})["broken"].error
    assert error.startswith(expected)
    assert "DUPONT" not in error + caplog.text


def test_a_misspelt_expectation_is_refused_by_name(session: Session) -> None:
    write(session, GOOD)
    with pytest.raises(ValueError, match="no 'ExpectWonders'"):
        validate(session.connection, DEBTS, (Rule("odd", "ExpectWonders", {}, "Fix it."),), scope={"month": MARCH})


def test_probes_run_with_the_rules_and_receive_the_month(session: Session) -> None:
    write(session, GOOD, APRIL)

    def few(session: Session, month: date) -> Outcome:
        rows = session.connection.execute("select 1 from lake.debts where month = $month", {"month": month}).fetchall()
        return Outcome(passed=len(rows) < 3, unexpected_count=len(rows), element_count=len(rows))

    verdicts = check_months(session, suite_of(DEBTS, (Probe("few", few, "there are few rows", "Look."),)), [APRIL])[
        APRIL
    ]
    assert [verdict.check.name for verdict in verdicts] == [*(rule.name for rule in rules_of(DEBTS)), "few"]
    assert verdicts[-1].outcome == Outcome(passed=False, unexpected_count=8, element_count=8)
    assert len({verdict.snapshot for verdict in verdicts} - {None}) == 1


def test_checks_of_a_copy_and_of_the_table_give_equal_verdicts(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(session, f"with good as ({GOOD}) select * replace (if(montant < 30, -1, montant) as montant) from good")
    write(session, f"with good as ({GOOD}) select * replace (3 as etat) from good", APRIL)
    read_from = []

    def source(session: Session, month: date) -> Outcome:
        read_from.append(session.source_of("debts", (month,)))
        return Outcome(passed=True)

    suite = suite_of(DEBTS, (Probe("source", source, "it is read", "Look."),))
    found = []
    # All rows, one too many for a copy.
    for most in (16, 15):
        monkeypatch.setattr(verdicts, "_COPIED", most)
        found.append(check_months(session, suite, [MARCH, APRIL]))
    assert read_from == ['temp."copy of debts"'] * 2 + ['lake."debts"'] * 2
    assert found[0] == found[1]
    assert [one.check.name for one in found[0][MARCH] if not one.outcome.passed] == ["montant_in_range"]
    assert [one.check.name for one in found[0][APRIL] if not one.outcome.passed] == ["struck_off_owes_nothing"]
    # What is shown outlives the copy.
    for verdicts_of_month in found[0].values():
        for one in verdicts_of_month:
            if one.outcome.query:
                session.connection.execute(one.outcome.query)


def test_months_checked_together_have_the_verdicts_of_each_checked_alone(session: Session) -> None:
    """Sound months, rows that a rule refuses, a key twice, a number far from its bound, and a month without a row."""
    tolerance = Tolerance(
        "usual", ("debts",), "sum of debts", "select sum(montant) from {batch}", "debts move slowly", "Ask URSSAF.",
        high=1000, change=Margin(0.2, 0.2), detail="select 'all', count(*) from {batch}",
    )  # fmt: skip
    changes = {
        date(2026, 1, 1): "select * from good",
        date(2026, 2, 1): "select * replace (if(montant < 30, -1, montant) as montant) from good",
        MARCH: "select * from good union all select * from good where montant < 40",
        APRIL: "select * replace (montant * 3 as montant, if(montant > 50, null, nom) as nom) from good",
        date(2026, 5, 1): "select * from good",
        date(2026, 6, 1): "select * from good where false",
    }
    for month, change in changes.items():
        write(session, f"with good as ({GOOD}) {change}", month)
    suite = suite_of(DEBTS, tolerances=(tolerance,))
    # The query shows the rows of all months that were read together, and so does the sample.
    together, alone = (
        [
            (month, one.check.name, one.snapshot, replace(one.outcome, query="", sample=()))
            for checked_months in checked_in
            for month, of_month in check_months(session, suite, checked_months).items()
            for one in of_month
        ]
        for checked_in in ([[*changes]], [[month] for month in changes])
    )
    assert together == alone
    assert {(month.month, name) for month, name, _, outcome in alone if not outcome.passed} == {
        (2, "montant_in_range"), (3, "key_unique"), (4, "nom_present"), (4, "usual"), (6, "not_empty"),
    }  # fmt: skip


def test_rules_that_pass_are_asked_in_few_statements(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    write(session, GOOD)
    statements: list[str] = []
    execute = expectations._Cursor.execute

    def counted(cursor: expectations._Cursor, statement: str, *arguments: object) -> None:
        statements.append(statement)
        execute(cursor, statement, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(expectations._Cursor, "execute", counted)
    assert refused(checked(session)) == []
    # A statement for each query of rows, one for all columns, one or two for the number of rows.
    assert len(statements) <= sum("unexpected_rows_query" in rule.arguments for rule in rules_of(DEBTS)) + 3


def test_checks_of_two_sessions_read_their_own_rows(tmp_path: Path) -> None:
    for name, amount in (("a", 10), ("b", -1), ("a", 10)):
        warehouse = Warehouse(catalog=str(tmp_path / f"{name}.sqlite"), data_path=str(tmp_path / name), threads=1)
        with warehouse.session() as session:
            write(session, f"select * replace ({amount} as montant) from ({GOOD})")
            assert refused(checked(session)) == ["montant_in_range"] * (amount < 0)


def test_two_checks_of_one_asset_cannot_share_a_name() -> None:
    with pytest.raises(ValueError, match="debts: check names must be unique, found twice: siret_present"):
        suite_of(Table("debts", "a debt", DEBTS.columns, key=("siret",), rules=(not_null("siret", "Look."),)))


def test_rules_need_a_table() -> None:
    with pytest.raises(ValueError, match="file: rules need a table"):
        Suite("file", rules=(not_null("siret", "Look."),))


def test_every_check_describes_its_requirement() -> None:
    meanings = {rule.name: describe_check(rule) for rule in rules_of(DEBTS)}
    assert meanings["siret_present"] == "`siret` is always filled."
    assert meanings["montant_in_range"] == "`montant` is at least 0 and at most 1000, or unknown."
    assert meanings["etat_known"] == "ExpectColumnValuesToBeInSet(column='etat', value_set=[1, 2, 3])."
    assert describe_check(between("montant", 0, None, "Look.")) == "`montant` is at least 0 and finite, or unknown."
    assert describe_check(between("montant", 0, None, "Look.", finite=False)) == "`montant` is at least 0, or unknown."
    assert meanings["key_unique"].startswith("No row is returned by `select siret, periode, count(*)")
