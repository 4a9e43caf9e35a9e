"""The registry of features: name, label, unit, sources and reason of each.

The queries of this folder compute a column of the same name. Checks, models, the reasons displayed to public officers and
the documentation read this registry. It has the 25 base features of the former production model, with lags, means and
differences over calendar months, and features added since. `configurations.py` lists the features that models read.

The day from which a value is known depends on its sources: see `sources/known.py`.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from sf_assets.features.feature import (
    ACTIVITE_PARTIELLE,
    DETTE,
    EFFECTIF,
    FINANCES,
    PAIEMENT,
    PROFIL,
    THEMES,
    Feature,
    Unit,
)
from sf_assets.features.open_features import OPEN_ALONE
from sf_assets.vocabulary.modes import FULL, OPEN, Mode


def _lags(feature: Feature, months: tuple[int, ...]) -> tuple[Feature, ...]:
    return tuple(
        replace(
            feature,
            name=f"{feature.name}_lag{n}m",
            label=f"{feature.label}, {n} mois plus tôt",
            phrase=f"{feature.label}, il y a {n} mois : {{value}}",
            reason=f"shows whether today's value is new: the same quantity {n} month{'s' if n > 1 else ''} before",
            risk=0,
        )
        for n in months
    )


def _means(feature: Feature, months: tuple[int, ...]) -> tuple[Feature, ...]:
    return tuple(
        replace(
            feature,
            name=f"{feature.name}_mean{n}m",
            label=f"{feature.label}, moyenne de {n} mois",
            phrase=f"{feature.label}, en moyenne sur {n} mois : {{value}}",
            reason=f"the same quantity over {n} months, without isolated values",
        )
        for n in months
    )


_COTISATION = Feature(
    "cotisation", "Cotisations dues du dernier mois connu", DETTE, "€", ("cotisation",),
    "the scale of debts", "Cotisations dues du dernier mois connu : {value}",
)  # fmt: skip
_OUVRIERE = Feature(
    "dette_sociale_ouvriere", "Dette URSSAF, part ouvrière", DETTE, "€", ("debit",),
    "withheld from wages and not paid over: the most serious debt", "Dette URSSAF, part ouvrière : {value}", 1, 0,
)  # fmt: skip
_PATRONALE = Feature(
    "dette_sociale_patronale", "Dette URSSAF, part patronale", DETTE, "€", ("debit",),
    "the first bill left unpaid when cash is short", "Dette URSSAF, part patronale : {value}", 1, 0,
)  # fmt: skip


def _ratio(name: str, label: str, risk: int, unit: Unit = "ratio", phrase: str = "") -> Feature:
    # A ratio that may be a reason on the list has a phrase that explains what it compares.
    return Feature(
        name, label, FINANCES, unit, ("declarations_indmap", "declarations_af", "ratios_dirco"),
        "one of the fifteen ratios of the tax administration's statements", phrase or label + " : {value}", risk,
    )  # fmt: skip


def _change(ratio: str, subject: str) -> Feature:
    return Feature(
        f"{ratio}_diff12m", f"{subject}, évolution en un an", FINANCES, "point",
        ("declarations_indmap", "declarations_af", "ratios_dirco"),
        "accounts that worsen predict more than accounts that are stably poor", subject + " {evolution} entre deux exercices", -1,
    )  # fmt: skip


def _context(axis: str, whose: str, where: str) -> Feature:
    return Feature(
        f"taux_defaillance_{axis}", f"Part des entreprises {whose} défaillantes en 12 mois", PROFIL, "share",
        ("procol", "bodacc", "sirene_ul", "effectif_ent"),
        "failures cluster by sector, territory and legal form; the last published year shows where", where + ", {value} des entreprises ont été défaillantes en un an", 1,
    )  # fmt: skip


_RATIOS = (
    _ratio("dette_nette_sur_caf", "Dette nette sur capacité d'autofinancement", 1, phrase="La dette nette vaut {value} fois la capacité d'autofinancement d'une année"),
    _ratio("dette_a_terme_sur_k_propres", "Dette à terme sur capitaux propres", 0),
    _ratio("ebe_sur_ca", "Excédent brut d'exploitation sur chiffre d'affaires", -1, "share", "L'excédent brut d'exploitation représente {value} du chiffre d'affaires"),
    _ratio("va_sur_effectif", "Valeur ajoutée par salarié", -1, "€/person", "La valeur ajoutée est de {value} par salarié"),
    _ratio("charges_personnel_sur_va", "Charges de personnel sur valeur ajoutée", 1, "share", "Les charges de personnel représentent {value} de la valeur ajoutée"),
    _ratio("stocks_sur_ca", "Stocks sur chiffre d'affaires", 0, "share"),
    _ratio("liquidite_absolue", "Liquidité absolue", -1, phrase="L'actif circulant vaut {value} fois le passif circulant"),
    _ratio("liquidite_generale", "Liquidité générale", -1, phrase="La trésorerie vaut {value} fois l'actif circulant"),
    _ratio("liquidite_reduite", "Liquidité réduite", -1, phrase="L'actif à court terme, hors stocks, vaut {value} fois les dettes à court terme"),
    _ratio("delai_paiement_sur_delai_encaissement", "Délai de paiement sur délai d'encaissement", 0),
    _ratio("k_propres_sur_k_social", "Capitaux propres sur capital social", -1, phrase="Les capitaux propres valent {value} fois le capital social"),
    _ratio("bfr_sur_k_propres", "Besoin en fonds de roulement sur capitaux propres", 0),
    _ratio("taux_investissement", "Taux d'investissement", 0, "share"),
    _ratio("rentabilite_economique", "Rentabilité économique", -1, "share", "La rentabilité économique est de {value}"),
    _ratio("solidite_financiere", "Solidité financière", -1, "share", "Les capitaux propres représentent {value} du bilan"),
)  # fmt: skip
RATIOS = tuple(feature.name for feature in _RATIOS)

FEATURES: tuple[Feature, ...] = (
    _COTISATION,
    Feature("cotisation_mean12m", "Cotisations dues, moyenne de 12 mois", DETTE, "€", ("cotisation",), "the scale of debts, without seasons", "Cotisations dues en moyenne sur 12 mois : {value}"),
    Feature("cotisation_variation3m", "Cotisations dues de 3 mois rapportées à celles de 12 mois", DETTE, "share", ("cotisation",), "the payroll shrinks or grows", "Le montant mensuel des cotisations dues {evolution} par rapport à la moyenne de l'année", -1),
    _OUVRIERE,
    *_lags(_OUVRIERE, (1, 2, 3, 6, 12)),
    _PATRONALE,
    *_lags(_PATRONALE, (1, 2, 3, 6, 12)),
    Feature("dette_sur_cotisation_mean12m", "Dette URSSAF rapportée à un mois de cotisations", DETTE, "ratio", ("debit", "cotisation"), "months of contributions left unpaid", "La dette URSSAF représente {value} mois de cotisations", 1),
    Feature("dette_sur_cotisation_diff6m", "Évolution sur 6 mois de la dette URSSAF en mois de cotisations", DETTE, "ratio", ("debit", "cotisation"), "a debt that grows is worse than an old one", "La dette URSSAF {evolution} mois de cotisations en six mois", 1),
    Feature("dette_par_effectif", "Dette URSSAF par salarié", DETTE, "€/person", ("debit", "effectif_ent"), "debt at the scale of the company", "Dette URSSAF de {value} par salarié", 1),
    Feature("dette_par_effectif_diff3m", "Évolution sur 3 mois de la dette URSSAF par salarié", DETTE, "€/person", ("debit", "effectif_ent"), "a recent slide", "La dette URSSAF par salarié {evolution} en trois mois", 1),
    Feature("dette_nouvelle_sur_cotisation_12m", "Dette URSSAF apparue en 12 mois, en mois de cotisations", DETTE, "ratio", ("debit", "cotisation"), "amounts left unpaid during the year, even if paid since", "La dette URSSAF apparue en un an représente {value} mois de cotisations", 1),
    Feature("mois_en_dette_12m", "Mois avec une dette URSSAF sur les 12 derniers", DETTE, "month", ("debit",), "a repeated debt differs from an isolated one", "Une dette URSSAF pendant {value} sur les 12 derniers", 1, absent=0),
    Feature("mois_en_dette_24m", "Mois avec une dette URSSAF sur les 24 derniers", DETTE, "month", ("debit",), "debts repeated over more than one year", "Une dette URSSAF pendant {value} sur les 24 derniers", 1, absent=0),
    Feature("delai_en_cours", "Délai de paiement URSSAF en cours", DETTE, "flag", ("delai",), "a plan shows a difficulty and helps to solve it", "Un délai de paiement URSSAF est en cours"),
    Feature("delais_demandes_24m", "Délais de paiement URSSAF obtenus en 24 mois", DETTE, "count", ("delai",), "repeated plans show a lasting lack of cash", "Délais de paiement URSSAF obtenus en deux ans : {value}", absent=0),
    Feature("delais_respectes_24m", "Délais de paiement URSSAF soldés en 24 mois", DETTE, "count", ("delai", "debit"), "a plan that ended without debt was respected", "Délais de paiement URSSAF arrivés à terme sans dette en deux ans : {value}", absent=0),
    Feature("delais_rompus_24m", "Délais de paiement URSSAF non soldés en 24 mois", DETTE, "count", ("delai", "debit"), "a plan that ended with a debt was not enough", "Délais de paiement URSSAF arrivés à terme avec une dette en deux ans : {value}", 1, absent=0),
    Feature("effectif", "Effectif", EFFECTIF, "person", ("effectif_ent",), "size of the company", "Effectif : {value}"),
    Feature("effectif_variation3m", "Variation de l'effectif sur 3 mois", EFFECTIF, "share", ("effectif_ent",), "people leave, or are let go, now", "L'effectif {evolution} en trois mois", -1),
    Feature("effectif_variation12m", "Variation de l'effectif sur 12 mois", EFFECTIF, "share", ("effectif_ent",), "companies in difficulty stop replacing people", "L'effectif {evolution} en un an", -1),
    Feature("effectif_variation24m", "Variation de l'effectif sur 24 mois", EFFECTIF, "share", ("effectif_ent",), "a decline that lasts", "L'effectif {evolution} en deux ans", -1),
    Feature("ap_heures_consommees", "Heures d'activité partielle consommées", ACTIVITE_PARTIELLE, "hour", ("apconso",), "work is missing", "Activité partielle consommée : {value}", 1, absent=0),
    Feature("ap_heures_autorisees", "Heures d'activité partielle autorisées", ACTIVITE_PARTIELLE, "hour", ("apdemande",), "work is expected to be missing", "Activité partielle autorisée : {value}", 1, absent=0),
    Feature("ap_consommee_par_effectif", "Activité partielle consommée par salarié", ACTIVITE_PARTIELLE, "hour/person", ("apconso", "effectif_ent"), "lack of work at the scale of the company", "Activité partielle consommée de {value} par salarié sur le dernier mois connu", 1),
    Feature("ap_autorisee_par_effectif", "Activité partielle autorisée par salarié", ACTIVITE_PARTIELLE, "hour/person", ("apdemande", "effectif_ent"), "expected lack of work at the scale of the company", "Activité partielle autorisée de {value} par salarié pour le mois", 1),
    Feature("ap_consommee_par_effectif_mean12m", "Activité partielle par salarié, moyenne de 12 mois", ACTIVITE_PARTIELLE, "hour/person", ("apconso", "effectif_ent"), "lasting lack of work at the scale of the company", "Activité partielle de {value} par salarié et par mois sur un an", 1),
    Feature("paydex", "Retard moyen de paiement aux fournisseurs", PAIEMENT, "day", ("paydex",), "suppliers are paid after URSSAF has been", "Les fournisseurs sont payés avec {value} de retard", 1),
    Feature("paydex_diff12m", "Évolution sur 12 mois du retard de paiement", PAIEMENT, "day", ("paydex",), "payment behaviour that changes", "Le retard de paiement aux fournisseurs {evolution} en un an", 1),
    Feature("paydex_mean12m", "Retard moyen de paiement aux fournisseurs, moyenne de 12 mois", PAIEMENT, "day", ("paydex",), "payment behaviour without the variation of a month", "Les fournisseurs ont été payés avec {value} de retard en moyenne sur un an", 1),
    Feature("fpi_30", "Part des factures en retard de plus de 30 jours", PAIEMENT, "share", ("paydex",), "late invoices", "{value} des factures ont plus de 30 jours de retard", 1),
    Feature("fpi_30_diff12m", "Évolution sur 12 mois de la part des factures en retard de plus de 30 jours", PAIEMENT, "point", ("paydex",), "late invoices become more frequent", "La part des factures en retard de plus de 30 jours {evolution} en un an", 1),
    Feature("fpi_90", "Part des factures en retard de plus de 90 jours", PAIEMENT, "share", ("paydex",), "very late invoices", "{value} des factures ont plus de 90 jours de retard", 1),
    Feature("fpi_90_diff12m", "Évolution sur 12 mois de la part des factures en retard de plus de 90 jours", PAIEMENT, "point", ("paydex",), "late invoices become more frequent", "La part des factures en retard de plus de 90 jours {evolution} en un an", 1),
    *_RATIOS,
    Feature("age_comptes", "Ancienneté des derniers comptes connus", FINANCES, "month", ("declarations_indmap",), "old accounts predict less, and late filing is itself a signal", "Les derniers comptes connus datent de {value}"),
    _change("ebe_sur_ca", "L'excédent brut d'exploitation sur chiffre d'affaires"),
    _change("rentabilite_economique", "La rentabilité économique"),
    _change("solidite_financiere", "La solidité financière"),
    Feature("ca_variation12m", "Variation annuelle du chiffre d'affaires publié", FINANCES, "share", ("ratios_inpi_bce",), "a fall of sales, which the ratios of statements do not show", "Le chiffre d'affaires publié {evolution} en un an", -1),
    Feature("caf_sur_ca", "Capacité d'autofinancement sur chiffre d'affaires", FINANCES, "share", ("ratios_inpi_bce",), "cash that the activity leaves for debts and investments", "La capacité d'autofinancement représente {value} du chiffre d'affaires", -1),
    Feature("couverture_des_interets", "Charges d'intérêts sur excédent brut d'exploitation", FINANCES, "share", ("ratios_inpi_bce",), "interest takes a share of the surplus; a negative surplus inverts the sign", "Charges d'intérêts sur excédent brut d'exploitation : {value}"),
    Feature("age_entreprise", "Âge de l'entreprise", PROFIL, "year", ("sirene_ul",), "failures are most frequent before six years", "Entreprise créée il y a {value}"),
    Feature("demenagements_24m", "Déménagements en 24 mois", PROFIL, "count", ("sirene_histo",), "a site that closes while another opens: growth or retreat", "Déménagements en deux ans : {value}"),
    Feature("taille_groupe", "Entreprises suivies du même groupe", PROFIL, "count", ("ellisphere",), "a group supports its companies, or fails with them", "Entreprises suivies du même groupe : {value}"),
    _context("section", "du secteur", "Dans ce secteur"),
    _context("departement", "du département", "Dans ce département"),
    _context("forme", "de même forme juridique", "Parmi les entreprises de même forme juridique"),
)  # fmt: skip

_MATRIX = {feature.name: feature for feature in FEATURES}
NAMES = tuple(_MATRIX)

# Features that only the configuration of 100 reads: columns of `feat_lags`, computed on demand.
WIDE: tuple[Feature, ...] = (
    *_means(_COTISATION, (3, 6)),
    *_means(_OUVRIERE, (3, 6, 12)),
    *_means(_PATRONALE, (3, 6, 12)),
    *(
        lag
        for name in ("paydex", "cotisation", "dette_sociale_ouvriere", "dette_sociale_patronale", "ap_heures_consommees", "dette_par_effectif", "effectif", *RATIOS)
        for lag in _lags(_MATRIX[name], (12, 24, 36))
        if lag.name not in _MATRIX
    ),
)  # fmt: skip

BY_NAME = _MATRIX | {feature.name: feature for feature in (*WIDE, *OPEN_ALONE)}

# Features of the full mode that open data give too.
_IN_BOTH = (
    "ca_variation12m", "caf_sur_ca", "couverture_des_interets", "age_entreprise", "demenagements_24m",
    "taux_defaillance_section", "taux_defaillance_departement", "taux_defaillance_forme",
)  # fmt: skip
FEATURES_OF: Mapping[Mode, tuple[Feature, ...]] = MappingProxyType(
    {FULL: FEATURES, OPEN: (*OPEN_ALONE, *(_MATRIX[name] for name in _IN_BOTH))}
)

__all__ = [
    "ACTIVITE_PARTIELLE", "BY_NAME", "DETTE", "EFFECTIF", "FEATURES", "FEATURES_OF", "FINANCES", "NAMES", "PAIEMENT", "PROFIL",
    "RATIOS", "THEMES", "WIDE", "Feature",
]  # fmt: skip
