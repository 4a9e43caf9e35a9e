"""Columns of the staging and clean tables, each declared once: type, unit, meaning. Features are in `features/registry.py`.

A name means the same in every table; tables select their columns with `pick`.
"""

from sf_assets.vocabulary import provider_fields, tax_fields
from sf_assets.vocabulary.schema import Column

SIREN = r"[0-9]{9}"
SIRET = r"[0-9]{14}"

_TEXT = "VARCHAR"
_DATE = "DATE"
_REAL = "DOUBLE"
_INT = "INTEGER"
_FLAG = "BOOLEAN"

_COLUMNS = (
    # identity
    Column("siren", _TEXT, "company identifier, 9 digits stored as text", pattern=SIREN),
    Column("siret", _TEXT, "establishment identifier: siren followed by the 5 digits of the NIC", pattern=SIRET),
    Column("siege", _FLAG, "the establishment is the head office of its company"),
    Column("est_actif", _FLAG, "active according to Sirene (A), not ceased (C) nor closed (F)"),
    Column("raison_sociale", _TEXT, "name of the company; a natural person's name ends with EI"),
    Column("nom_unite_legale", _TEXT, "birth name of a natural person"),
    Column("nom_usage_unite_legale", _TEXT, "name in use of a natural person"),
    Column("prenom1_unite_legale", _TEXT, "first given name"),
    Column("prenom2_unite_legale", _TEXT, "second given name"),
    Column("prenom3_unite_legale", _TEXT, "third given name"),
    Column("prenom4_unite_legale", _TEXT, "fourth given name"),
    Column("categorie_juridique", _TEXT, "legal category, INSEE level III, 4 digits"),
    Column(
        "activite_principale", _TEXT, "main activity of the legal unit: as delivered in staging, NAF rev. 2 once clean"
    ),
    Column(
        "activite_principale_naf25",
        _TEXT,
        "main activity of the legal unit, NAF 2025: the second code delivered in staging, either once clean",
    ),
    Column("creation", _DATE, "day the legal unit was created"),
    # access to published lists
    Column("destinataire", _TEXT, "recipient of a published list: a person or a group"),
    Column("role", _TEXT, "function that gives the recipient access", non_identifying=True),
    Column("zones", _TEXT, "territory of the recipient: departments, regions (R27), or national", non_identifying=True),
    Column("droits", _TEXT, "rights of the recipient, by scope", non_identifying=True),
    Column("suivis", _TEXT, "sirens of the companies that the recipient follows, separated by commas"),
    Column("revu_le", _DATE, "day on which the partner last confirmed the line", non_identifying=True),
    Column("cle", _TEXT, "public key (age) by which the folder of a recipient is encrypted; NULL when it is not"),
    Column("liste", _TEXT, "month of the list that an answer is about, AAMM", non_identifying=True),
    Column("contactee", _FLAG, "the officer contacted the company", non_identifying=True),
    Column("contactee_le", _DATE, "day of the contact", non_identifying=True),
    Column("utilite", _TEXT, "what the alert was worth to the officer", non_identifying=True),
    Column("aide", _TEXT, "help that the officer offered"),
    Column("remarque", _TEXT, "free remark of the officer; it never leaves the table"),
    Column("valable_jusqu_au", _DATE, "last day of the access", non_identifying=True),
    # address
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
    Column("siret_siege", _TEXT, "establishment identifier of the head office", pattern=SIRET),
    # activity
    Column(
        "ape",
        _TEXT,
        "main activity of the establishment: as delivered in staging, NAF rev. 2 once clean",
        pattern=r"[0-9]{2}\.[0-9]{2}[A-Z]",
    ),
    Column(
        "ape_naf25",
        _TEXT,
        "main activity of the establishment, NAF 2025: the second code delivered in staging, either once clean",
        pattern=r"[0-9]{2}\.[0-9]{2}[A-Z]",
    ),
    Column("code_activite", _TEXT, "never filled by the producer"),
    Column(
        "nomenclature_activite",
        _TEXT,
        "nomenclature of the code that INSEE delivered: NAFRev2, NAF2025, or inconnue for any other; when the record names "
        "none, the nomenclature that has its code",
    ),
    Column(
        "origine_naf",
        _TEXT,
        "how the code of NAF rev. 2 was decided: livree as delivered, paire from the unit's own pair of codes, unique in "
        "INSEE's correspondence, frequente by the pairs observed, presumee among those of INSEE without any observation",
    ),
    Column("origine_naf25", _TEXT, "how the code of NAF 2025 was decided: the same values as origine_naf"),
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
    # periods
    Column("periode", _DATE, "month, as its first day"),
    Column("periode_debut", _DATE, "first day of the period"),
    Column("periode_fin", _DATE, "end of the period; exclusive for URSSAF periods, inclusive for short-time work"),
    # URSSAF
    Column("date_disparition", _DATE, "day the account leaves the establishment, in 2899 when it has not"),
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
    # BODACC
    Column("id_annonce", _TEXT, "announcement: letter of the bulletin, number of the issue, number in the issue"),
    Column("type_avis", _TEXT, "annonce, rectificatif or annulation"),
    Column("date_parution", _DATE, "day the announcement was published"),
    Column("id_avis_precedent", _TEXT, "announcement that a correction is about"),
    Column("famille_jugement", _TEXT, "family of the judgment"),
    Column("nature_jugement", _TEXT, "nature of the judgment"),
    Column("complement_jugement", _TEXT, "what the announcement adds to the nature of the judgment, as delivered"),
    Column("date_jugement", _DATE, "day of the judgment"),
    Column("tribunal", _TEXT, "court or registry that announces"),
    Column("date_retrait", _DATE, "day the announcement was corrected or cancelled, NULL while it stands"),
    # short-time work
    Column("id_demande", _TEXT, "identifier of the application"),
    Column("heures", _REAL, "hours of short-time work", unit="hour"),
    Column("montant", _REAL, "amount of short-time work", unit="€"),
    Column("date_statut", _DATE, "day the application was decided"),
    Column("motif_recours", _INT, "reason of the application, 1 to 7"),
    Column(
        "etp_autorise", _REAL, "full-time equivalents authorised (total hours / 151.67, on every month)", unit="FTE"
    ),
    Column("etp_consomme", _REAL, "full-time equivalents consumed (hours / 151.67)", unit="FTE"),
    Column("heures_autorisees", _REAL, "hours authorised, prorated by day", unit="hour"),
    Column("heures_consommees", _REAL, "hours consumed", unit="hour"),
    # payment behaviour
    Column("etat_organisation", _TEXT, "state of the company according to Altares"),
    Column("code_paydex", _TEXT, "paydex code"),
    Column("paydex", _REAL, "average delay of payment to suppliers", unit="day"),
    Column("n_fournisseurs", _REAL, "suppliers observed", unit="supplier"),
    Column("encours_etudies", _REAL, "amount of invoices observed", unit="€"),
    Column(
        "fpi_30", _REAL, "FPI note: share of invoices more than 30 days late, 0 to 1 once clean (0 to 100 in staging)"
    ),
    Column(
        "fpi_90", _REAL, "FPI note: share of invoices more than 90 days late, 0 to 1 once clean (0 to 100 in staging)"
    ),
    Column("date_valeur", _DATE, "day the payment behaviour was measured"),
    # yearly statements (DGFiP)
    Column("date_deb_exercice", _DATE, "first day of the financial year"),
    Column("date_fin_exercice", _DATE, "closing day of the financial year"),
    Column("no_ocfi", _TEXT, "number of the statement"),
    Column("annee_exercice", _INT, "financial year", unit="year"),
    Column("date_depot", _DATE, "day the statement was filed"),
    Column("d_dvs_376_nbr_pers", _REAL, "average staff", unit="person"),
    Column("d_cr_250_expl_salaire", _REAL, "wages", unit="€"),
    Column("d_cr_252_expl_ch_soc", _REAL, "social charges", unit="€"),
    Column("d_cr_260_expl_dt_syndic", _REAL, "other staff costs", unit="€"),
    Column("d_actf_stk_march_net", _REAL, "stock of goods, net", unit="€"),
    Column("d_actf_stk_mat1e_net", _REAL, "stock of raw materials, net", unit="€"),
    Column("d_passf_142_k_propres", _REAL, "own funds", unit="€"),
    Column("d_passf_120_k", _REAL, "share capital", unit="€"),
    Column("rto_invest_ca", _REAL, "investment over turnover"),
    Column("rto_af_solidite_financiere", _REAL, "financial soundness, as computed by the administration"),
    Column("mnt_af_endettement_net", _REAL, "net debt", unit="€"),
    Column("rto_af_endettement_a_terme", _REAL, "own funds over term debt"),
    Column("mnt_af_sig_ebe_ret", _REAL, "gross operating surplus (EBE)", unit="€"),
    Column("mnt_af_ca", _REAL, "turnover", unit="€"),
    Column("mnt_af_sig_va_ret", _REAL, "value added", unit="€"),
    Column("mnt_af_bfonc_actif_circ_expl", _REAL, "current operating assets", unit="€"),
    Column("mnt_af_bfonc_actif_circ_h_expl", _REAL, "other current assets", unit="€"),
    Column("mnt_af_bfonc_passif_circ_expl", _REAL, "current operating liabilities", unit="€"),
    Column("mnt_af_bfonc_passif_circ_h_expl", _REAL, "other current liabilities", unit="€"),
    Column("mnt_af_bfonc_tresorerie", _REAL, "cash", unit="€"),
    Column("nbr_af_jours_reglt_fourn", _REAL, "time to pay suppliers", unit="day"),
    Column("nbr_af_jours_creance_cli", _REAL, "time to be paid by customers", unit="day"),
    Column("mnt_af_bfonc_bfr", _REAL, "working capital requirement", unit="€"),
    Column("rto_af_rent_eco", _REAL, "economic return"),
    Column("rto_6", _REAL, "cash flow (the denominator of net debt over cash flow)", unit="€"),
    Column("rto_56", _REAL, "quick ratio"),
    # open ratios (INPI, Banque de France)
    Column("date_cloture_exercice", _DATE, "closing day of the financial year"),
    Column("chiffre_d_affaires", _REAL, "turnover", unit="€"),
    Column("marge_brute", _REAL, "gross margin", unit="€"),
    Column("ebe", _REAL, "gross operating surplus", unit="€"),
    Column("ebit", _REAL, "operating result", unit="€"),
    Column("resultat_net", _REAL, "net result", unit="€"),
    Column("taux_d_endettement", _REAL, "debt over own funds", unit="%"),
    Column("ratio_de_liquidite", _REAL, "current assets over short-term debt", unit="%"),
    Column("ratio_de_vetuste", _REAL, "age of the equipment", unit="%"),
    Column("autonomie_financiere", _REAL, "own funds over balance total", unit="%"),
    Column("poids_bfr_exploitation_sur_ca", _REAL, "operating working capital over turnover", unit="%"),
    Column("couverture_des_interets", _REAL, "interest over operating surplus", unit="%"),
    Column("caf_sur_ca", _REAL, "cash flow over turnover", unit="%"),
    Column("capacite_de_remboursement", _REAL, "financial debt over cash flow"),
    Column("marge_ebe", _REAL, "operating surplus over turnover", unit="%"),
    Column("resultat_courant_avant_impots_sur_ca", _REAL, "current result before tax over turnover", unit="%"),
    Column("poids_bfr_exploitation_sur_ca_jours", _REAL, "operating working capital in days of turnover", unit="day"),
    Column("rotation_des_stocks_jours", _REAL, "stock turnover", unit="day"),
    Column("credit_clients_jours", _REAL, "credit given to customers", unit="day"),
    Column("credit_fournisseurs_jours", _REAL, "credit given by suppliers", unit="day"),
    Column("type_bilan", _TEXT, "kind of accounts: C full, S simplified, K consolidated"),
    Column("confidentiality", _TEXT, "who may read the accounts"),
    Column("file_number", _INT, "rank of the delivered file among the month's files of its source"),
    Column("line", "BIGINT", "line of the delivered file"),
    # perimeter
    Column("motif_categorie_juridique", _FLAG, "left out: public body or similar, by its legal category"),
    Column("motif_activite", _FLAG, "left out: administration, teaching, finance or organisation, by its activity"),
    Column("motif_siege", _FLAG, "left out: no head office in a French department"),
    # ratios of the yearly statements
    Column("date_debut_exercice", _DATE, "first day of the financial year"),
    Column(
        "date_publication",
        _DATE,
        "day it is known from: publication or filing, otherwise closing date and the publication delay of its source",
    ),
    Column("dette_nette_sur_caf", _REAL, "net debt over cash flow"),
    Column("dette_a_terme_sur_k_propres", _REAL, "term debt over own funds"),
    Column("ebe_sur_ca", _REAL, "gross operating surplus over turnover"),
    Column("va_sur_effectif", _REAL, "value added per person employed", unit="€/person"),
    Column("charges_personnel_sur_va", _REAL, "staff costs over value added"),
    Column("stocks_sur_ca", _REAL, "stock of goods over turnover"),
    Column("liquidite_absolue", _REAL, "current assets over current liabilities"),
    Column("liquidite_generale", _REAL, "cash over current assets"),
    Column("liquidite_reduite", _REAL, "quick ratio, from the audit services"),
    Column("delai_paiement_sur_delai_encaissement", _REAL, "time to pay suppliers over time to be paid"),
    Column("k_propres_sur_k_social", _REAL, "own funds over share capital"),
    Column("bfr_sur_k_propres", _REAL, "working capital requirement over own funds"),
    Column("taux_investissement", _REAL, "investment over turnover"),
    Column("rentabilite_economique", _REAL, "economic return"),
    Column("solidite_financiere", _REAL, "financial soundness"),
    *tax_fields.COLUMNS,
    *provider_fields.COLUMNS,
)

FIELDS = {column.name: column for column in _COLUMNS}


def pick(names: str) -> tuple[Column, ...]:
    """Return the columns of `names`, which are separated by spaces, in that order."""
    return tuple(FIELDS[name] for name in names.split())
