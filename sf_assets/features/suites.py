"""The checks of the feature tables: the rules of their declarations, and their tolerances."""

from sf_assets.engine.quality.rules import Suite
from sf_assets.engine.quality.tolerance_checks import suite_of
from sf_assets.features.tables import LAGS, TABLES
from sf_assets.features.tolerances import TOLERANCES

SUITES: dict[str, Suite] = {table.name: suite_of(table, tolerances=TOLERANCES) for table in (*TABLES, LAGS)}
