"""Every tolerance of the project with its reason: how far a month may be from what its table usually is.

A table of the warehouse is a full stock, delivered again every month: what is true of the whole of it moves slowly, and a
number that jumps says that the delivery changed rather than the country. Without a sound month to compare with, only
bounds hold; a month that was refused is never compared with, one that an operator accepted is the new usual.
"""

from sf_assets.engine.quality.measures import (
    UNKNOWN,
    Margin,
    Tolerance,
    emptied,
    emptiest,
    middle,
    misdated,
    newest,
    recent,
)
from sf_assets.engine.quality.optional import OPTIONAL
from sf_assets.engine.quality.population import TOLERANCES as POPULATION

# A producer's format change spoils most records; scattered mistakes stay far below one record in twenty.
REFUSED_SHARE = 0.05
# The register of a few hundred companies does not change every month; that of some thousands does.
FEW_LINES = 5000
REGISTER = ("sirene", "sirene_ul", "sirene_histo")
# Head-counts, contributions, debts and demands grow by a month every month: a thousand of them never stay as they were.
FEW_EVENTS = 1000
# Two levels together covered 6 to 9 % of the companies in the published lists; beyond a fifth the list no longer helps.
LARGEST_LIST = 0.20
# A share of a few hundred companies, which somebody picked, says nothing of the list.
FEW_COMPANIES = 1000
# A list half as long again is explained to its readers; a list that doubles is not published (`not_doubled`).
LIST_CHANGE = 0.5
# Contributions are sums of some fifty doubles, and probabilities leave their logit with twelve digits.
EXPLAINED_GAP = 1e-6


def _both(share: float) -> Margin:
    return Margin(share, share)


_STOCKS = "sirene sirene_ul sirene_histo effectif_ent effectif cotisation debit delai procol apconso apdemande"


def _assets(layer: str, names: str) -> tuple[str, ...]:
    return tuple(f"{layer}_{name}" for name in names.split())


_ALL_THERE = "Look which months or departments have no row, and ask the producer for the whole file."
_SAME_UNIT = "Compare a few amounts with last month's file: ask the producer whether the unit changed."
_ONE_MONTH = "one month more moves a stock of years by a few percent"

