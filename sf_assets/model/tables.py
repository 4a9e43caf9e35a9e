"""The tables of the model layer, and what is asked of models and scores before a list may use them."""

from datetime import date

from sf_assets.engine.quality.rules import Outcome, Probe, Suite
from sf_assets.engine.quality.tolerance_checks import suite_of
from sf_assets.engine.storage import Session
from sf_assets.model.tolerances import TOLERANCES
from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.partitions import HORIZON_MONTHS
from sf_assets.vocabulary.schema import Column, Table, between, no_rows, not_null

METHODE = Column(
    "methode", "VARCHAR", "scoring method: seuils (2016), logistique (2017), foret (2024), boosting or deux_etages"
)

TARGET = Table(
    name="model_target",
    grain="one company and past month whose horizon has passed",
    columns=(
        *pick("siren periode"),
        Column("target", "BOOLEAN", f"a collective procedure opened within {HORIZON_MONTHS} months of the cut-off"),
        Column("en_procedure", "BOOLEAN", "the company was already in a procedure at the cut-off"),
    ),
    key=("siren", "periode"),
    # The first months of a young warehouse have no past to learn from: that is for the model to say.
    may_be_empty=True,
)

FITTED = Table(
    name="model_fitted",
    grain="one scoring method, as it stands for the month",
    columns=(
        METHODE,
        Column("supported", "BOOLEAN", "the method can be used this month"),
        Column("statement", "VARCHAR", "what the data supports, in words"),
        Column("version", "VARCHAR", "version of the saved model, empty when none was saved"),
        Column("training_from", "DATE", "first month learned from"),
        Column("training_to", "DATE", "last month learned from"),
        Column("training_rows", "BIGINT", "companies and months learned from", unit="row"),
        Column("training_failures", "BIGINT", "failing companies learned from", unit="company"),
        Column("seuil_fort", "DOUBLE", "probability from which the risk is high (best F0.5 on validation)"),
        Column("seuil_modere", "DOUBLE", "probability from which the risk is moderate (best F2 on validation)"),
        Column("features_snapshot", "BIGINT", "snapshot of the warehouse the features were read at"),
        Column("target_snapshot", "BIGINT", "snapshot of the warehouse the target was read at"),
        Column("retained", "BOOLEAN", "the list of the month uses this method"),
        Column("choice", "VARCHAR", "why the list uses this method, in French; NULL for the others"),
    ),
    key=("methode",),
    rules=(
        no_rows(
            "one_retained",
            "select count(*) as n from {batch} having count(*) filter (retained) <> 1",
            "The list needs exactly one method: look at the figures of model_evaluation.",
        ),
        no_rows(
            "thresholds_in_order",
            "select methode from {batch} "
            "where seuil_modere > seuil_fort or not isfinite(seuil_modere) or not isfinite(seuil_fort)",
            "A moderate risk must start below a high one: look at the validation months.",
        ),
    ),
)

EVALUATION = Table(
    name="model_evaluation",
    grain="one figure of one method, read on the test months",
    columns=(
        METHODE,
        Column("lecture", "VARCHAR", "hors_procedure: companies not in a procedure at the date; toutes: all of them"),
        Column("mesure", "VARCHAR", "name of the figure"),
        Column("valeur", "DOUBLE", "the figure, NULL when the test months do not define it"),
        Column("raison", "VARCHAR", "why the figure is not defined"),
    ),
    key=("methode", "lecture", "mesure"),
    may_be_empty=True,
)

SCORES = Table(
    name="model_scores",
    grain="one company scored by one method, in one version of the month's scores",
    columns=(
        *pick("siren"),
        METHODE,
        Column("version", "INTEGER", "1 for the first scores of the month; a published score is never overwritten"),
        Column(
            "probabilite",
            "DOUBLE",
            f"probability of a collective procedure within {HORIZON_MONTHS} months, or points for seuils",
        ),
        Column("features_snapshot", "BIGINT", "snapshot of the warehouse the features were read at"),
        Column("model_version", "VARCHAR", "version of the model that scored"),
    ),
    key=("siren", "methode", "version"),
    rules=(
        not_null("probabilite", "Every company of the perimeter gets a score: look at the model's inputs."),
        between("probabilite", 0, 1, "A score is a probability: look at the model."),
    ),
)


def _complete(session: Session, month: date) -> Outcome:
    """Compare the companies of the latest version, by each of its methods, with those of the month's matrix."""
    row = session.connection.execute(
        """
        with latest as (
            select siren, methode from lake.model_scores where month = $month
            qualify version = max(version) over ()
        ),
        companies as (
            select m.siren, methods.methode
            from lake.feat_matrix as m, (select distinct methode from latest) as methods
            where m.month = $month
        )
        select count(*) filter (c.siren is null or s.siren is null), count(*)
        from companies as c full join latest as s using (siren, methode)
        """,
        {"month": month},
    ).fetchone()
    wrong, total = row if row else (0, 0)
    return Outcome(passed=wrong == 0, unexpected_count=wrong, element_count=total)


COMPLETE = Probe(
    "complete",
    _complete,
    "every company of the month's features has a score by each method, and nobody else",
    "Run model_scores again after feat_matrix.",
)

TABLES = (TARGET, FITTED, EVALUATION, SCORES)

SUITES: dict[str, Suite] = {
    **{table.name: suite_of(table, tolerances=TOLERANCES) for table in (TARGET, FITTED, EVALUATION)},
    SCORES.name: suite_of(SCORES, (COMPLETE,), tolerances=TOLERANCES),
}
