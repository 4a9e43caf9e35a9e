"""The perimeter of open data: the rules of `stg_filter_import` from the staff bands of INSEE in place of head-counts."""

from collections.abc import Mapping
from datetime import date
from importlib.resources import files

from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.queries import read_query
from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Session
from sf_assets.sources.known import define_known_from
from sf_assets.staging.tables import STAGING
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.partitions import cutoff_of

BANDS = STAGING["sirene_tranche"]
# The bands of earlier batches, of which the register has only the newest.
_EARLIER = "clean_tranche"
KNOWN_BANDS = read_sql("sf_assets.staging", "known_bands")
BAND_RULES = read_query(files("sf_assets.staging"), "band_rules", {"known_bands": KNOWN_BANDS})


def apply_band_rules(session: Session, gate: Gate, month: date, parameters: Parameters) -> None:
    """Create the temporary table `headcount_rules` from the bands of a batch and of the newest earlier one that passed."""
    earlier = gate.table(_EARLIER)
    before = gate.newest_passed(session, earlier, month)
    gate.require(session, [(BANDS.name, month)])
    session.bind({BANDS: month})
    session.bind_months([earlier], [before] if before else [])
    define_known_from(session.connection, parameters.all_delays)
    values: Mapping[str, object] = parameters.query_values() | {
        "reference_date": cutoff_of(month, parameters.cutoff_shift_days)
    }
    session.connection.execute(
        f"create or replace temp table headcount_rules as {BAND_RULES.text}", BAND_RULES.bind_values(values)
    )
