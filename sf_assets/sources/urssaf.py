"""URSSAF: contributions, debts, payment plans, head-counts and procedures, as the social security collectors deliver them."""

from sf_assets.sources.description import Cell, Source

_SIRET = Cell("Siret", column="siret")
_SIREN = Cell("siren", column="siren")

COTISATION = Source(
    name="cotisation",
    producer="URSSAF",
    grain="the contributions due by one account of an establishment for one period",
    names=("sigfaible_cotisdues.csv",),
    lenient_quotes=True,
    account=("Compte", "periode_debut"),
    cells=(
        _SIRET,
        Cell("Compte"),
        Cell("periode", "periode_debut", "periode_debut", required=True),
        Cell("periode", "periode_fin", "periode_fin", required=True),
        Cell("enc_direct", "decimal_virgule"),
        Cell("cotis_due", "decimal_virgule", "du"),
    ),
)

DEBIT = Source(
    name="debit",
    producer="URSSAF",
    grain="one event in the life of a debt: from its day on, the amounts left to pay",
    names=("sigfaible_debits.csv",),
    account=("num_cpte", "periode_debut"),
    cells=(
        _SIRET,
        Cell("num_cpte", column="numero_compte"),
        Cell("Num_Ecn", column="numero_ecart_negatif"),
        Cell("Dt_trt_ecn", "date_urssaf", "date_traitement", required=True),
        Cell("Mt_PO", "centimes", "part_ouvriere", required=True),
        Cell("Mt_PP", "centimes", "part_patronale", required=True),
        Cell("Num_Hist_Ecn", "entier", "numero_historique_ecart_negatif"),
        Cell("Etat_cpte", "entier", "etat_compte"),
        Cell("Cd_pro_col", column="code_procedure_collective"),
        Cell("Periode", "periode_debut", "periode_debut", required=True),
        Cell("Periode", "periode_fin", "periode_fin", required=True),
        Cell("Cd_op_ecn", column="code_operation_ecart_negatif"),
        Cell("Motif_ecn", column="code_motif_ecart_negatif"),
        Cell("Recours_en_cours", "booleen", "recours_en_cours", required=True),
    ),
)

DELAI = Source(
    name="delai",
    producer="URSSAF",
    grain="one payment plan granted to an establishment",
    names=("sigfaible_delais.csv",),
    account=("Numero_compte_externe", "date_creation"),
    cells=(
        _SIRET,
        Cell("Numero_compte_externe"),
        Cell("Numero_structure"),
        Cell("Denomination_premiere_ligne"),
        Cell("Indic_6M"),
        Cell("Date_creation", "date_fr", "date_creation", required=True),
        Cell("Date_echeance", "date_fr", "date_echeance", required=True),
        Cell("Duree_delai", "entier", "duree_delai"),
        Cell("Annee_creation", "entier"),
        Cell("Montant_global_echeancier", "decimal_virgule", "montant_echeancier"),
        Cell("Code_externe_stade", column="stade"),
        Cell("Code_externe_action", column="action"),
    ),
)

CCSF = Source(
    name="ccsf",
    producer="URSSAF",
    grain="one step of a payment plan agreed with the financial services (CCSF)",
    names=("sigfaible_ccsf.csv",),
    expected=False,
    account=("Compte", "date_traitement"),
    cells=(
        _SIRET,
        Cell("Compte", column="compte"),
        Cell("Date_de_traitement", "date_urssaf", "date_traitement", required=True),
        Cell("Code_externe_stade", column="stade"),
        Cell("Code_externe_action", column="action"),
    ),
)

PROCOL = Source(
    name="procol",
    producer="URSSAF",
    grain="one step of a collective procedure of an establishment's company",
    names=("sigfaible_pcoll.csv",),
    cells=(
        _SIRET,
        Cell("Dt_effet", "date_procol", "date_effet", required=True),
        Cell("Lib_actx_stdx", column="libelle"),
    ),
)

EFFECTIF = Source(
    name="effectif",
    producer="URSSAF",
    grain="the head-count of one account of an establishment in one month",
    names=("sigfaible_effectif_siret.csv",),
    pattern=r".*effectif_.*\.(csv|txt)",
    rejects_copies=True,
    wide="effectif",
    cells=(Cell("siret", column="siret"), Cell("compte")),
)

EFFECTIF_ENT = Source(
    name="effectif_ent",
    producer="URSSAF",
    grain="the head-count of a company in one month",
    names=("sigfaible_effectif_siren.csv",),
    exclusive=True,
    key="siren",
    wide="effectif_ent",
    cells=(_SIREN,),
)

ADMIN_URSSAF = Source(
    name="admin_urssaf",
    producer="URSSAF",
    grain="one establishment that an account belongs to, or belonged to until a day",
    names=("sigfaible_etablissement_utf8.csv",),
    pattern=r"sigfaible_etablissement_utf8.*\.csv",
    rejects_copies=True,
    expected=False,
    cells=(
        _SIRET,
        Cell("Compte", column="compte", required=True),
        Cell("Date_crea_siret", "date_urssaf", "date_creation", optional=True),
        Cell("Date_disp_siret", "date_urssaf", "date_disparition"),
    ),
)

SOURCES = (ADMIN_URSSAF, EFFECTIF_ENT, EFFECTIF, COTISATION, DEBIT, DELAI, CCSF, PROCOL)
