"""Tolerances of the staging tables: how far a month may be from what each table usually holds, and why.

A staging table holds a full stock, delivered again every month: its totals move slowly, so a jump means that the delivery
changed rather than the country. Without an earlier month that passed its checks, only fixed bounds apply.
"""

from sf_assets.engine.quality.measures import (
    Margin,
    Tolerance,
    geometric_mean,
    misdated_share,
    newest_month_age,
    newest_row_age,
    recent_share,
    smallest_month_share,
)
from sf_assets.engine.sql import read_sql
from sf_assets.staging.measures import departments_there

# A producer's format change spoils most records; scattered mistakes stay far below one record in twenty.
REFUSED_SHARE = 0.05

_MONTHLY = "effectif cotisation debit delai procol apconso apdemande"
_ACCOUNTS = "declarations_indmap declarations_af ratios_dirco ratios_inpi_bce"

_OUTSIDE, _COPIES = "coalesce(outside, 0)", "coalesce(copies, 0)"
_NOT_FOLLOWED = f"filtered - {_OUTSIDE} - {_COPIES}"
_REASONS = read_sql("sf_assets.staging", "filtered_by_reason", outside=_OUTSIDE, copies=_COPIES, unneeded=_NOT_FOLLOWED)

_ASK_FOR_THE_WHOLE_FILE = "Find the months or departments without rows, and ask the producer for the whole file."
_CHECK_THE_UNIT = "Compare a few amounts with last month's file: ask the producer whether the unit changed."


def _staging(sources: str) -> tuple[str, ...]:
    return tuple(f"stg_{source}" for source in sources.split())


def _filtered_share(reason: str) -> str:
    """Return the query of the share of records filtered for a reason, a sum of columns of `stg_import`.

    It is NULL, nothing to measure, below fifty records and in a month that was delivered with an explicit perimeter.
    """
    return read_sql("sf_assets.staging", "filtered_share", reason=reason)


_BODACC = (
    Tolerance(
        "announcements_like_before",
        ("stg_bodacc",),
        "days from the newest announcement to the end of the month",
        newest_row_age("date_parution"),
        "the bulletin appears five days a week: an export whose last announcement is weeks older than last time is last "
        "month's, and the failures since would be missing. Below forty announcements a quarter nothing is measured",
        "Look at the day the export was made, and download it again.",
        change=Margin(None, 15),
        level=Margin(None, 20),
        relative=False,
    ),
    Tolerance(
        "recent_steps_there",
        ("stg_bodacc",),
        "announcements of the last three months, over those of an average quarter of the two years before",
        # A correction about a company that is not followed has no siren: it is a step of no followed company.
        recent_share("case when siren is not null then date_parution end"),
        "2020 had six tenths of the procedures of 2019: below a quarter of the usual number the end of the file is missing, "
        "and failures would be taken for companies that do well. Below twelve announcements a quarter nothing is measured",
        "Look at the newest dates of the file and download the whole export again: labels depend on it.",
        low=0.25,
    ),
)

_OUTCOMES = (
    Tolerance(
        "refused_like_before",
        _staging(f"sirene sirene_ul sirene_histo effectif_ent {_MONTHLY} bodacc paydex {_ACCOUNTS}"),
        "share of records quarantined",
        """
            select case when sum(quarantined) > 5 then sum(quarantined - coalesce(corrected, 0)) / sum(records) else 0 end
            from lake.stg_import where month = {month} and source = '{source}' and not contains(file, '/corrections/')
        """,
        "typing mistakes come at a steady rate; identifiers that lost their leading zeros are a few records in a hundred",
        "Look into stg_quarantine for the rule that refuses more than last month, and ask the producer what changed.",
        change=Margin(None, 0.01),
        level=Margin(None, 0.02),
        relative=False,
    ),
    Tolerance(
        "perimeter_like_before",
        ("stg_filter_import",),
        "number of companies of the perimeter",
        "select count(*) from {batch}",
        "fewer than one company in a hundred enters or leaves in a month",
        "Look at stg_filter_steps for the step that changed, and at the head-counts of src_effectif_ent.",
        change=Margin(0.1, 0.1),
        level=Margin(0.25, 0.25),
        min_difference=20,
    ),
    *(
        Tolerance(
            name,
            _staging(sources),
            f"share of records filtered as {what}",
            _filtered_share(reason),
            why,
            advice,
            change=Margin(0.05, 0.05),
            level=Margin(0.1, 0.1),
            relative=False,
            detail=_REASONS,
        )
        for name, sources, what, reason, why, advice in (
            (
                "outside_like_before",
                f"{_MONTHLY} sirene_histo effectif_ent bodacc paydex {_ACCOUNTS}",
                "outside the perimeter",
                _OUTSIDE,
                "files and the perimeter are about the same companies every month: both move by less than one in a hundred",
                "Look at stg_filter_steps, then whether the identifiers of the file still have their zeros.",
            ),
            (
                "copies_like_before",
                "apconso apdemande ratios_inpi_bce bodacc",
                "exact copies",
                _COPIES,
                "a producer repeats a few records; many more mean a file that holds two deliveries",
                "Ask the producer whether the file holds one extraction.",
            ),
            (
                "not_ours_like_before",
                "sirene sirene_ul sirene_histo paydex bodacc",
                "left out by the rule of the source",
                _NOT_FOLLOWED,
                "a rule leaves out a steady share of a stock: once, a nomenclature that changed its name left out a country",
                "Look at the records that the rule of the source (sources.md) leaves out: which of its columns changed?",
            ),
        )
    ),
)

