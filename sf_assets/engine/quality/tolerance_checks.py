"""Tolerances as checks: one number measured on a month, compared with earlier months of the same table that passed."""

from collections.abc import Iterable, Mapping
from datetime import date

from sf_assets.engine.quality.measures import Margin, Tolerance
from sf_assets.engine.quality.measuring import figure, histories_of, measure
from sf_assets.engine.quality.rules import Outcome, Probe, Suite, rules_of
from sf_assets.engine.storage import Session
from sf_assets.vocabulary.schema import Table


def suite_of(
    table: Table,
    probes: tuple[Probe, ...] = (),
    *,
    tolerances: Iterable[Tolerance] = (),
    beside: tuple[Table, ...] = (),
) -> Suite:
    """Return the suite of a table: its rules, then `probes`, then those of `tolerances` that name the table.

    `beside` are tables that several of these checks read.
    """
    probes = (*probes, *probes_of(table.name, table, tolerances))
    return Suite(table.name, table, rules_of(table), probes, beside=beside)


def probes_of(asset: str, table: Table, tolerances: Iterable[Tolerance], **scope: str) -> tuple[Probe, ...]:
    """Return a probe for each of `tolerances` that names the asset.

    The rows of the asset are the rows of `table` in which the columns of `scope` have its values.
    """
    return tuple(_probe(tolerance, asset, table, scope) for tolerance in tolerances if asset in tolerance.assets)


def _probe(tolerance: Tolerance, asset: str, table: Table, scope: Mapping[str, str]) -> Probe:
    def run(session: Session, month: date) -> Outcome:
        histories = histories_of(session, asset, [tolerance], [month])
        measured = measure(session, asset, table, [tolerance], [month], scope=scope, histories=histories)
        return measured[month][tolerance.name]

    return Probe(
        tolerance.name, run, describe_tolerance(tolerance), tolerance.advice, tolerance.severity, tolerance=tolerance
    )


def describe_tolerance(tolerance: Tolerance) -> str:
    """Return one sentence that states the limits of a tolerance and their reason."""
    bounds = (("at least", tolerance.low), ("at most", tolerance.high))
    limits = [f"{side} {figure(bound)}" for side, bound in bounds if bound is not None]
    for margin, name in (
        (tolerance.change, "the last month that passed"),
        (tolerance.level, "the median of the last twelve months that passed"),
    ):
        limits += _describe_margin(tolerance, margin, name) if margin else []
    return f"its measure ({tolerance.measure}) is {', '.join(limits)}; {tolerance.reason}"


def _describe_margin(tolerance: Tolerance, margin: Margin, name: str) -> list[str]:
    def distance(share: float, side: str) -> str:
        size = f"{share:.0%}" if tolerance.relative else figure(share)
        return f"at most {size} {side} {name}" if share else f"never {side} {name}"

    if margin.fall is not None and margin.fall == margin.rise:
        return [distance(margin.fall, "from")]
    sides = ((margin.fall, "below"), (margin.rise, "above"))
    return [distance(share, side) for share, side in sides if share is not None]
