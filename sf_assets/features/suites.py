"""The checks of the feature tables: the rules of their declarations, and their tolerances."""

from sf_assets.engine.quality.rules import Suite
from sf_assets.engine.quality.tolerance_checks import suite_of
from sf_assets.features.tables import LAGS, tables_of
from sf_assets.features.tolerances import TOLERANCES
from sf_assets.vocabulary.modes import FULL, Mode


def suites_of(mode: Mode) -> dict[str, Suite]:
    """Return the checks of the feature tables in a mode."""
    return {table.name: suite_of(table, tolerances=TOLERANCES) for table in (*tables_of(mode), LAGS)}


SUITES = suites_of(FULL)
