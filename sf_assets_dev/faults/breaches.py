"""For every blocking check, rows that make it fail and rows that pass it: tests plant them, docs/faults.md lists them.

For rules that derive from a declaration the rows derive from it too (`implied`); all other checks have theirs here, by name.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sf_assets.engine.quality.rules import DECIMAL, FINITE, NOT_EMPTY, Probe, Suite
from sf_assets.sources.tolerances import ACCOUNTS
from sf_assets.vocabulary.schema import LARGEST, Rule


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to plant in a table: valid default rows, except for `values`, written `expression as column`.

    Expressions may use `month` and `n`, the number of the row from 1 to `copies`. `table` is empty for the table of the
    checked asset.
    """

    values: str = ""
    copies: int = 1
    table: str = ""

    def __str__(self) -> str:
        place = f"{self.table}: " if self.table else ""
        alike = "" if re.search(r"\bn\b", self.values) else " alike"
        rows = "a row" if self.copies == 1 else f"{self.copies} rows{alike}"
        return f"{place}{rows} with `{' '.join(self.values.split())}`" if self.values else f"{place}{rows}"


@dataclass(frozen=True, slots=True)
class Breach:
    """Rows of one month that make a check fail (`red`), and rows that pass it (`green`).

    `before` are rows of the month before, for checks that compare with it; they pass the check.
    """

    red: tuple[Rows, ...]
    green: tuple[Rows, ...] = (Rows(),)
    before: tuple[Rows, ...] = ()

    def __str__(self) -> str:
        compared = f", after {_listed(self.before)}" if self.before else ""
        return (_listed(self.red) or "no row") + compared


def _listed(rows: tuple[Rows, ...]) -> str:
    return " and ".join(map(str, rows))


def breaches_of(suite: Suite, check: Rule | Probe) -> tuple[Breach, ...]:
    """Return the breaches of a check; empty when none is declared."""
    named = BREACHES.get(f"{suite.asset} {check.name}") or BREACHES.get(check.name)
    return named or (() if isinstance(check, Probe) else tuple(implied(suite, check)))


def implied(suite: Suite, rule: Rule) -> Iterator[Breach]:
    """Yield the breaches of a rule that derives from a declaration, or that bounds the values of a column."""
    types = {column.name: column.type for column in suite.table.columns} if suite.table else {}
    patterns = {column.name for column in suite.table.columns if column.pattern} if suite.table else set()
    column = str(rule.arguments.get("column", rule.name.removesuffix("_well_formed")))
    if rule.name == NOT_EMPTY:
        yield Breach(())
    elif rule.name == "key_unique":
        yield Breach((Rows(copies=2),))
    elif rule.name == FINITE:
        last = [name for name, type_ in types.items() if type_ in DECIMAL][-1]
        yield from _each(*(f"{value} as {last}" for value in _NOT_FINITE))
    elif rule.expectation == "ExpectColumnValuesToNotBeNull":
        yield _beside(f"null as {column}")
    elif rule.name == f"{column}_well_formed" and column in patterns:
        yield _beside(f"'?' as {column}")
    elif rule.expectation == "ExpectColumnValuesToBeBetween":
        low, high = rule.arguments["min_value"], rule.arguments["max_value"]
        bounds = [f"{low - 1}"] * (low != -LARGEST) + [f"{high + 1}"] * (high != LARGEST)
        for value in [*bounds, *(_NOT_FINITE if types[column] in DECIMAL else ())]:
            yield _beside(f"{value} as {column}")


_NOT_FINITE = ("'nan'", "'infinity'", "'-infinity'")


def _beside(*values: str) -> Breach:
    """Return the breach made of one valid row and one bad row per value."""
    return Breach((Rows(), *(Rows(value) for value in values)))


def _each(*values: str) -> tuple[Breach, ...]:
    return tuple(_beside(value) for value in values)


def _moved(before: str, *red: str) -> tuple[Breach, ...]:
    """Return breaches in which one row moves too far from its values of the month before."""
    same = (Rows(before),)
    return tuple(Breach((Rows(value),), same, same) for value in red)


