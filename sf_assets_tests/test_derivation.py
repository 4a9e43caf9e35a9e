"""Column lineage derived from a query: correct, or refused."""

import pytest

from sf_assets.catalogue.derivation import Untraceable, _of_query
from sf_assets.vocabulary.schema import Column, Table

KNOWN = {
    "debits": {"siret": "VARCHAR", "periode": "DATE", "montant": "DOUBLE", "file_number": "BIGINT"},
    "sieges": {"siret": "VARCHAR", "departement": "VARCHAR"},
}


def origins(query: str, column: str = "found") -> set[str]:
    made = Table("made", "one row", (Column(column, "DOUBLE", "a value"),))
    return {".".join(origin) for _, found in _of_query(made, query, KNOWN) for origin in found}


@pytest.mark.parametrize(
    "query",
    [
        "select sum(montant) over w as found from debits window w as (partition by siret order by periode)",
        "select sum(montant) over (w rows 2 preceding) as found from debits window w as (partition by siret order by periode)",
        (
            "select sum(montant) over v as found from debits"
            " window w as (partition by siret order by periode), v as (w rows 2 preceding)"
        ),
        "select sum(montant) over (partition by siret order by periode) as found from debits",
        (
            "with one as (select sum(montant) over w as total from debits window w as (partition by siret order by periode))"
            " select total as found from one"
        ),
    ],
)
def test_a_window_function_comes_from_its_argument_its_partition_and_its_order(query: str) -> None:
    assert origins(query) == {"debits.montant", "debits.siret", "debits.periode"}


def test_a_named_window_of_a_subquery_hides_the_outer_window_of_the_same_name() -> None:
    query = """
        select siret, (select max(x) from (select rank() over w as x from sieges window w as (order by departement))) as found
        from debits
        window w as (order by periode)
    """
    assert origins(query) == {"sieges.departement"}


def test_an_exists_comes_from_the_compared_columns() -> None:
    query = "select exists(select 1 from sieges as s where s.siret = d.siret and s.departement = '75') as found from debits as d"
    assert origins(query) >= {"sieges.siret", "sieges.departement"}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("select columns('mont.*') as found from debits", "COLUMNS"),
        ("select max(columns(*)) from debits", "COLUMNS"),
        ("select found from debits unpivot (found for name in (montant, file_number))", "UNPIVOT"),
        ("select found from (pivot debits on periode using sum(montant))", "PIVOT"),
        ("select hash(d) as found from debits as d", '"d"'),
        ("select to_json(debits) as found from debits", '"debits"'),
        ("select row(d.*) as found from debits as d", '"d".*'),
        ("with one as (select siret from debits) select list(one) as found from one", '"one"'),
        ("select amount as found from elsewhere, debits", '"amount"'),
    ],
)
def test_an_expression_without_traceable_columns_is_refused_by_name(query: str, named: str) -> None:
    with pytest.raises(Untraceable, match="made: expected columns by their names") as refused:
        origins(query)
    assert named in str(refused.value)
