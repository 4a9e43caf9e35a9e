"""Tables of the lists layer, and the checks that a list passes before public officers see it."""

from datetime import date

from sf_assets.engine.quality.rules import Outcome, Probe, Suite
from sf_assets.engine.quality.tolerance_checks import suite_of
from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Session
from sf_assets.features.registry import BY_NAME
from sf_assets.lists.tolerances import EXPLAINED_GAP, FEW_COMPANIES, LARGEST_LIST, LIST_CHANGE, TOLERANCES
from sf_assets.model.tables import METHODE
from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.partitions import add_months
from sf_assets.vocabulary.schema import Column, Table, between, no_rows, not_null

ALERTS = Table(
    name="list_alerts",
    grain="one company in alert, by decreasing risk, in one version of the month's list",
    columns=(
        Column("rang", "INTEGER", "rank among the companies scored; 1 is the highest risk"),
        *pick("siren raison_sociale siret_siege departement libelle_region code_commune"),
        Column("code_naf", "VARCHAR", "main activity, NAF rev. 2"),
        Column("code_naf25", "VARCHAR", "main activity, NAF 2025"),
        *pick("libelle_activite_principale adresse"),
        Column("effectif", "DOUBLE", BY_NAME["effectif"].reason, unit="person"),
        Column("niveau", "INTEGER", "1 moderate, 2 high"),
        Column("alerte", "VARCHAR", "name of the level in the application"),
        Column("niveau_modele", "INTEGER", "level of the model when expert rules changed it; NULL when they did not"),
        Column("corrections", "VARCHAR", "expert rules that changed the level, in French"),
        Column("probabilite", "DOUBLE", "score of the method the list uses"),
        Column(
            "evolution",
            "VARCHAR",
            "change of level since last month's list, in French; NULL when that list was not handed over",
        ),
        Column("premiere_alerte", "DATE", "first month in which the company was on a list handed over, or on this one"),
        Column(
            "deja_connue_depuis",
            "DATE",
            "month of the first list about which an officer answered that the company was already known",
        ),
        Column(
            "derniere_reponse", "VARCHAR", "last answer of each recipient, in French, newest first, equal ones once"
        ),
        Column("motif_1", "VARCHAR", "main reason, in French"),
        Column("motif_2", "VARCHAR", "second reason"),
        Column("motif_3", "VARCHAR", "third reason"),
        METHODE,
        Column("scores_version", "INTEGER", "version of the scores that the list was first made from"),
        Column(
            "version",
            "INTEGER",
            "1 for the first list of the month; rows that differ from those handed over are a new version",
        ),
        Column("ecart_explications", "DOUBLE", "absolute difference between the score and the sum of its explanations"),
    ),
    key=("siren", "version"),
    rules=(
        between("niveau", 1, 2, "Only companies in alert are on the list: look at the selection."),
        not_null("raison_sociale", "A public officer must know whom to call: look at clean_sirene_ul.", "warning"),
        no_rows(
            "ranks_once",
            "select rang from {batch} group by month, version, rang having count(*) > 1",
            "Two companies share a rank: look at the selection.",
        ),
        no_rows(
            "explanations_add_up",
            f"select siren from {{batch}} where not coalesce(ecart_explications between 0 and {EXPLAINED_GAP:f}, false)",
            "The reasons shown are not those of the score: make the scores and the list again from the same model.",
        ),
    ),
    may_be_empty=True,
)

CORRECTED = Table(
    name="list_corrections",
    grain="one company whose level expert rules change, in one version of the month's list",
    columns=(
        *pick("siren"),
        Column("niveau_modele", "INTEGER", "level of the model: 0 none, 1 moderate, 2 high"),
        Column("niveau", "INTEGER", "level after expert rules"),
        Column("corrections", "VARCHAR", "rules that voted for the change, in French"),
        Column("scores_version", "INTEGER", "version of the scores the list was made from"),
    ),
    key=("siren", "scores_version"),
    rules=(
        no_rows(
            "one_level_at_most",
            "select * from {batch} "
            "where not coalesce(abs(niveau - niveau_modele) = 1 and niveau between 0 and 2, false)",
            "Expert rules move a level by one: look at lists/expert_rules.py.",
        ),
        not_null("corrections", "A change of level without a rule: look at lists/expert_rules.py."),
    ),
    may_be_empty=True,
)