TOLERANCES = (
    *OPTIONAL,
    Tolerance(
        "lines_like_before",
        _assets("src", _STOCKS),
        "number of lines delivered",
        "select sum(lines) from {batch}",
        f"{_ONE_MONTH}, and the register by less; fewer lines are a file that is cut, more are lines delivered twice",
        "Compare the file with last month's: ask the producer whether the extraction is complete.",
        change=_both(0.2),
        level=_both(0.4),
        least=50,
    ),
    Tolerance(
        "refused_like_before",
        _assets("stg", _STOCKS + " bodacc paydex declarations_indmap declarations_af ratios_dirco ratios_inpi_bce"),
        "share of records quarantined",
        """
            select case when sum(quarantined) > 5 then sum(quarantined - coalesce(corrected, 0)) / sum(records) else 0 end
            from lake.stg_import where month = {month} and source = '{source}' and not contains(file, '/corrections/')
        """,
        "mistakes of typing come at a steady rate; identifiers that lost their first zeros are a few records in a hundred",
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
        "companies enter and leave at less than one in a hundred a month",
        "Look at stg_filter_steps for the step that changed, and at the head-counts of src_effectif_ent.",
        change=_both(0.1),
        level=_both(0.25),
        least=20,
    ),
    *POPULATION,
    Tolerance(
        "debts_like_before",
        ("stg_debit",),
        "middle amount of a debt, in euros",
        middle("(part_ouvriere + part_patronale)"),
        "euros taken for cents divide it by a hundred; the middle of a stock of years moves by a few percent",
        _SAME_UNIT,
        change=_both(0.3),
        level=_both(0.6),
    ),
    Tolerance(
        "worker_share_like_before",
        ("stg_debit",),
        "mean share of workers in a debt",
        "select avg(part_ouvriere / (part_ouvriere + part_patronale)) from {batch} "
        "where part_ouvriere >= 0 and part_patronale >= 0 and part_ouvriere + part_patronale > 0",
        "rates of contributions are set by law: columns that were swapped turn it round",
        "Look whether the columns Mt_PO and Mt_PP of the file still hold what they are named after.",
        change=_both(0.05),
        level=_both(0.1),
        relative=False,
    ),
    Tolerance(
        "contributions_like_before",
        ("stg_cotisation",),
        "middle amount of a contribution, in euros",
        middle("du"),
        "contributions follow wages, which move by a few percent a year",
        _SAME_UNIT,
        change=_both(0.2),
        level=_both(0.4),
    ),
    Tolerance(
        "hours_like_before",
        _assets("stg", "apconso apdemande"),
        "middle number of hours",
        middle("heures"),
        "days taken for hours divide it by seven; a crisis moves the middle of a stock of years by less, or is accepted",
        _SAME_UNIT,
        change=_both(0.4),
        level=_both(0.6),
    ),
    *(
        Tolerance(
            name,
            (asset,),
            f"share of {what} more than forty years ago, or later than next month",
            misdated(day),
            "producers keep ten years or so: a few old dates are slips of the hand, another century is a wrong reading",
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
            f"{what} of the emptiest of the last twenty-four months, over those of the middle month",
            emptiest(period, total),
            "employers declare every month, also in a crisis: half a month missing is a file that lacks it",
            _ALL_THERE,
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
            "age in months of the newest month that has its rows",
            newest(period, total),
            "every delivery brings one month more: a month older than last time is one that did not come",
            _ALL_THERE,
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
        "steps of procedures of the last three months, over those of a quarter of the two years before",
        recent("date_effet"),
        "2020 saw six tenths of the procedures of 2019: below a quarter of the usual the end of the file is missing, and "
        "failures would be taken for companies that do well. Under twelve steps a quarter it says nothing",
        "Look at the newest dates of the file and ask the producer for what is missing: labels depend on it.",
        low=0.25,
    ),
    *(
        Tolerance(
            "departments_there",
            (asset,),
            "share of last month's rows that are in departments which lost more than half of theirs",
            emptied(key, only),
            "no department of twenty establishments loses half of them in a month: its collector did not deliver",
            "Look which departments lost their rows, and ask the producer for the whole file.",
            high=0,
        )
        for asset, key, only in (
            ("stg_sirene", "departement", ""),
            ("clean_cotisation", "siret", ""),
            ("clean_effectif", "siret", ""),
            ("clean_effectif_ent", "siren", "and siege"),
        )
    ),
    Tolerance(
        "known_to_the_register",
        _assets("clean", "effectif cotisation debit delai ap"),
        "share of establishments that Sirene does not know",
        UNKNOWN,
        "the register of the month knows nearly every employer; more is another numbering, or a register cut short",
        "Compare the identifiers with those of the Sirene file of the month: which of the two lost some?",
        high=0.2,
        change=Margin(None, 0.03),
        level=Margin(None, 0.05),
        relative=False,
    ),
    Tolerance(
        "not_one_value",
        ("stg_paydex",),
        "share of measures with the commonest paydex, unknown included",
        "select max(n) / sum(n) from (select count(*) as n from {batch} group by paydex)",
        "a default value in the place of measures is the same for all; paying on the day is the commonest of true ones",
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
            "accounts are filed after they close; slips of the hand are a few in a thousand",
            "Look at the years of the file: accounts of the future would be read as known when they close.",
            high=0.01,
        )
        for assets, day in (
            (_assets("stg", "declarations_indmap declarations_af ratios_dirco"), "date_fin_exercice"),
            (("stg_ratios_inpi_bce",), "date_cloture_exercice"),
        )
    ),
    Tolerance(
        "failures_like_before",
        ("model_target",),
        "number of companies that fail within the horizon of a labelled month",
        "select count(distinct siren) from {batch} where target",
        "a month more of labels moves it by a few percent: fewer are labels that were lost",
        "Look at clean_procedure: are the steps of the last years all there?",
        change=Margin(0.2, None),
        level=Margin(0.4, None),
        least=20,
    ),
    Tolerance(
        "enough_failures",
        ("model_fitted",),
        "number of failing companies that the method of the list learned from, when it learns",
        "select min(training_failures) from {batch} where retained and training_to is not null",
        "ten failures teach names rather than causes, whatever the setting; a third fewer than last month were lost",
        "Look at model_target and at the months learned from. SF_TRAINING_FAILURES is the number asked for to begin with.",
        low=10,
        change=Margin(0.3, None),
        level=Margin(0.5, None),
    ),
    Tolerance(
        "not_constant",
        ("model_scores",),
        "smallest spread of a method's latest scores (standard deviation)",
        """
            select min(spread) from (
                select stddev_pop(probabilite) as spread, count(*) as n from {batch}
                where version = (select max(version) from {batch} as latest) group by methode
            ) where n >= 100
        """,
        "a model that says the same of everybody says nothing; so does one whose scores shrink to a fifth in a month",
        "Look at the model's inputs and its training: which features have become constant?",
        low=0.001,
        change=Margin(0.8, None),
        level=Margin(0.9, None),
    ),
    Tolerance(
        "not_doubled",
        ("list_alerts",),
        "number of companies of the latest list",
        "select count(*) from {batch} where version = (select max(version) from lake.list_versions where month = {month})",
        "nobody can call twice as many companies, and risk does not double in a month: thresholds or features moved",
        "Compare the month's features and thresholds with last month's before anything is published.",
        change=Margin(None, 0.8),
        least=12,
    ),
)
