"""Previews of tables: no value that identifies a company or a person, whatever the table."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from sf_assets.catalogue.confidentiality import confidentiality, legal_bases
from sf_assets.catalogue.tables import TABLES
from sf_assets.engine.materialization import column_schema, preview_metadata
from sf_assets.engine.preview import PreviewRow, preview
from sf_assets.engine.quality.acceptances import CHECK_ACCEPTANCES
from sf_assets.engine.quality.tables import CHECK_VERDICTS
from sf_assets.engine.storage import Warehouse
from sf_assets.operations.status import STATUS
from sf_assets.sources.arrival import ARRIVALS
from sf_assets.sources.nomenclatures.label_tables import TABLES as LABELS
from sf_assets.sources.registry import BY_NAME
from sf_assets.staging.tables import IMPORTS, QUARANTINE
from sf_assets.vocabulary.disclosure import NON_IDENTIFYING
from sf_assets.vocabulary.fields import FIELDS
from sf_assets.vocabulary.schema import Column, Table
from sf_assets_tests.runs import Place

RECORD_TABLES = (CHECK_ACCEPTANCES, ARRIVALS, CHECK_VERDICTS, IMPORTS, QUARANTINE, STATUS)
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)
NAMED = Table(
    "named",
    "one company",
    (
        FIELDS["siren"],
        Column("montant", "DOUBLE", "what is owed", unit="€"),
        Column("stade", "VARCHAR", "stage"),
        Column("actif", "BOOLEAN", "active", non_identifying=True),
        Column("jour", "DATE", "day", non_identifying=True),
    ),
    key=("siren",),
)
COUNTED = Table(
    "counted",
    "one step",
    (Column("etape", "VARCHAR", "step"), Column("n", "BIGINT", "companies", non_identifying=True)),
    ("etape",),
)
ROWS = """
    select lpad(i::varchar, 9, '0') as siren, i::double as montant, if(i % 2 = 0, 'bon', 'suspens') as stade,
        i % 10 = 0 as actif, date '2026-01-01' + i::integer as jour
    from range($n) t(i)