_AMOUNTS = (
    Tolerance(
        "debts_like_before",
        ("stg_debit",),
        "geometric mean of the amounts of debts, in euros",
        geometric_mean("(part_ouvriere + part_patronale)"),
        "euros taken for cents divide it by a hundred; the mean of a stock of years moves by a few percent",
        _CHECK_THE_UNIT,
        change=Margin(0.3, 0.3),
        level=Margin(0.6, 0.6),
    ),
    Tolerance(
        "worker_share_like_before",
        ("stg_debit",),
        "mean share of workers in a debt",
        "select avg(part_ouvriere / (part_ouvriere + part_patronale)) from {batch} "
        "where part_ouvriere >= 0 and part_patronale >= 0 and part_ouvriere + part_patronale > 0",
        "the law sets the rates of contributions: swapped columns turn the share into its complement",
        "Check that the columns Mt_PO and Mt_PP of the file still hold what their names say.",
        change=Margin(0.05, 0.05),
        level=Margin(0.1, 0.1),
        relative=False,
    ),
    Tolerance(
        "contributions_like_before",
        ("stg_cotisation",),
        "geometric mean of the amounts of contributions, in euros",
        geometric_mean("du"),
        "contributions follow wages, which move by a few percent a year",
        _CHECK_THE_UNIT,
        change=Margin(0.2, 0.2),
        level=Margin(0.4, 0.4),
    ),
    Tolerance(
        "hours_like_before",
        _staging("apconso apdemande"),
        "geometric mean of the number of hours",
        geometric_mean("heures"),
        "days taken for hours divide it by seven; a crisis moves the mean of a stock of years by less, or is accepted",
        _CHECK_THE_UNIT,
        change=Margin(0.4, 0.4),
        level=Margin(0.6, 0.6),
    ),
)

_DATES = (
    *(
        Tolerance(
            name,
            (asset,),
            f"share of {what} more than forty years ago, or later than next month",
            misdated_share(day),
            "producers keep about ten years: a few old dates are typing mistakes, another century is a wrong reading",
            f"Look at the dates of the file: has the form of {header} changed?",
            high=0.01,
        )
        for name, asset, what, day, header in (
            ("debts_dated", "stg_debit", "debts processed", "date_traitement", "Dt_trt_ecn"),
            ("steps_dated", "stg_procol", "steps of procedures that take effect", "date_effet", "Dt_effet"),
            ("plans_dated", "stg_delai", "payment plans created", "date_creation", "Date_creation"),
        )
    ),
    *(
        Tolerance(
            "every_month_there",
            (asset,),
            f"{what} of the smallest of the last twenty-four months, over those of the median month",
            smallest_month_share(period, total),
            "employers declare every month, also in a crisis: a month of half the usual size is missing from the file",
            _ASK_FOR_THE_WHOLE_FILE,
            low=0.5,
        )
        for asset, what, period, total in (
            ("stg_cotisation", "contributions", "periode_debut", "count(*)"),
            ("stg_effectif", "people", "periode", "sum(effectif)"),
            ("stg_effectif_ent", "people", "periode", "sum(effectif_ent)"),
        )
    ),
    *(
        Tolerance(
            "newest_month_like_before",
            (asset,),
            "age in months of the newest month that is complete",
            newest_month_age(period, total),
            "every delivery adds one month: a newest month that is older than last time means that a month did not come",
            _ASK_FOR_THE_WHOLE_FILE,
            change=Margin(None, 0),
            level=Margin(None, 0),
            relative=False,
        )
        for asset, period, total in (
            ("stg_cotisation", "periode_debut", "count(*)"),
            ("stg_effectif", "periode", "sum(effectif)"),
            ("stg_effectif_ent", "periode", "sum(effectif_ent)"),
        )
    ),
    Tolerance(
        "recent_steps_there",
        ("stg_procol",),
        "steps of procedures of the last three months, over those of an average quarter of the two years before",
        recent_share("date_effet"),
        "2020 had six tenths of the procedures of 2019: below a quarter of the usual number the end of the file is missing, "
        "and failures would be taken for companies that do well. Below twelve steps a quarter nothing is measured",
        "Look at the newest dates of the file and ask the producer for what is missing: labels depend on it.",
        low=0.25,
    ),
    departments_there("stg_sirene", "departement"),
)

_VALUES = (
    Tolerance(
        "not_one_value",
        ("stg_paydex",),
        "share of measures with the commonest paydex, unknown included",
        "select max(n) / sum(n) from (select count(*) as n from {batch} group by paydex)",
        "a default value in the place of measures is the same for all; the commonest true value is payment on the due day",
        "Look at the column paydex of the file: ask Altares for the measures.",
        high=0.6,
        change=Margin(None, 0.15),
        level=Margin(None, 0.25),
        relative=False,
    ),
    *(
        Tolerance(
            "closed_already",
            assets,
            "share of accounts that close after the month",
            f"select avg(cast({day} >= {{month}} + interval 1 month as integer)) from {{batch}}",
            "accounts are filed after they close; typing mistakes are a few in a thousand",
            "Look at the years of the file: accounts of the future would be read as known when they close.",
            high=0.01,
        )
        for assets, day in (
            (_staging("declarations_indmap declarations_af ratios_dirco"), "date_fin_exercice"),
            (("stg_ratios_inpi_bce",), "date_cloture_exercice"),
        )
    ),
)

TOLERANCES = (*_BODACC, *_OUTCOMES, *_AMOUNTS, *_DATES, *_VALUES)
