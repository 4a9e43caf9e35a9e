"""The feature tables: one per family of features, the matrix that models read, and its lags.

A family's table has the columns of its query. Those that bear the name of a feature are described by the registry, so that
a new feature is not declared here; this module declares the identity of companies and the intermediate quantities.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sf_assets.features.queries import feature_query
from sf_assets.features.registry import BY_NAME, FEATURES_OF, WIDE, Feature
from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.modes import FULL, OPEN, Mode
from sf_assets.vocabulary.schema import Column, Rule, Table, between

_ADVICE_SHARE = "Shares lie between 0 and 1: check the unit of the source."


def _column(feature: Feature) -> Column:
    return Column(feature.name, "DOUBLE", f"{feature.label}: {feature.reason}", unit=feature.unit, non_identifying=True)


def _columns_of(name: str, *declared: Column) -> tuple[Column, ...]:
    """Return the columns that the query `name` selects, in its order, without `month`.

    `declared` describes the columns that are no feature, and features whose type here is not that of the matrix.

    Raises:
        ValueError: the query selects a column that is neither declared nor a feature, or lacks a declared one.

    """
    known = {column.name: column for column in declared}
    selected = [column for column in feature_query(name).columns if column != "month"]
    if unknown := [column for column in selected if column not in known and column not in BY_NAME]:
        raise ValueError(
            f"{name}.sql: expected columns of features/registry.py or features/tables.py, found {', '.join(unknown)}. "
            "Correct the name, or add the feature to the registry."
        )
    if absent := known.keys() - selected:
        raise ValueError(f"{name}.sql: expected columns {', '.join(sorted(absent))}, found none. Select them.")
    return tuple(known.get(column) or _column(BY_NAME[column]) for column in selected)


def _not_negative(column: str) -> Rule:
    return between(column, 0, None, "Amounts and counts are not negative: check the query and its source.")


COMPANY_MONTH = Table(
    name="feat_company_month",
    grain="one company of the perimeter that employed people and was active at the month's cut-off",
    columns=_columns_of(
        "feat_company_month",
        *pick("siren raison_sociale siret_siege code_commune departement libelle_region"),
        Column("code_naf", "VARCHAR", "main activity, NAF rev. 2, of the legal unit, otherwise of its head office"),
        *pick("naf_section"),
        Column("code_naf25", "VARCHAR", "main activity, NAF 2025, of the legal unit, otherwise of its head office"),
        *pick("naf25_section nomenclature_activite origine_naf origine_naf25"),
        *pick("categorie_juridique"),
        Column("procedure_connue", "VARCHAR", "collective procedure known at the cut-off, NULL when none"),
    ),
    key=("siren",),
    partition_by_month=True,
)

EFFECTIF = Table(
    name="feat_effectif",
    grain="one company with a head-count known at the cut-off",
    columns=_columns_of(
        "feat_effectif",
        *pick("siren"),
        Column("effectif", "INTEGER", "last head-count known", unit="person"),
        Column("effectif_lag3m", "INTEGER", "head-count three months before", unit="person"),
        Column("effectif_lag12m", "INTEGER", "head-count twelve months before", unit="person"),
        Column("effectif_lag24m", "INTEGER", "head-count twenty-four months before", unit="person"),
    ),
    key=("siren",),
    partition_by_month=True,
)

DETTE = Table(
    name="feat_dette",
    grain="one company that owed, contributed to or agreed a payment plan with URSSAF in the last twenty-four months",
    columns=_columns_of(
        "feat_dette",
        *pick("siren"),
        Column("cotisation_mean12m_lag6m", "DOUBLE", "mean contributions, six months before", non_identifying=True),
        Column("dette_nouvelle_12m", "DOUBLE", "sum of the increases of debts over the last twelve months", unit="€"),
        Column("mois_en_dette_12m", "BIGINT", "months with a debt, of the last twelve", unit="month"),
        Column("mois_en_dette_24m", "BIGINT", "months with a debt, of the last twenty-four", unit="month"),
        Column("delais_demandes_24m", "BIGINT", "payment plans granted in the last twenty-four months"),
        Column("delais_respectes_24m", "BIGINT", "plans that ended in these months with nothing owed"),
        Column("delais_rompus_24m", "BIGINT", "plans that ended in these months with a debt"),
    ),
    key=("siren",),
    partition_by_month=True,
    rules=(_not_negative("dette_sociale_ouvriere"), _not_negative("dette_sociale_patronale")),
)

ACTIVITE_PARTIELLE = Table(
    name="feat_activite_partielle",
    grain="one company with short-time work in the year before the cut-off",
    columns=_columns_of(
        "feat_activite_partielle",
        *pick("siren"),
        Column("ap_heures_consommees_12m", "DOUBLE", "hours consumed over twelve months", unit="hour"),
    ),
    key=("siren",),
    partition_by_month=True,
    rules=(_not_negative("ap_heures_consommees"), _not_negative("ap_heures_autorisees")),
    may_be_empty=True,
)

PAIEMENT = Table(
    name="feat_paiement",
    grain="one company whose payment behaviour was measured within a year",
    columns=_columns_of("feat_paiement", *pick("siren")),
    key=("siren",),
    partition_by_month=True,
    rules=(between("fpi_30", 0, 1, _ADVICE_SHARE), between("fpi_90", 0, 1, _ADVICE_SHARE)),
    may_be_empty=True,
)

COMPTES = Table(
    name="feat_comptes",
    grain="one company with accounts closed less than two years before the cut-off",
    columns=_columns_of("feat_comptes", *pick("siren")),
    key=("siren",),
    partition_by_month=True,
    rules=(_not_negative("age_comptes"),),
    may_be_empty=True,
)

CONTEXTE = Table(
    name="feat_contexte",
    grain="one sector, territory or legal form, with the failures of its companies published in the last twelve months",
    columns=_columns_of(
        "feat_contexte",
        Column("axe", "VARCHAR", "characteristic that companies share: section, departement or forme"),
        Column("code", "VARCHAR", "section of NAF rev. 2, departement, or the first two digits of the legal category"),
        Column(
            "entreprises", "BIGINT", "companies followed at the cut-off, or that failed in the twelve months before"
        ),
        Column("defaillantes", "BIGINT", "companies that failed, as published by the cut-off"),
        Column("taux_defaillance", "DOUBLE", "share that failed, small groups drawn towards the country", unit="share"),
    ),
    key=("axe", "code"),
    partition_by_month=True,
    rules=(between("taux_defaillance", 0, 1, _ADVICE_SHARE),),
)

TRANCHE = Table(
    name="feat_tranche",
    grain="one company with a staff band known at the cut-off",
    columns=_columns_of("feat_tranche", *pick("siren")),
    key=("siren",),
    partition_by_month=True,
    rules=(_not_negative("tranche_effectif"), _not_negative("age_tranche")),
)

REGISTRE = Table(
    name="feat_registre",
    grain="one company of the perimeter with what open data alone say of it",
    columns=_columns_of("feat_registre", *pick("siren")),
    key=("siren",),
    partition_by_month=True,
    rules=(_not_negative("etablissements"), _not_negative("age_comptes_publies")),
)

_NOT_NEGATIVE: Mapping[Mode, tuple[str, ...]] = MappingProxyType(
    {FULL: ("effectif", "dette_par_effectif"), OPEN: ("tranche_effectif", "etablissements")}
)


def matrix_of(mode: Mode) -> Table:
    """Return the table that the models of a mode read: it has the features of the mode."""
    return Table(
        name="feat_matrix",
        grain="one company of the perimeter with every feature as known at the cut-off",
        columns=(*pick("siren"), *(_column(feature) for feature in FEATURES_OF[mode])),
        key=("siren",),
        partition_by_month=True,
        rules=tuple(_not_negative(name) for name in _NOT_NEGATIVE[mode]),
    )


MATRIX = matrix_of(FULL)


def tables_of(mode: Mode) -> tuple[Table, ...]:
    """Return the feature tables in dependency order, those of the other mode included: each reads those before it."""
    return (
        EFFECTIF,
        TRANCHE,
        COMPANY_MONTH,
        CONTEXTE,
        DETTE,
        ACTIVITE_PARTIELLE,
        PAIEMENT,
        COMPTES,
        REGISTRE,
        matrix_of(mode),
    )


TABLES = tables_of(FULL)

LAGS = Table(
    name="feat_lags",
    grain="one company of the perimeter with the features that the configuration of 100 adds to the matrix",
    columns=(*pick("siren"), *(_column(feature) for feature in WIDE)),
    key=("siren",),
    partition_by_month=True,
)