"""


def write(warehouse: Warehouse, table: Table, query: str, month: date = MARCH, **values: object) -> None:
    with warehouse.session() as session:
        session.replace({table: query}, where={"month": month}, author="test", message="test", parameters=values)


def previewed(warehouse: Warehouse, table: Table, rows: int) -> Sequence[PreviewRow]:
    with warehouse.session() as session:
        return preview(session, table, MARCH, rows)


def test_a_table_with_identifying_columns_is_described_column_by_column(warehouse: Warehouse) -> None:
    write(warehouse, NAMED, ROWS, n=1000)
    siren, montant, stade, actif, jour = previewed(warehouse, NAMED, 1000)
    assert siren == {"column": "siren", "unit": "", "filled_percent": 100.0, "distinct": siren["distinct"],
                     "low_5_percent": None, "median": None, "high_5_percent": None, "frequent": None}  # fmt: skip
    assert siren["distinct"] == 1000
    assert montant["unit"] == "€"
    assert montant["median"] == pytest.approx(500, rel=0.05)
    assert montant["low_5_percent"] == pytest.approx(50, rel=0.2)
    assert stade["frequent"] in ("bon, suspens", "suspens, bon")
    assert actif["frequent"] == "False, True"
    assert str(jour["median"]).startswith("2027-05")


def test_no_value_of_a_table_of_few_rows_is_displayed(warehouse: Warehouse) -> None:
    write(warehouse, NAMED, ROWS, n=12)
    for line in previewed(warehouse, NAMED, 12):
        assert {line["low_5_percent"], line["median"], line["high_5_percent"], line["frequent"]} == {None}


def test_a_value_that_few_companies_share_is_not_displayed(warehouse: Warehouse) -> None:
    write(warehouse, NAMED, ROWS.replace("if(i % 2 = 0, 'bon', 'suspens')", "'n' || (i // 3)"), n=300)
    assert previewed(warehouse, NAMED, 300)[2]["frequent"] is None


def test_a_table_without_identifying_columns_is_previewed_by_its_first_rows(warehouse: Warehouse) -> None:
    write(warehouse, COUNTED, "select 'step ' || lpad(i::varchar, 2, '0') as etape, i as n from range(30) t(i)")
    lines = previewed(warehouse, COUNTED, 30)
    assert len(lines) == 20
    assert lines[1] == {"etape": "step 01", "n": 1}


def test_a_large_table_is_described_from_a_sample(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sf_assets.engine.preview._SAMPLE", 20_000)
    write(warehouse, NAMED, ROWS, n=200_000)
    (_, montant, *_) = previewed(warehouse, NAMED, 200_000)
    assert 2_000 < montant["distinct"] < 60_000
    assert montant["median"] == pytest.approx(100_000, rel=0.5)


def test_a_month_without_rows_has_no_preview_and_the_first_month_has_no_change(warehouse: Warehouse) -> None:
    write(warehouse, NAMED, ROWS, n=0)
    assert previewed(warehouse, NAMED, 0) == []
    with warehouse.session() as session:
        assert preview_metadata(session, NAMED, MARCH) == {}


def test_the_change_against_the_month_before_can_be_plotted(warehouse: Warehouse) -> None:
    write(warehouse, NAMED, ROWS, FEBRUARY, n=100)
    write(warehouse, NAMED, ROWS, MARCH, n=90)
    with warehouse.session() as session:
        metadata = preview_metadata(session, NAMED, MARCH)
    assert (metadata["row_change"], metadata["row_change_percent"]) == (-10, -10.0)
    assert isinstance(metadata["preview"], dg.TableMetadataValue)


def test_the_column_schema_has_units_and_marks_identifying_columns() -> None:
    siren, montant, *_ = column_schema(NAMED).columns
    assert siren.tags == {"confidentiality": "identifier"}
    assert montant.tags == {}
    assert montant.description == "what is owed (€)"


def test_an_undeclared_column_counts_as_identifying_and_is_not_displayed(warehouse: Warehouse) -> None:
    new = Column("nouvelle", "VARCHAR", "a column somebody added")
    table = Table("fresh", "one row", (FIELDS["siren"], new))
    alone = Table("alone", "one row", (new,))
    assert new.identifies
    assert confidentiality(alone) == "identifiers"
    for previewed_table, query in (
        (table, f"select siren, stade as nouvelle from ({ROWS})"),
        (alone, f"select stade as nouvelle from ({ROWS})"),
    ):
        write(warehouse, previewed_table, query, n=1000)
        assert "suspens" not in str(previewed(warehouse, previewed_table, 1000))


def test_every_name_declared_non_identifying_belongs_to_a_column() -> None:
    names = {
        column.name for table in (*TABLES.values(), *RECORD_TABLES, *LABELS) for column in table.columns
    } | FIELDS.keys()
    assert sorted(NON_IDENTIFYING - names) == []


@pytest.mark.parametrize(
    "name",
    [
        "complement_jugement",
        "no_ocfi",
        "id_demande",
        "code_postal",
        "siren",
        "siret",
        "raison_sociale",
        "compte",
        "adresse",
        "voie",
        "prenom1_unite_legale",
    ],
)
def test_a_column_that_names_or_locates_somebody_is_identifying(name: str) -> None:
    assert FIELDS[name].identifies


def test_every_column_checked_as_a_siren_or_a_siret_is_identifying() -> None:
    patterns = {FIELDS["siren"].pattern, FIELDS["siret"].pattern}
    identifiers = [column for table in TABLES.values() for column in table.columns if column.pattern in patterns]
    assert len(identifiers) > 20
    assert [column.name for column in identifiers if not column.identifies] == []


def test_a_quarantined_record_is_confidential_under_the_strictest_basis() -> None:
    assert confidentiality(QUARANTINE) == "identifiers"
    assert legal_bases(QUARANTINE.name)[-1].startswith("tax secrecy")


def test_a_table_has_the_legal_bases_of_the_files_it_is_computed_from() -> None:
    assert legal_bases("clean_sirene_ul") == ("open data",)
    assert legal_bases("clean_debit") == ("convention with the producer",)
    assert set(legal_bases("feat_matrix")) > {"open data", "convention with the producer"}
    assert confidentiality(TABLES["perimeter_report"]) == "aggregates"


def test_the_metadata_of_a_source_has_its_change_in_lines_since_the_month_before(tmp_path: Path) -> None:
    place = Place(tmp_path)
    metadata = []
    for month, lines in ((FEBRUARY, 5), (MARCH, 3)):
        place.batch(month).mkdir(parents=True)
        (place.batch(month) / BY_NAME["debit"].names[0]).write_text("x;y\n" * lines)
        metadata.append(place.build(month, "src_debit").metadata["src_debit"])
    assert [(source["lines"], source.get("line_change")) for source in metadata] == [(5, None), (3, -2)]