def _resized(values: str, before: int, *red: int, table: str = "") -> tuple[Breach, ...]:
    """Return breaches in which the number of rows differs too much from the month before."""
    same = (Rows(values, before, table),)
    return tuple(Breach((Rows(values, copies, table),), same, same) for copies in red)


def _hole(period: str) -> tuple[Breach, ...]:
    """Return the breach of thirty consecutive months of which one has no row."""
    month = f"(month - to_months(if(n = 12, 11, n)::integer))::date as {period}"
    return (Breach((Rows(month, 30),), (Rows(month.replace("if(n = 12, 11, n)", "n"), 30),)),)


def _late(period: str) -> tuple[Breach, ...]:
    """Return the breach of a newest month that lags one month more than usual."""
    usual = (Rows(f"(month - interval 1 month)::date as {period}"),)
    return (Breach((Rows(f"(month - interval 2 month)::date as {period}"),), usual, usual),)


def _no_recent(day: str) -> tuple[Breach, ...]:
    older = Rows(f"(month - interval 12 month)::date as {day}", 100)
    return (Breach((older,), (older, Rows(copies=10))),)


_SIREN = "lpad(n::varchar, 9, '0') as siren"
_SIRET = "lpad(n::varchar, 14, '0') as siret"


def _emptied(key: str, *others: Rows) -> tuple[Breach, ...]:
    """Return the breach of a department that loses most of its rows; `others` place these rows in the department."""
    whole = (Rows(key, 20), *others)
    return (Breach((Rows(key, 5), *others), whole, whole),)


def _filtered(reason: str) -> tuple[Breach, ...]:
    """Return the breach of a source of which four tenths of the records are filtered, instead of one; `reason` says why."""
    counts = "1000 as records, {} as accepted, {} as filtered, {} as outside, {} as copies"
    few, many = (
        Rows(counts.format(1000 - n, n, n * (reason == "outside"), n * (reason == "copies")), table="stg_import")
        for n in (100, 400)
    )
    return (Breach((many,), (few,), (few,)),)


def _newest(day: int) -> tuple[Rows, ...]:
    """Return sixty announcements, the newest of which was published that many days after the first of the month."""
    return (Rows(f"(month + {day} - n::integer % 20)::date as date_parution", 60),)


_READ = (Rows(), Rows(table="stg_import"))
_MISCOUNTED = tuple(Breach((Rows(), Rows(f"{n} as records", table="stg_import")), _READ) for n in (2, 0))
# Checks on a list read its current version.
_VERSION = Rows(table="list_versions")
_LISTED = (Rows(), _VERSION, Rows(table="clean_filter"), Rows(table="feat_company_month"))
_SCORED = (Rows(), Rows(table="feat_matrix"))
_LENGTH = (_VERSION, Rows(_SIREN, 1000, "feat_company_month"))