ANSWERS = Table(
    name="list_answers",
    grain="the newest answer of one recipient about one company of one published list",
    columns=(
        *pick("siren"),
        Column("mois_liste", "DATE", "month of the list"),
        *pick("destinataire contactee contactee_le utilite"),
        Column("aide_proposee", "BOOLEAN", "the officer offered some help", non_identifying=True),
        Column("recue", "DATE", "month of the batch in which the answer came back", non_identifying=True),
    ),
    key=("siren", "mois_liste", "destinataire"),
    rules=(
        no_rows(
            "after_their_list",
            "select siren from {batch} where not coalesce(recue > mois_liste and recue <= month, false)",
            "An answer comes back in a later batch than its list, and is known from then on: look at list_answers.sql.",
        ),
    ),
    may_be_empty=True,
)

EXPORT = Table(
    name="list_export",
    grain="one file of the month's list, in one version of the files handed over",
    columns=(
        Column("file", "VARCHAR", "name of the file, in the folder of the month"),
        Column("bytes", "BIGINT", "size", unit="byte"),
        Column("sha256", "VARCHAR", "checksum"),
        Column("companies", "BIGINT", "companies in alert", unit="company"),
        METHODE,
        Column(
            "version",
            "INTEGER",
            "1 for the first files of the month; files that differ from those handed over are a new version",
        ),
        Column("list_version", "INTEGER", "version of list_alerts that the files contain"),
        Column("scores_version", "INTEGER", "version of the scores the files were first made from"),
    ),
    key=("file", "version"),
)

LIST_VERSIONS = Table(
    name="list_versions",
    grain="one version of the month's list, also when it has no company",
    columns=(
        Column("version", "INTEGER", "version of list_alerts"),
        METHODE,
        Column("seuil_modere", "DOUBLE", "score from which the risk is moderate"),
        Column("seuil_fort", "DOUBLE", "score from which the risk is high"),
        Column("companies", "BIGINT", "companies in alert", unit="company"),
        Column("forts", "BIGINT", "companies at high risk among them", unit="company"),
        Column("digest", "VARCHAR", "checksum of the list without its version columns"),
        Column("scores_version", "INTEGER", "version of the scores that the list was first made from"),
    ),
    key=("version",),
)

# The newest version is the current one; versions handed over before are retained.
CURRENT_LIST = """
    select * from lake.list_alerts
    where month = $month and version = (select max(version) from lake.list_versions where month = $month)
"""


def _count(session: Session, sql: str, **parameters: object) -> tuple[int, ...]:
    row = session.connection.execute(sql, parameters).fetchone()
    return tuple(int(value or 0) for value in row) if row else ()


def _nobody_excluded(session: Session, month: date) -> Outcome:
    sql = read_sql("sf_assets.lists", "listed_in_error", listed=CURRENT_LIST)
    wrong, total = _count(session, sql, month=month)
    return Outcome(passed=wrong == 0, unexpected_count=wrong, element_count=total)


def _plausible_length(session: Session, month: date) -> Outcome:
    sql = f"""
        select
            (select count(*) from ({CURRENT_LIST})),
            (select count(*) from lake.feat_company_month where month = $month)
    """
    listed, companies = _count(session, sql, month=month)
    plausible = companies < FEW_COMPANIES or listed <= LARGEST_LIST * companies
    return Outcome(passed=plausible, unexpected_count=listed, element_count=companies)


def _like_last_month(session: Session, month: date) -> Outcome:
    sql = f"select count(*) from ({CURRENT_LIST})"
    (now,), (before,) = _count(session, sql, month=month), _count(session, sql, month=add_months(month, -1))
    change = abs(now - before)
    return Outcome(passed=not before or change <= LIST_CHANGE * before, unexpected_count=change, element_count=before)


PROBES = (
    Probe(
        "nobody_excluded",
        _nobody_excluded,
        "every company of the list is in the perimeter, in no known procedure, and in no excluded category",
        "Make the list again from the month's tables; if it persists look at the selection.",
    ),
    Probe(
        "plausible_length",
        _plausible_length,
        f"the list holds at most {LARGEST_LIST:.0%} of the companies scored, when they are {FEW_COMPANIES} or more",
        "Look at the thresholds in model_fitted and at the month's features before anything is published.",
    ),
    Probe(
        "like_last_month",
        _like_last_month,
        f"the list is within {LIST_CHANGE:.0%} of last month's in length",
        "Compare the month's features and thresholds with last month's, then explain the change in the list's covering note.",
        "warning",
    ),
)

TABLES = (ANSWERS, CORRECTED, ALERTS, EXPORT)
SUITES: dict[str, Suite] = {
    ANSWERS.name: suite_of(ANSWERS),
    CORRECTED.name: suite_of(CORRECTED),
    ALERTS.name: suite_of(ALERTS, PROBES, tolerances=TOLERANCES),
    EXPORT.name: suite_of(EXPORT),
}
