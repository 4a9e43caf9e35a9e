"""Every column of the warehouse once: its type, unit and meaning. Features and model columns are declared beside their code.

A name means the same thing in every table; tables pick their columns here with `pick`.
"""

from sf_assets.schema import Column

SIREN = r"[0-9]{9}"
SIRET = r"[0-9]{14}"

_TEXT = "VARCHAR"
_DATE = "DATE"
_REAL = "DOUBLE"
_INT = "INTEGER"
_FLAG = "BOOLEAN"

_COLUMNS = (
    # who
    Column("siren", _TEXT, "company identifier, 9 digits kept as text", pattern=SIREN),
    Column("siret", _TEXT, "establishment identifier: siren followed by the 5 digits of the NIC", pattern=SIRET),
    Column("siege", _FLAG, "the establishment is the seat of its company"),
    Column("est_actif", _FLAG, "active according to Sirene (A), not ceased (C) nor closed (F)"),
    Column("raison_sociale", _TEXT, "name of the company; a natural person's name ends with EI"),
    Column("nom_unite_legale", _TEXT, "birth name of a natural person"),
    Column("nom_usage_unite_legale", _TEXT, "name in use of a natural person"),
    Column("prenom1_unite_legale", _TEXT, "first given name"),
    Column("prenom2_unite_legale", _TEXT, "second given name"),
    Column("prenom3_unite_legale", _TEXT, "third given name"),
    Column("prenom4_unite_legale", _TEXT, "fourth given name"),
    Column("categorie_juridique", _TEXT, "legal category, INSEE level III, 4 digits"),
    Column("activite_principale", _TEXT, "main activity of the legal unit, NAF rev. 2"),
    Column("activite_principale_naf25", _TEXT, "main activity of the legal unit, NAF 2025"),
    Column("creation", _DATE, "day the legal unit was created"),
    # where
    Column("complement_adresse", _TEXT, "address: building, stair, entrance"),
    Column("numero_voie", _TEXT, "address: number in the street"),
    Column("indrep", _TEXT, "address: BIS, TER, QUATER or QUINQUIES"),
    Column("type_voie", _TEXT, "address: kind of street, in full"),
    Column("voie", _TEXT, "address: name of the street"),
    Column("commune", _TEXT, "name of the commune"),
    Column("commune_etranger", _TEXT, "name of the town abroad"),
    Column("distribution_speciale", _TEXT, "address: special distribution (BP, CS)"),
    Column("code_commune", _TEXT, "INSEE code of the commune, 5 characters", pattern=r"[0-9][0-9AB][0-9]{3}"),
    Column("departement", _TEXT, "department, from the commune code: 2 characters, 3 overseas"),
    Column("code_cedex", _TEXT, "CEDEX code"),
    Column("cedex", _TEXT, "CEDEX office"),
    Column("code_pays_etranger", _TEXT, "country code, when abroad"),
    Column("pays_etranger", _TEXT, "country, when abroad"),
    Column("code_postal", _TEXT, "postal code, 5 digits", pattern=r"[0-9]{5}"),
    Column("longitude", _REAL, "longitude, WGS 84", unit="degree"),
    Column("latitude", _REAL, "latitude, WGS 84", unit="degree"),
    Column("adresse", _TEXT, "postal address on one to three lines"),
    Column("libelle_departement", _TEXT, "name of the department"),
    Column("region", _TEXT, "region code, 2 characters"),
    Column("libelle_region", _TEXT, "name of the region"),
    Column("siret_siege", _TEXT, "establishment identifier of the seat", pattern=SIRET),
    # what it does
    Column("ape", _TEXT, "main activity of the establishment, NAF rev. 2", pattern=r"[0-9]{2}\.[0-9]{2}[A-Z]"),
    Column("code_activite", _TEXT, "never filled by the producer"),
    Column("nomenclature_activite", _TEXT, "never filled by the producer"),
    Column("date_creation", _DATE, "day of creation"),
    Column("naf_section", _TEXT, "section letter, NAF rev. 2"),
    Column("libelle_naf_section", _TEXT, "name of the section, NAF rev. 2"),
    Column("libelle_activite_principale", _TEXT, "name of the activity, NAF rev. 2"),
    Column("naf25_section", _TEXT, "section letter, NAF 2025"),
    Column("libelle_naf25_section", _TEXT, "name of the section, NAF 2025"),
    Column("libelle_activite_principale_naf25", _TEXT, "name of the activity, NAF 2025"),
    Column("libelle_categorie_juridique", _TEXT, "name of the legal category"),
    Column("date_debut", _DATE, "first day of the state"),
    Column("date_fin", _DATE, "last day of the state, NULL while it lasts"),
    Column("changement_statut_actif", _FLAG, "the state differs from the one before"),
    # when
    Column("periode", _DATE, "month, as its first day"),
    Column("periode_debut", _DATE, "first day of the period"),
    Column("periode_fin", _DATE, "end of the period; exclusive for URSSAF periods, inclusive for short-time work"),
    # URSSAF
    Column("du", _REAL, "contributions due for the period", unit="€"),
    Column("compte", _TEXT, "URSSAF account"),
    Column("numero_compte", _TEXT, "URSSAF account of the debt"),
    Column("numero_ecart_negatif", _TEXT, "number of the debt within account and period"),
    Column("date_traitement", _DATE, "day URSSAF processed the event"),
    Column("part_ouvriere", _REAL, "debt: worker share left to pay", unit="€"),
    Column("part_patronale", _REAL, "debt: employer share left to pay", unit="€"),
    Column("numero_historique_ecart_negatif", _INT, "rank of the event in the life of the debt"),
    Column("etat_compte", _INT, "state of the account: 1 active, 2 suspended, 3 struck off"),
    Column("code_procedure_collective", _TEXT, "0 none, 1 under way, 2 plan under way, 9 without debt to URSSAF"),
    Column("code_operation_ecart_negatif", _TEXT, "operation that made the event"),
    Column("code_motif_ecart_negatif", _TEXT, "reason of the event"),
    Column("recours_en_cours", _FLAG, "an appeal is under way"),
    Column("periode_prise_en_compte", _DATE, "month of the event: days 21 and later belong to the next month"),
    Column("debit_id", _TEXT, "identity of a debt: siret, account, period, number"),
    Column("date_echeance", _DATE, "last day of the payment plan"),
    Column("duree_delai", _INT, "length of the payment plan", unit="day"),
    Column("montant_echeancier", _REAL, "amount covered by the payment plan", unit="€"),
    Column("stade", _TEXT, "stage of the plan"),
    Column("action", _TEXT, "scope of the plan"),
    Column("effectif", _INT, "head-count of the establishment", unit="person"),
    Column("effectif_ent", _INT, "head-count of the company", unit="person"),
    Column("is_last", _FLAG, "the last period known"),
    Column("is_latest", _FLAG, "the last period known for this identifier"),
    Column("date_effet", _DATE, "day the judgment takes effect"),
    Column("action_procol", _TEXT, "kind of procedure: liquidation, redressement, sauvegarde"),
    Column("stade_procol", _TEXT, "stage of the procedure"),
    Column("libelle_procol", _TEXT, "name of the situation, as public officers know it"),
    # short-time work
    Column("id_demande", _TEXT, "identifier of the demand"),
    Column("heures", _REAL, "hours of short-time work", unit="hour"),
    Column("montant", _REAL, "amount of short-time work", unit="€"),
    Column("date_statut", _DATE, "day the demand was decided"),
    Column("motif_recours", _INT, "reason of the demand, 1 to 7"),
    Column("etp_autorise", _REAL, "full-time equivalents authorised (total hours / 151.67, on every month)", unit="FTE"),
    Column("etp_consomme", _REAL, "full-time equivalents consumed (hours / 151.67)", unit="FTE"),
    Column("heures_autorisees", _REAL, "hours authorised, prorated by day", unit="hour"),
    Column("heures_consommees", _REAL, "hours consumed", unit="hour"),
    # payment behaviour
    Column("etat_organisation", _TEXT, "state of the company according to Altares"),
    Column("code_paydex", _TEXT, "paydex code"),
    Column("paydex", _REAL, "average delay of payment to suppliers", unit="day"),
    Column("n_fournisseurs", _REAL, "suppliers observed", unit="supplier"),
    Column("encours_etudies", _REAL, "amount of invoices observed", unit="€"),
    Column("fpi_30", _REAL, "FPI note: share of invoices more than 30 days late, 0 to 1 once clean (0 to 100 in staging)"),
    Column("fpi_90", _REAL, "FPI note: share of invoices more than 90 days late, 0 to 1 once clean (0 to 100 in staging)"),
    Column("date_valeur", _DATE, "day the payment behaviour was measured"),
)

FIELDS = {column.name: column for column in _COLUMNS}


def pick(names: str) -> tuple[Column, ...]:
    """Return the columns named in `names`, separated by blanks, in that order."""
    return tuple(FIELDS[name] for name in names.split())