# By name of check, or by asset and check where the rows differ.
BREACHES: Mapping[str, tuple[Breach, ...]] = {
    # Delivered files.
    "delivered": (Breach(()),),
    "delivered_once": (
        Breach((Rows("'a.csv' as file"), Rows("'b.csv' as file")), (Rows(), Rows("'b.csv' as file, 'b' as sha256"))),
        Breach((Rows("'a.csv' as file"), Rows("'a.csv.gz' as file, 'b' as sha256"))),
    ),
    "one_file": (Breach((Rows(), Rows("'b.csv' as file, 'b' as sha256"))),),
    "as_promised": _each("'b.csv' as file, 'cut' as fault"),
    "new": (
        Breach(
            (Rows("6000 as lines"),), (Rows("6000 as lines, 'b' as sha256, 'b' as content_sha256"),),
            (Rows("6000 as lines, 'a.csv' as file"),),
        ),
    ),
    "lines_like_before": _moved("1000 as lines", "799 as lines", "1501 as lines"),
    **{f"{asset} lines_like_before": _moved("1000 as lines", "749 as lines", "1501 as lines") for asset in ACCOUNTS},
    # Staging.
    "nothing_lost": (*_MISCOUNTED, Breach((*_READ, Rows()), _READ), Breach(_READ[1:], _READ)),
    **{
        f"stg_{source} nothing_lost": _MISCOUNTED
        for source in ("admin_urssaf", "bodacc", "diane", "effectif", "effectif_ent")
    },
    "stg_import nothing_lost": _each("2 as records", "0 as records", "null as records", "null as accepted"),
    "import_log nothing_lost": _each("2 as lines_parsed", "0 as lines_parsed", "null as lines_parsed"),
    "few_refused": (
        Breach(
            (Rows("100 as records, 94 as accepted, 6 as quarantined", table="stg_import"),),
            (Rows("100 as records, 95 as accepted, 5 as quarantined", table="stg_import"),),
        ),
    ),
    "refused_like_before": (
        Breach(
            (Rows("1000 as records, 980 as accepted, 20 as quarantined", table="stg_import"),),
            (Rows("1000 as records, 1000 as accepted", table="stg_import"),),
            (Rows("1000 as records, 1000 as accepted", table="stg_import"),),
        ),
    ),
    "usable_filter": tuple(
        Breach(tuple(Rows(values, table="stg_import") for values in files), (Rows(table="stg_import"),))
        for files in (
            ("'a.csv' as file", "'b.csv' as file"),
            ("0 as accepted, 1 as filtered",),
            ("2 as records, 1 as quarantined",),
        )
    ),
    "perimeter_like_before": _resized(_SIREN, 100, 75, 125),
    "outside_like_before": _filtered("outside"),
    "copies_like_before": _filtered("copies"),
    "not_ours_like_before": _filtered("other"),
    "announcements_like_before": (Breach(_newest(-5), _newest(25), _newest(25)),),
    "followed_like_before": _resized(_SIREN, 100, 70, 130),
    "companies_like_before": _resized(_SIREN, 100, 70, 130),
    **{
        f"motif_{reason}_like_before": _resized(_SIREN, 100, 45, 155)
        for reason in ("categorie_juridique", "activite", "siege")
    },
    "few_left_out": (
        Breach(
            (Rows(_SIREN, 11), Rows(_SIREN, 20, "stg_filter_import")),
            (Rows(_SIREN, 10), Rows(_SIREN, 20, "stg_filter_import")),
        ),
    ),
    "adds_up": _each("4 as avant", "-1 as exclues, 3 as apres, 2 as avant", "null as avant"),
    "stg_cotisation period_in_order": _each("periode_debut as periode_fin"),
    "debts_like_before": _moved(
        "100 as part_ouvriere, 100 as part_patronale",
        "1 as part_ouvriere, 1 as part_patronale",
        "200 as part_ouvriere, 200 as part_patronale",
    ),
    "worker_share_like_before": _moved(
        "40 as part_ouvriere, 60 as part_patronale", "60 as part_ouvriere, 40 as part_patronale"
    ),
    "contributions_like_before": _moved("100 as du", "1 as du", "200 as du"),
    "hours_like_before": _moved("70 as heures", "10 as heures", "140 as heures"),
    "debts_dated": _each("date '1926-03-01' as date_traitement"),
    "steps_dated": _each("date '1926-03-01' as date_effet"),
    "plans_dated": _each("date '2126-03-01' as date_creation"),
    "stg_cotisation every_month_there": _hole("periode_debut"),
    "every_month_there": _hole("periode"),
    "stg_cotisation newest_month_like_before": _late("periode_debut"),
    "newest_month_like_before": _late("periode"),
    "stg_procol recent_steps_there": _no_recent("date_effet"),
    "stg_bodacc recent_steps_there": _no_recent("date_parution"),
    "stg_sirene departments_there": _emptied(_SIRET),
    "clean_effectif_ent departments_there": _emptied(_SIREN, Rows(_SIREN, 20, "stg_sirene")),
    "departments_there": _emptied(_SIRET, Rows(_SIRET, 20, "stg_sirene")),
    "not_one_value": (Breach((Rows(copies=4),), (Rows("n as paydex", 4),)),),
    "stg_ratios_inpi_bce closed_already": _each("(month + interval 1 month)::date as date_cloture_exercice"),
    "closed_already": _each("(month + interval 1 month)::date as date_fin_exercice"),
    # Clean tables.
    "known_to_the_register": (Breach((Rows(),), (Rows(), Rows(table="stg_sirene"))),),
    "periode_is_a_month": _each("(month + interval 1 day)::date as periode"),
    "in_order": _each("null as date_debut", "date_debut as date_fin"),
    "known_after_its_year": _each("make_date(annee_effectif, 12, 31) as connue_le"),
    "clean_procol_at_date started_before": _each(
        "(periode + interval 1 day)::date as date_effet", "date '2015-12-01' as date_effet, date '2015-12-01' as periode"
    ),
    "one_version_at_a_time": _each("date_publication as date_remplacement"),
    "known_after_effect": _each("(date_publication + interval 1 day)::date as date_effet"),
    "clean_bodacc known_after_effect": _each(
        "(date_publication + interval 1 day)::date as date_effet", "date_publication as date_retrait"
    ),
    # Models.
    "one_retained": (Breach((Rows(), Rows("'b' as methode"))), Breach((Rows("false as retained"),)), Breach(())),
    "thresholds_in_order": _each("0.6 as seuil_modere", "'nan' as seuil_fort", "'-infinity' as seuil_modere"),
    "failures_like_before": _resized(_SIREN, 100, 70),
    "enough_failures": (Breach((Rows("9 as training_failures"),)),),
    "complete": (
        Breach((Rows(), Rows("'400000002' as siren", table="feat_matrix")), _SCORED),
        Breach((*_SCORED, Rows("'400000002' as siren")), _SCORED),
    ),
    "not_constant": (
        Breach((Rows(_SIREN, 100),), (Rows(f"{_SIREN}, n / 100 as probabilite", 100),)),
    ),
    # Lists.
    "nobody_excluded": (
        Breach((*_LISTED[:2], _LISTED[3]), _LISTED),
        Breach(_LISTED[:3], _LISTED),
        Breach((*_LISTED[:3], Rows("'redressement' as procedure_connue", table="feat_company_month")), _LISTED),
        Breach((*_LISTED, Rows(table="siren_blacklist")), _LISTED),
    ),
    "plausible_length": (Breach((Rows(_SIREN, 201), *_LENGTH), (Rows(_SIREN, 200), *_LENGTH)),),
    "not_doubled": (
        Breach((Rows(_SIREN, 37), _VERSION), (Rows(_SIREN, 20), _VERSION), (Rows(_SIREN, 20), _VERSION)),
    ),
    "ranks_once": _each("'400000002' as siren"),
    "explanations_add_up": _each("0.00001 as ecart_explications", "null as ecart_explications"),
    "after_their_list": _each(
        "month as mois_liste", "(month + interval 1 month)::date as recue", "null as recue", "null as mois_liste"
    ),
    "one_level_at_most": _each(
        "0 as niveau_modele, 2 as niveau", "2 as niveau_modele, 3 as niveau", "null as niveau_modele", "null as niveau"
    ),
    # Evaluation.
    "scored_from_its_origin_on": _each("(origine - interval 1 month)::date as periode"),
    "interval_in_order": _each("0.6 as bas, 0.5 as haut", "0.5 as bas, 'nan' as haut", "'-infinity' as bas"),
    "gaps_have_a_reason": _each("null as valeur, null as raison"),
    "small_groups_hidden": _each(
        "10 as entreprises", "null as entreprises, 0.5 as valeur, null as bas, null as haut",
        "null as entreprises, null as valeur, 0.5 as bas, 0.5 as haut",
    ),
    "versions_follow": _each("3 as version"),
    "one_champion": _each("'b' as candidat, 'b' as champion"),
    "replaced_beyond_noise": _each(
        "true as remplace, 0 as bas", "true as remplace, 'nan' as bas", "true as remplace, null as bas"
    ),
}  # fmt: skip
