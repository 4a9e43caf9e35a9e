"""Queries that tolerances of several tables share, and that read the register of the month."""

from sf_assets.engine.quality.measures import Tolerance
from sf_assets.engine.sql import read_sql

# The share of distinct establishments of a table that the register of the month does not hold.
UNKNOWN_TO_REGISTER = """
    select avg(cast(s.siret is null as integer))
    from (select distinct siret from {batch}) as found
    left join (select distinct siret from lake.stg_sirene where month = {month}) as s using (siret)
"""


def lost_departments(key: str, only: str = "") -> str:
    """Return the query of the share of last month's rows in departments that lost more than half of their rows.

    `key` is the column that places a row: `departement` itself, or an identifier that the register of the month places.
    `only` is a further condition on the rows of the register. Departments of fewer than twenty rows are left out.
    """
    counted = (
        f"select departement, count(distinct {key}) as n from {{rows}} join places on places.id = {key} group by all"
    )
    if key == "departement":
        counted = "select departement, count(*) as n from {rows} group by all"
    now, earlier = (counted.replace("{rows}", rows) for rows in ("{batch}", "{before}"))
    return read_sql("sf_assets.staging", "lost_departments", key=key, only=only, now=now, earlier=earlier)


def departments_there(asset: str, key: str, only: str = "") -> Tolerance:
    """Return the tolerance of a table in which no department may lose more than half of its rows."""
    return Tolerance(
        "departments_there",
        (asset,),
        "share of last month's rows that are in departments which lost more than half of theirs",
        lost_departments(key, only),
        "no department of twenty establishments loses half of them in a month: its office did not deliver",
        "Find the departments that lost their rows, and ask the producer for the whole file.",
        high=0,
    )
