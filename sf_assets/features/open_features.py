"""The features that open data alone give, besides those of the full mode that have open sources only."""

from sf_assets.features.feature import EFFECTIF, FINANCES, PROFIL, Feature, Unit

_RATIOS = ("ratios_inpi_bce",)
_STATES = ("sirene_histo",)
_BANDS = ("sirene_tranche",)


def _ratio(name: str, label: str, risk: int, reason: str, phrase: str, *, unit: Unit = "share") -> Feature:
    return Feature(name, label, FINANCES, unit, _RATIOS, reason, phrase, risk)


OPEN_ALONE: tuple[Feature, ...] = (
    Feature("tranche_effectif", "Effectif de la tranche INSEE, au moins", EFFECTIF, "person", _BANDS, "size of the company, one to two years before", "Effectif d'au moins {value}"),
    Feature("age_tranche", "Ancienneté de la tranche d'effectif", EFFECTIF, "month", _BANDS, "an old band says that the company employs no longer, or less", "Tranche d'effectif connue depuis {value}"),
    Feature("tranche_variation12m", "Changement de tranche d'effectif en un an", EFFECTIF, "count", _BANDS, "a company that moves to a smaller band lost much of its staff", "La tranche d'effectif de l'INSEE {evolution} en un an, en nombre de tranches", -1),
    Feature("tranche_variation36m", "Changement de tranche d'effectif en trois ans", EFFECTIF, "count", _BANDS, "a decline that lasts", "La tranche d'effectif de l'INSEE {evolution} en trois ans, en nombre de tranches", -1),
    Feature("age_comptes_publies", "Ancienneté des derniers comptes publiés", FINANCES, "month", _RATIOS, "accounts that stop being published are a signal, and old ones predict less", "Les derniers comptes publiés datent de {value}", 1),
    Feature("depot_manquant", "Comptes attendus et non publiés", FINANCES, "flag", _RATIOS, "companies in difficulty deposit late, or no longer", "Les comptes attendus n'ont pas été publiés", 1),
    Feature("exercices_publies_60m", "Exercices publiés en cinq ans", FINANCES, "count", _RATIOS, "regular deposits differ from isolated ones", "Exercices publiés en cinq ans : {value}", -1),
    Feature("comptes_confidentiels", "Comptes publiés en partie", FINANCES, "flag", _RATIOS, "a company chooses to hide its income statement", "Les comptes ne sont publiés qu'en partie"),
    _ratio("marge_ebe_publiee", "Marge brute d'exploitation publiée", -1, "what the activity earns", "L'excédent brut d'exploitation publié représente {value} du chiffre d'affaires"),
    _ratio("resultat_sur_ca_publie", "Résultat net publié sur chiffre d'affaires", -1, "losses eat the own funds", "Le résultat net publié représente {value} du chiffre d'affaires"),
    _ratio("autonomie_publiee", "Autonomie financière publiée", -1, "own funds bear losses", "Les capitaux propres publiés représentent {value} du bilan"),
    _ratio("liquidite_publiee", "Liquidité publiée", -1, "short-term assets pay short-term debts", "L'actif circulant publié vaut {value} fois les dettes à court terme", unit="ratio"),
    _ratio("endettement_publie", "Endettement publié sur fonds propres", 0, "debts against own funds; negative own funds invert the sign", "Endettement publié sur fonds propres : {value}", unit="ratio"),
    _ratio("credit_fournisseurs_publie", "Crédit des fournisseurs publié", 1, "suppliers are paid later when cash is short", "Les fournisseurs sont payés en {value} selon les comptes publiés", unit="day"),
    Feature("etablissements", "Établissements ouverts", PROFIL, "count", _STATES, "several sites share risks, or spread them", "Établissements ouverts : {value}"),
    Feature("departements_etablissements", "Départements des établissements ouverts", PROFIL, "count", ("sirene_histo", "sirene"), "a company of several territories", "Départements des établissements ouverts : {value}"),
    Feature("ouvertures_24m", "Établissements ouverts en 24 mois", PROFIL, "count", _STATES, "a company that grows spends before it earns", "Établissements ouverts en deux ans : {value}"),
    Feature("fermetures_24m", "Établissements fermés en 24 mois", PROFIL, "count", _STATES, "a company that retreats", "Établissements fermés en deux ans : {value}", 1),
    Feature("procedures_anterieures", "Années avec l'ouverture d'une procédure, sur dix ans", PROFIL, "count", ("bodacc",), "a company that failed once fails again more often", "Années avec l'ouverture d'une procédure collective, sur dix ans : {value}", 1),
    Feature("mois_calendaire", "Mois du calendrier", PROFIL, "month", ("sirene_ul",), "deposits of accounts and closings have seasons", "Mois du calendrier : {value}"),
)  # fmt: skip
