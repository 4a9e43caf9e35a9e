"""What a tolerance is, and the queries of what several of them measure."""

from dataclasses import dataclass

from sf_assets.vocabulary.schema import Severity


@dataclass(frozen=True, slots=True)
class Margin:
    """How far a measure may be below and above a reference; None is as far as it likes."""

    fall: float | None
    rise: float | None


@dataclass(frozen=True, slots=True)
class Tolerance:
    """One number of a month, and how far it may be from bounds and from earlier months of the same table.

    `query` gives the number, NULL when there is nothing to measure: `{batch}` stands for the rows of the month, `{before}`
    for those of the last sound month (of the month itself when there is none), `{month}` for the month, `{source}` for the
    name of the source. `measure` says what it is, `reason` why the margins are what they are.

    `low` and `high` hold for every month. `change` is the distance to the last sound month, `level` to the middle of the
    twelve months before; they are shares of the reference when `relative`, otherwise in the unit of the measure. A
    distance under `least`, in that unit, is chance.

    `detail` gives rows of a name and a count, with the same marks, that are said when the number is refused.
    """

    name: str
    assets: tuple[str, ...]
    measure: str
    query: str
    reason: str
    advice: str
    low: float | None = None
    high: float | None = None
    change: Margin | None = None
    level: Margin | None = None
    relative: bool = True
    least: float = 0.0
    severity: Severity = "error"
    detail: str = ""


def middle(amount: str) -> str:
    """Return the query of the middle amount: by logarithms, so that a few very large ones do not hide the others.

    It is 0 when no amount is positive, and NULL when there is no row.
    """
    return f"""
        select case when count(*) > 0 then coalesce(exp(avg(ln(nullif(greatest({amount}, 0), 0)))), 0) end from {{batch}}
    """


def emptiest(period: str, total: str) -> str:
    """Return the query of the smallest month of the last two years, as a share of the middle one.

    A file starts with the quarters that reach into its window, and ends with a month that is still being declared: its first
    three months and its last one say nothing here. `newest` watches the last one.
    """
    return f"""
        with counted as (select {period} as periode, {total} as n from {{batch}} group by all),
        spine as (
            select cast(unnest(generate_series(
                greatest(max(periode) - interval 24 month, min(periode) + interval 3 month), max(periode) - interval 1 month,
                interval 1 month
            )) as date) as periode
            from counted where periode <= {{month}}
        )
        select case when count(*) > 0 then coalesce(min(coalesce(n, 0)) / nullif(median(coalesce(n, 0)), 0), 0) end
        from spine left join counted using (periode)
    """


def newest(period: str, total: str) -> str:
    """Return the query of the age in months of the newest month that is not a mere beginning."""
    return f"""
        with counted as (select {period} as periode, {total} as n from {{batch}} group by all)
        select date_diff('month', max(periode), {{month}})
        from (select periode, n >= median(n) over () / 2 as filled from counted where periode <= {{month}})
        where filled
    """


def newest_announcement(day: str) -> str:
    """Return the query of the days from the newest row to the end of the month; few rows say nothing."""
    return f"""
        select case
            when count(*) filter ({day} >= {{month}} - interval 2 month) >= 40
                then date_diff('day', max({day}), cast({{month}} + interval 1 month as date))
        end
        from {{batch}} where {day} < {{month}} + interval 2 month
    """


def misdated(day: str) -> str:
    """Return the query of the share of days of another century."""
    return f"""
        select avg(cast({day} not between {{month}} - interval 40 year and {{month}} + interval 2 month as integer))
        from {{batch}} where {day} is not null
    """


def recent(day: str) -> str:
    """Return the query of the steps of three months over those of a quarter of the two years before; few say nothing."""
    return f"""
        with counted as (
            select
                count(*) filter ({day} >= {{month}} - interval 2 month) as recent,
                count(*) filter ({day} < {{month}} - interval 2 month) / 8 as usual
            from {{batch}}
            where {day} >= {{month}} - interval 26 month and {day} < {{month}} + interval 1 month
        )
        select case when usual >= 12 then recent / usual end from counted
    """


def emptied(key: str, only: str = "") -> str:
    """Return the query of the share of last month's rows that are in departments which lost more than half of them."""
    # Where establishments are, by the register of the same month, which these tables are built after.
    places = f"""
        places as (
            select {key} as id, min(departement) as departement from lake.stg_sirene
            where month = {{month}} {only} group by id
        ),
    """
    counted = (
        f"select departement, count(distinct {key}) as n from {{rows}} join places on places.id = {key} group by all"
    )
    if key == "departement":
        places, counted = "", "select departement, count(*) as n from {rows} group by all"
    now, then = (counted.replace("{rows}", rows) for rows in ("{batch}", "{before}"))
    return f"""
        with {places}
        now as ({now}), earlier as ({then})
        select coalesce(sum(earlier.n) filter (earlier.n >= 20 and coalesce(now.n, 0) < earlier.n / 2) / sum(earlier.n), 0)
        from earlier left join now using (departement)
        where earlier.departement is not null
    """


UNKNOWN = """
    select avg(cast(s.siret is null as integer))
    from (select distinct siret from {batch}) as found
    left join (select distinct siret from lake.stg_sirene where month = {month}) as s using (siret)
"""
