"""The clean tables, which the application, the features and the lists read.

Each is the result of the query of the same name in this folder. Companies of the blacklist are only in the register's tables.
"""

from sf_assets.clean import activities, occasional, open_accounts, procedures, statements, tranches
from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.schema import Column, Rule, Table, between, no_rows, not_null


def _first_of_month(column: str) -> Rule:
    return no_rows(
        f"{column}_is_a_month",
        f"select * from {{batch}} where day({column}) <> 1",
        f"`{column}` is not the first day of a month: check how the source's periods are read.",
    )


def _in_order(first: str, last: str, advice: str) -> Rule:
    return no_rows(
        f"{last}_after_{first}", f"select * from {{batch}} where {last} < {first}", advice, severity="warning"
    )


def _not_negative(column: str, advice: str) -> Rule:
    return between(column, 0, None, advice, severity="warning")


BLACKLIST = Table(
    name="siren_blacklist",
    grain="one company of the import perimeter that is excluded from the clean tables, with its reasons",
    columns=pick("siren motif_categorie_juridique motif_activite motif_siege"),
    key=("siren",),
    may_be_empty=True,
)

FILTER = Table(
    name="clean_filter",
    grain="one company followed by the service",
    columns=pick("siren"),
    key=("siren",),
)

AP = Table(
    name="clean_ap",
    grain="one establishment and month of short-time work, authorised or consumed",
    columns=(
        *pick("siret siren periode etp_autorise etp_consomme"),
        Column("motif_recours", "VARCHAR", "names of the reasons of the demands, in order, separated by '; '"),
        *pick("is_last heures_autorisees heures_consommees"),
    ),
    key=("siret", "periode"),
    rules=(
        _not_negative("heures_autorisees", "Ask DGEFP about demands with negative hours."),
        _not_negative("heures_consommees", "Ask DGEFP about consumptions with negative hours."),
    ),
)

COTISATION = Table(
    name="clean_cotisation",
    grain="the contributions that one establishment owes for the periods that start in one month",
    columns=pick("siret periode du"),
    key=("siret", "periode"),
    rules=(_first_of_month("periode"),),
)

DEBIT = Table(
    name="clean_debit",
    grain="the debt left to pay by one establishment after the events of one month",
    columns=pick("siret periode part_ouvriere part_patronale is_last"),
    key=("siret", "periode"),
    rules=(
        _first_of_month("periode"),
        _not_negative("part_ouvriere", "A debt below zero is a credit: ask URSSAF whether signs changed."),
        _not_negative("part_patronale", "A debt below zero is a credit: ask URSSAF whether signs changed."),
    ),
)

DELAI = Table(
    name="clean_delai",
    grain="one payment plan granted to an establishment",
    columns=pick("siret date_creation date_echeance duree_delai montant_echeancier stade action"),
    rules=(
        _in_order("date_creation", "date_echeance", "A plan ends before it starts: ask URSSAF."),
        _not_negative("montant_echeancier", "Ask URSSAF about plans with a negative amount."),
    ),
)

PROCOL = Table(
    name="clean_procol",
    grain="one step of a company's collective procedure",
    columns=pick("siren date_effet action_procol stade_procol libelle_procol"),
    rules=(
        not_null("siren", "A step without a company: check how stg_procol is read."),
        not_null("date_effet", "A step without a date: check how stg_procol is read."),
        no_rows(
            "procedure_recognised",
            "select * from {batch} where libelle_procol is null",
            "These steps name no known procedure and are ignored: ask URSSAF what their labels mean.",
            "warning",
        ),
    ),
)

PROCOL_EPISODE = Table(
    name="clean_procol_episode",
    grain="one stretch of time during which a company is in one kind of procedure",
    columns=(
        *pick("siren action_procol stade_procol libelle_procol"),
        Column("date_debut", "DATE", "first day of the stretch"),
        Column("date_fin", "DATE", "day after the last day of the stretch, NULL while it lasts"),
    ),
    rules=(
        no_rows(
            "in_order",
            "select * from {batch} where date_debut is null or date_fin <= date_debut",
            "A stretch lasts at least one day: check the dates of clean_procol.",
        ),
    ),
)

PROCOL_AT_DATE = Table(
    name="clean_procol_at_date",
    grain="one company in a collective procedure on the first day of one month",
    columns=pick("siren periode date_effet action_procol stade_procol libelle_procol"),
    key=("siren", "periode"),
    rules=(
        _first_of_month("periode"),
        no_rows(
            "started_before",
            "select * from {batch} where date_effet > periode or periode < date '2016-01-01'",
            "The state on a day comes from steps up to that day, from 2016 on: check clean_procol_episode.",
        ),
    ),
)

EFFECTIF = Table(
    name="clean_effectif",
    grain="the head-count of one account of an establishment in one month",
    columns=pick("siret periode effectif is_latest"),
    rules=(
        _first_of_month("periode"),
        between("effectif", 0, 300_000, "No employer in France has that many people: check the file's separators."),
    ),
)

