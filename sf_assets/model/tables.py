"""The tables of the model layer and their checks, which models and scores pass before a list uses them."""

from datetime import date
from importlib.resources import files

from sf_assets.engine.quality.rules import Outcome, Probe, Suite
from sf_assets.engine.quality.tolerance_checks import suite_of
from sf_assets.engine.storage import Session
from sf_assets.model.tolerances import TOLERANCES
from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.partitions import HORIZON_MONTHS
from sf_assets.vocabulary.schema import Column, Table, between, no_rows, not_null

_SCORES_COMPLETE = files("sf_assets.model").joinpath("scores_complete.sql").read_text(encoding="utf-8")

METHODE = Column(
    "methode",
    "VARCHAR",
    "scoring method: seuils (2016), logistique (2017), foret (2024), boosting, deux_etages or ensemble",
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
    # In the first months of a new warehouse no horizon has passed; `model_fitted` then says why no method can learn.
    may_be_empty=True,
)

FITTED = Table(
    name="model_fitted",
    grain="one scoring method in the month",
    columns=(
        METHODE,
        Column("supported", "BOOLEAN", "the method can be used this month"),
        Column("statement", "VARCHAR", "why history does not support a model, in French"),
        Column("version", "VARCHAR", "version of the saved model, empty when none was saved"),
        Column("training_from", "DATE", "first month learned from"),
        Column("training_to", "DATE", "last month learned from"),
        Column("training_rows", "BIGINT", "companies and months learned from", unit="row"),
        Column("training_failures", "BIGINT", "failing companies learned from", unit="company"),
        Column("seuil_fort", "DOUBLE", "probability from which the risk is high (best F0.5 on validation)"),
        Column("seuil_modere", "DOUBLE", "probability from which the risk is moderate (best F2 on validation)"),
        Column("features_snapshot", "BIGINT", "snapshot of the warehouse that last wrote the features learned from"),
        Column("target_snapshot", "BIGINT", "snapshot of the warehouse that wrote the target learned from"),
        Column("retained", "BOOLEAN", "the list of the month uses this method"),
        Column("choice", "VARCHAR", "why the list uses this method, in French; NULL for the others"),
    ),
    key=("methode",),
    rules=(
        no_rows(
            "one_retained",
            "select count(*) as n from {batch} having count(*) filter (retained) <> 1",
            "The list needs exactly one method: check the figures of model_evaluation.",
        ),
        no_rows(
            "thresholds_in_order",
            "select methode from {batch} "
            "where seuil_modere > seuil_fort or not isfinite(seuil_modere) or not isfinite(seuil_fort)",
            "The moderate threshold must not exceed the strong one: check the validation months.",
        ),
    ),
)

EVALUATION = Table(
    name="model_evaluation",
    grain="one figure of one method on the test months",
    columns=(
        METHODE,
        Column("lecture", "VARCHAR", "hors_procedure: companies in a procedure left out; toutes: counted as failed"),
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
        not_null("probabilite", "Every company of the perimeter has a score: check the model's inputs."),
        between("probabilite", 0, 1, "A score lies between 0 and 1: check the model."),
    ),
)


def _complete(session: Session, month: date) -> Outcome:
    """Compare the companies of the latest version of the scores, method by method, with the month's feature matrix."""
    row = session.connection.execute(_SCORES_COMPLETE, {"month": month}).fetchone()
    wrong, total = row if row else (0, 0)
    return Outcome(passed=wrong == 0, unexpected_count=wrong, element_count=total)


COMPLETE = Probe(
    "complete",
    _complete,
    "each method has a score for every company of feat_matrix, and for no other company",
    "Run model_scores again after feat_matrix.",
)

TABLES = (TARGET, FITTED, EVALUATION, SCORES)

SUITES: dict[str, Suite] = {
    **{table.name: suite_of(table, tolerances=TOLERANCES) for table in (TARGET, FITTED, EVALUATION)},
    SCORES.name: suite_of(SCORES, (COMPLETE,), tolerances=TOLERANCES),
}
