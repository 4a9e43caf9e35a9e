"""The feature tables. Their columns are the registry's features and what the queries hand over to one another."""

from sf_assets.features.registry import BY_NAME, FEATURES, RATIOS, WIDE, Feature
from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.schema import Column, Rule, Table, between

_ADVICE_SHARE = "Shares lie between 0 and 1: look at the unit of the source."


def _column(feature: Feature) -> Column:
    return Column(feature.name, "DOUBLE", f"{feature.label}: {feature.reason}", unit=feature.unit, non_identifying=True)


def _features(names: str) -> tuple[Column, ...]:
    return tuple(_column(BY_NAME[name]) for name in names.split())


def _lagged(name: str, meaning: str) -> Column:
    return Column(name, "DOUBLE", meaning, non_identifying=True)


def _positive(column: str) -> Rule:
    return between(column, 0, None, "Amounts and counts are not negative: look at the query and its source.")


COMPANY_MONTH = Table(
    name="feat_company_month",
    grain="one company of the perimeter that employed people and was active at the month's cut-off",
    columns=(
        *pick("siren raison_sociale siret_siege code_commune departement libelle_region"),
        Column("code_naf", "VARCHAR", "main activity, NAF rev. 2, of the legal unit, otherwise of its seat"),
        *pick("naf_section"),
        Column("code_naf25", "VARCHAR", "main activity, NAF 2025, of the legal unit, otherwise of its seat"),
        *pick("naf25_section nomenclature_activite origine_naf origine_naf25"),
        *pick("categorie_juridique"),
        Column("procedure_connue", "VARCHAR", "collective procedure known at the cut-off, NULL when none"),
        *_features("age_entreprise demenagements_24m taille_groupe"),
    ),
    key=("siren",),
    partition_by_month=True,
)

EFFECTIF = Table(
    name="feat_effectif",
    grain="one company with a head-count known at the cut-off",
    columns=(
        *pick("siren"),
        Column("effectif", "INTEGER", "last head-count known", unit="person"),
        Column("effectif_lag3m", "INTEGER", "the same three months before", unit="person"),
        Column("effectif_lag12m", "INTEGER", "the same twelve months before", unit="person"),
        Column("effectif_lag24m", "INTEGER", "the same twenty-four months before", unit="person"),
    ),
    key=("siren",),
    partition_by_month=True,
)

_STOCKS = " ".join(
    " ".join((part, *(f"{part}_lag{n}m" for n in (1, 2, 3, 6, 12)), *(f"{part}_mean{n}m" for n in (3, 6, 12))))
    for part in ("dette_sociale_ouvriere", "dette_sociale_patronale")
)

DETTE = Table(
    name="feat_dette",
    grain="one company that owes, contributes to or agrees a payment plan with URSSAF",
    columns=(
        *pick("siren"),
        *_features("cotisation cotisation_mean3m cotisation_mean6m cotisation_mean12m"),
        _lagged("cotisation_mean12m_lag6m", "mean contributions six months before"),
        *_features(_STOCKS),
        Column(
            "dette_nouvelle_12m", "DOUBLE", "what debts grew by in the months they grew, of the last twelve", unit="€"
        ),
        Column("mois_en_dette_12m", "BIGINT", "months with a debt, of the last twelve", unit="month"),
        Column("mois_en_dette_24m", "BIGINT", "months with a debt, of the last twenty-four", unit="month"),
        Column("delais_demandes_24m", "BIGINT", "payment plans granted in the last twenty-four months"),
        Column("delais_respectes_24m", "BIGINT", "plans that ended in these months with nothing owed"),
        Column("delais_rompus_24m", "BIGINT", "plans that ended in these months with a debt"),
    ),
    key=("siren",),
    partition_by_month=True,
    rules=(_positive("dette_sociale_ouvriere"), _positive("dette_sociale_patronale")),
)

ACTIVITE_PARTIELLE = Table(
    name="feat_activite_partielle",
    grain="one company with short-time work in the year before the cut-off",
    columns=(
        *pick("siren"),
        *_features("ap_heures_consommees ap_heures_autorisees"),
        Column("ap_heures_consommees_12m", "DOUBLE", "hours consumed over twelve months", unit="hour"),
    ),
    key=("siren",),
    partition_by_month=True,
    rules=(_positive("ap_heures_consommees"), _positive("ap_heures_autorisees")),
    may_be_empty=True,
)

PAIEMENT = Table(
    name="feat_paiement",
    grain="one company whose payment behaviour was measured within a year",
    columns=(
        *pick("siren"),
        *_features("paydex fpi_30 fpi_90 paydex_diff12m fpi_30_diff12m fpi_90_diff12m paydex_mean12m"),
    ),
    key=("siren",),
    partition_by_month=True,
    rules=(between("fpi_30", 0, 1, _ADVICE_SHARE), between("fpi_90", 0, 1, _ADVICE_SHARE)),
    may_be_empty=True,
)

_CHANGES = "ebe_sur_ca_diff12m rentabilite_economique_diff12m solidite_financiere_diff12m"
_OPEN = "ca_variation12m caf_sur_ca couverture_des_interets"

COMPTES = Table(
    name="feat_comptes",
    grain="one company with accounts closed less than two years before the cut-off",
    columns=(*pick("siren"), *_features(f"{' '.join(RATIOS)} age_comptes {_CHANGES} {_OPEN}")),
    key=("siren",),
    partition_by_month=True,
    rules=(_positive("age_comptes"),),
    may_be_empty=True,
)

CONTEXTE = Table(
    name="feat_contexte",
    grain="one sector, territory or legal form, with its failures of the last published twelve months",
    columns=(
        Column("axe", "VARCHAR", "what companies have in common: section, departement or forme"),
        Column("code", "VARCHAR", "section of NAF rev. 2, departement, or the first two digits of the legal category"),
        Column(
            "entreprises", "BIGINT", "companies followed at the cut-off, or that failed in the twelve months before"
        ),
        Column("defaillantes", "BIGINT", "those that failed, as published by the cut-off"),
        Column("taux_defaillance", "DOUBLE", "their share, small groups drawn towards the country", unit="share"),
    ),
    key=("axe", "code"),
    partition_by_month=True,
    rules=(between("taux_defaillance", 0, 1, _ADVICE_SHARE),),
)

MATRIX = Table(
    name="feat_matrix",
    grain="one company of the perimeter with every feature as known at the cut-off",
    columns=(*pick("siren"), *(_column(feature) for feature in FEATURES)),
    key=("siren",),
    partition_by_month=True,
    rules=(
        _positive("effectif"),
        _positive("dette_par_effectif"),
    ),
)

# In the order of the flow: each reads those before it.
TABLES = (EFFECTIF, COMPANY_MONTH, CONTEXTE, DETTE, ACTIVITE_PARTIELLE, PAIEMENT, COMPTES, MATRIX)

LAGS = Table(
    name="feat_lags",
    grain="one company of the perimeter with what the configuration of 100 features adds to the matrix",
    columns=(*pick("siren"), *(_column(feature) for feature in WIDE)),
    key=("siren",),
    partition_by_month=True,
)
