"""Every table and every suite of the project by name."""

from sf_assets.catalogue.modes import outside_of
from sf_assets.clean.export import EXPORT
from sf_assets.clean.report import REPORT
from sf_assets.clean.suites import SUITES as CLEAN_SUITES
from sf_assets.clean.tables import TABLES as CLEAN
from sf_assets.engine.quality.rules import Suite
from sf_assets.evaluation.tables import SUITES as EVALUATION_SUITES
from sf_assets.evaluation.tables import TABLES as EVALUATION
from sf_assets.features.suites import SUITES as FEATURE_SUITES
from sf_assets.features.suites import suites_of as feature_suites_of
from sf_assets.features.tables import LAGS
from sf_assets.features.tables import TABLES as FEATURES
from sf_assets.lists.tables import SUITES as LIST_SUITES
from sf_assets.lists.tables import TABLES as LISTS
from sf_assets.model.tables import SUITES as MODEL_SUITES
from sf_assets.model.tables import TABLES as MODEL
from sf_assets.publication.tables import SUITES as PUBLICATION_SUITES
from sf_assets.publication.tables import TABLES as PUBLICATION
from sf_assets.sources.log import LOG
from sf_assets.sources.suites import SUITES as SOURCE_SUITES
from sf_assets.staging.suites import SUITES as STAGING_SUITES
from sf_assets.staging.tables import FILTER_IMPORT, FILTER_STEPS, STAGING
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.modes import FULL, Mode
from sf_assets.vocabulary.schema import Table

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        FILTER_IMPORT,
        FILTER_STEPS,
        *STAGING.values(),
        LOG,
        *CLEAN,
        REPORT,
        EXPORT,
        *FEATURES,
        LAGS,
        *MODEL,
        *LISTS,
        *EVALUATION,
        *PUBLICATION,
    )
}

SUITES: dict[str, Suite] = {
    **SOURCE_SUITES,
    **STAGING_SUITES,
    **CLEAN_SUITES,
    **FEATURE_SUITES,
    **MODEL_SUITES,
    **LIST_SUITES,
    **EVALUATION_SUITES,
    **PUBLICATION_SUITES,
}


def suites_of(mode: Mode) -> dict[str, Suite]:
    """Return the checks of every asset, by name, as they are in a mode: only the features of the matrix depend on it."""
    return SUITES if mode == FULL else SUITES | feature_suites_of(mode)


def suite_named(asset: str, mode: Mode = FULL) -> Suite:
    """Return the checks of an asset of a mode.

    Raises:
        UserError: there is no such asset; the message gives the known names.

    """
    suites = {name: suite for name, suite in suites_of(mode).items() if name not in outside_of(mode)}
    if asset not in suites:
        raise UserError(f"asset: expected one of {', '.join(sorted(suites))}, found {asset}")
    return suites[asset]


# The names of the assets of each layer, in the order in which data flows.
LAYERS: dict[str, tuple[str, ...]] = {
    "sources": tuple(SOURCE_SUITES),
    "staging": tuple(STAGING_SUITES),
    "clean": tuple(CLEAN_SUITES),
    "features": tuple(table.name for table in FEATURES),
    "model": tuple(MODEL_SUITES),
    "lists": tuple(LIST_SUITES),
}

# The assets of `evaluation` that every month computes; the others are a matter of once a year.
MONITORING = ("eval_drift", "eval_verification", "eval_answers")
