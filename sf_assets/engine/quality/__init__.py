"""The gate: what a table promises, how a month of it is judged, where verdicts are kept, and who may pass.

`rules` derives rules from tables, `expectations` judges them with Great Expectations inside the warehouse; `tolerances`
says how far a month may be from those before it, `history` compares; `verdicts` keeps what was judged and holds the gate,
`checks` shows it all as Dagster asset checks.
"""

from sf_assets.engine.quality.checks import checks_for
from sf_assets.engine.quality.history import probes_of, suite_of
from sf_assets.engine.quality.rules import Outcome, Probe, Suite, rules_of
from sf_assets.engine.quality.verdicts import CHECK_VERDICTS, require_passed

__all__ = [
    "CHECK_VERDICTS",
    "Outcome",
    "Probe",
    "Suite",
    "checks_for",
    "probes_of",
    "require_passed",
    "rules_of",
    "suite_of",
]