EFFECTIF_ENT = Table(
    name="clean_effectif_ent",
    grain="the head-count of one company in one month",
    columns=pick("siren periode effectif_ent is_latest"),
    key=("siren", "periode"),
    rules=(
        _first_of_month("periode"),
        between("effectif_ent", 0, 300_000, "No employer in France has that many people: check the file's separators."),
    ),
)

SIRENE = Table(
    name="clean_sirene",
    grain="one establishment of the register, in the perimeter or not",
    columns=pick(
        "siren siret siege adresse code_commune departement libelle_departement region libelle_region ape naf_section "
        "date_creation longitude latitude est_actif nomenclature_activite ape_naf25 naf25_section origine_naf origine_naf25"
    ),
    # Real batches repeat an establishment now and then. Queries take one row per head office, so that a note is enough.
    rules=(
        not_null("siret", "An establishment without a siret: check the month's Sirene file."),
        no_rows(
            "siret_unique",
            "select siret from {batch} group by siret having count(*) > 1",
            "The register repeats an establishment: report it to INSEE; the list is not affected.",
            "warning",
        ),
        no_rows(
            "one_head_office",
            "select siren from {batch} where siege group by siren having count(*) > 1",
            "A company has several head offices: report it to INSEE. The open one counts, then the newest.",
            "warning",
        ),
        between("longitude", -180, 180, "Not WGS 84 degrees: check whether INSEE changed the projection."),
        between("latitude", -90, 90, "Not WGS 84 degrees: check whether INSEE changed the projection."),
        no_rows(
            "department_named",
            "select * from {batch} where departement is not null and libelle_departement is null",
            "A department absent from the label table: complete nomenclatures/labels_departement_region.csv.",
            "warning",
        ),
    ),
)

SIRENE_UL = Table(
    name="clean_sirene_ul",
    grain="one legal unit of the register, in the perimeter or not",
    columns=pick(
        "siren raison_sociale categorie_juridique libelle_categorie_juridique activite_principale "
        "libelle_activite_principale naf_section libelle_naf_section activite_principale_naf25 "
        "libelle_activite_principale_naf25 naf25_section libelle_naf25_section departement siret_siege "
        "libelle_departement region libelle_region creation est_actif nomenclature_activite origine_naf origine_naf25"
    ),
    key=("siren",),
    rules=(
        no_rows(
            "nomenclature_known",
            "select * from {batch} where nomenclature_activite = 'inconnue'",
            "These activities are in neither NAF rev. 2 nor NAF 2025: ask INSEE for their nomenclature, for `read_nomenclature`.",
            "warning",
        ),
        no_rows(
            "activity_named",
            "select * from {batch} where activite_principale is not null and libelle_activite_principale is null",
            "An activity absent from the label table: complete nomenclatures/naf_codes.csv.",
            "warning",
        ),
    ),
)

SIRENE_HISTO = Table(
    name="clean_sirene_histo",
    grain="one stretch of time during which an establishment stays open or stays closed",
    columns=pick("siret date_debut date_fin est_actif"),
    rules=(
        no_rows(
            "one_state_at_a_time",
            "select siret, date_debut from {batch} group by siret, date_debut having count(*) > 1",
            "Two states of an establishment start on the same day: check its history in INSEE's file.",
            "warning",
        ),
    ),
    may_be_empty=True,
)

PAYDEX_MESURE = Table(
    name="clean_paydex_mesure",
    grain="the payment behaviour of one company as measured on one day",
    columns=pick("siren date_valeur paydex fpi_30 fpi_90 encours_etudies n_fournisseurs"),
    key=("siren", "date_valeur"),
    may_be_empty=True,
)

PAYDEX = Table(
    name="clean_paydex",
    grain="the payment behaviour of one company, last measured in one month",
    columns=pick("siren periode date_valeur paydex fpi_30 fpi_90 encours_etudies n_fournisseurs"),
    key=("siren", "periode"),
    rules=(
        _first_of_month("periode"),
        _not_negative(
            "paydex", "Delays are counted from the due date: ask Altares whether early payments are negative."
        ),
    ),
    may_be_empty=True,
)

# As many rows as the whole register: they are computed while they are written, without a copy of them in memory or on disk.
STREAMED = frozenset({SIRENE, SIRENE_UL})

# In dependency order: each table reads those before it.
TABLES = (
    *activities.TABLES,
    SIRENE_UL,
    BLACKLIST,
    FILTER,
    tranches.TRANCHE,
    AP,
    COTISATION,
    DEBIT,
    DELAI,
    PROCOL,
    PROCOL_EPISODE,
    PROCOL_AT_DATE,
    *procedures.TABLES,
    EFFECTIF,
    EFFECTIF_ENT,
    SIRENE,
    SIRENE_HISTO,
    PAYDEX_MESURE,
    PAYDEX,
    *statements.TABLES,
    open_accounts.RATIOS_INPI,
    *occasional.TABLES,
)
