"""The checks of the clean tables: the rules of their declarations, and their tolerances."""

from sf_assets.clean.export import EXPORT
from sf_assets.clean.report import REPORT
from sf_assets.clean.tables import TABLES
from sf_assets.clean.tolerances import TOLERANCES
from sf_assets.engine.quality.rules import Suite
from sf_assets.engine.quality.tolerance_checks import suite_of

SUITES: dict[str, Suite] = {table.name: suite_of(table, tolerances=TOLERANCES) for table in (*TABLES, REPORT, EXPORT)}
