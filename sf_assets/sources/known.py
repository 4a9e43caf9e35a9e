"""The day from which a record is known, declared once per source.

Features compare this day with the cut-off; the tests of anachronism and the documentation use the same declarations. Queries
call the macro `known_from_<source>(columns)`, which `define_known_from` creates in a connection with the configured delays of
`vocabulary/delays.py`. A record without a date is known from its delivery.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import duckdb

from sf_assets.vocabulary.delays import DELAYS

_CALL = re.compile(r"\bknown_from_(\w+)\s*\(")
_DELAY = re.compile(r"\$([a-z_]+)")


@dataclass(frozen=True, slots=True)
class KnownFrom:
    """The rule of one source: the columns of its staging table that the day depends on, and the SQL of the day.

    `$<delay>` in `sql`, and `{<delay>}` in `text`, stand for a configured delay; `text` is the rule in words. The records of
    a source that `follows` another have no date: they are known with the records of the other source that agree on
    `columns`. Without `sql` and `follows`, a record is known from the month it is delivered for.
    """

    text: str
    columns: tuple[str, ...] = ()
    sql: str = ""
    follows: str = ""

    @property
    def is_dated(self) -> bool:
        """Tell whether the day depends on the records, and not on the month of delivery."""
        return bool(self.sql or self.follows)

    def describe(self, delays: Mapping[str, int]) -> str:
        """Return the rule in words, with the values of `delays`."""
        return self.text.format_map(delays)


_EXERCISE = ("siren", "date_deb_exercice", "date_fin_exercice")
_DELIVERED = KnownFrom("the month it is delivered for")
_CLOSED = "date_cloture_exercice + to_months($%s)"
_BORN = "; other columns as registered when delivered"

KNOWN: Mapping[str, KnownFrom] = MappingProxyType({
    "sirene": KnownFrom(
        "the creation of the establishment" + _BORN, ("date_creation",), "coalesce(date_creation, date '1900-01-01')"
    ),
    "sirene_ul": KnownFrom("the creation of the legal unit" + _BORN, ("creation",), "coalesce(creation, date '1900-01-01')"),
    "sirene_histo": KnownFrom("`date_debut` of the period", ("date_debut",), "coalesce(date_debut, date '1900-01-01')"),
    "sirene_tranche": KnownFrom(
        "{tranche_months} months after the end of its year, or its delivery when earlier",
        ("annee_effectif",),
        "make_date(annee_effectif, 12, 31) + to_months($tranche_months)",
    ),
    "admin_urssaf": _DELIVERED,
    "effectif_ent": KnownFrom("{effectif_months} months after its month", ("periode",), "periode + to_months($effectif_months)"),
    "effectif": KnownFrom("{effectif_months} months after its month", ("periode",), "periode + to_months($effectif_months)"),
    "cotisation": KnownFrom(
        "{cotisation_days} days after the first of the month, {cotisation_months} month after the month of `periode_fin`",
        ("periode_fin",),
        "date_trunc('month', periode_fin) + to_months($cotisation_months) + to_days($cotisation_days)",
    ),
    "debit": KnownFrom("`date_traitement`", ("date_traitement",), "date_traitement"),
    "delai": KnownFrom("`date_creation`", ("date_creation",), "date_creation"),
    "ccsf": KnownFrom("`date_traitement`", ("date_traitement",), "date_traitement"),
    "procol": KnownFrom("`date_effet` + {procol_days} days", ("date_effet",), "date_effet + to_days($procol_days)"),
    "apconso": KnownFrom(
        "the first day of the month, {apconso_months} months after its month",
        ("periode",),
        "date_trunc('month', periode) + to_months($apconso_months)",
    ),
    "apdemande": KnownFrom("`date_statut`", ("date_statut",), "date_statut"),
    "paydex": KnownFrom("`date_valeur` + {paydex_months} month", ("date_valeur",), "date_valeur + to_months($paydex_months)"),
    "declarations_indmap": KnownFrom(
        "`date_depot`, otherwise closing date + {comptes_months} months",
        ("date_depot", "date_fin_exercice"),
        "coalesce(date_depot, date_fin_exercice + to_months($comptes_months))",
    ),
    "declarations_af": KnownFrom(
        "with its `declarations_indmap`", (*_EXERCISE, "no_ocfi", "annee_exercice"), follows="declarations_indmap"
    ),
    "ratios_dirco": KnownFrom("with its `declarations_indmap`", _EXERCISE, follows="declarations_indmap"),
    "ratios_inpi_bce": KnownFrom(
        "closing date + {comptes_months} months", ("date_cloture_exercice",), _CLOSED % "comptes_months"
    ),
    "tva_ca3": KnownFrom("`date_depot`", ("date_depot",), "date_depot"),
    "tva_ca12": KnownFrom("`date_depot`", ("date_depot",), "date_depot"),
    "ellisphere": _DELIVERED,
    "bdf": KnownFrom("closing date + {bilans_months} months", ("date_cloture_exercice",), _CLOSED % "bilans_months"),
    "diane": KnownFrom("closing date + {bilans_months} months", ("date_cloture_exercice",), _CLOSED % "bilans_months"),
    "bodacc": KnownFrom("`dateparution`", ("date_parution",), "date_parution"),
    "acces": _DELIVERED,
    "retour": _DELIVERED,
    "filter": _DELIVERED,
})  # fmt: skip


def day_of(source: str, delays: Mapping[str, int]) -> str:
    """Return the SQL of the day from which a record of a dated source is known, on the columns of its staging table.

    >>> day_of("procol", {"procol_days": 30})
    'cast(date_effet + to_days(30) as date)'
    """
    known = KNOWN[source]
    if known.follows:
        same = " and ".join(f"followed.{column} = stg_{source}.{column}" for column in known.columns)
        return f"(select min({day_of(known.follows, delays)}) from stg_{known.follows} as followed where {same})"
    return f"cast({_DELAY.sub(lambda delay: str(delays[delay[1]]), known.sql)} as date)"


def rules_called_by(query: str) -> tuple[str, ...]:
    """Return the rules behind the `known_from_<source>` that a query calls, with the default delays: text for code versions.

    >>> rules_called_by("select known_from_procol(date_effet) from stg_procol")
    ('procol: cast(date_effet + to_days(30) as date)',)
    """
    called = sorted(set(_CALL.findall(query)) & KNOWN.keys())
    return tuple(
        f"{source}: {day_of(source, DELAYS) if KNOWN[source].sql else 'month of delivery'}" for source in called
    )


def settings_called_by(query: str) -> tuple[str, ...]:
    """Return the delays that the `known_from_<source>` of a query depend on, as names of settings.

    >>> settings_called_by("select known_from_procol(date_effet) from stg_procol")
    ('delays.procol_days',)
    """
    called = set(_CALL.findall(query)) & KNOWN.keys()
    return tuple(sorted({f"delays.{delay}" for source in called for delay in _DELAY.findall(KNOWN[source].sql)}))


def define_known_from(
    connection: duckdb.DuckDBPyConnection, delays: Mapping[str, int], delivered: Mapping[str, date] | None = None
) -> None:
    """Create the macros `known_from_<source>` in a connection.

    `delivered` is the month in which each source without dates was delivered; the day is NULL for a source without a month.
    """
    for source, known in KNOWN.items():
        if known.sql:
            arguments, day = ", ".join(known.columns), day_of(source, delays)
        elif not known.follows:
            month = (delivered or {}).get(source)
            arguments, day = "", f"date '{month}'" if month else "cast(null as date)"
        else:
            continue
        connection.execute(f"create or replace temp macro known_from_{source}({arguments}) as {day}")
