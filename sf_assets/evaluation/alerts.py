"""Who would have been in alert: levels by thresholds chosen on the past of each origin, and lists of a given size."""

from dataclasses import dataclass

import numpy as np

from sf_assets.evaluation.bootstrap import Weights, median, ratio, totals
from sf_assets.evaluation.origins import months_labelled_at
from sf_assets.evaluation.panel import Panel
from sf_assets.model.alerting import AlertRule
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.matrix import Flags, Floats
from sf_assets.model.splits import SplitRules

LIST_SIZES = (1_000, 5_000, 10_000)
# The companies of the perimeter, to which list sizes refer.
NATIONAL_COMPANIES = 350_000
_DAYS_OF_MONTH = 30.4375


@dataclass(frozen=True, slots=True)
class Alert:
    """One way to be in alert: `given` tells the rows in alert, `known` those where this could be said."""

    name: str
    in_alert: Flags
    defined: Flags


def thresholds_by_origin(
    panel: Panel, score: Floats, rules: SplitRules, alert: AlertRule
) -> tuple[Thresholds | None, ...]:
    """Return the thresholds of each origin: those `alert` chooses on the last months scored before it whose labels it knew.

    These months were scored by an earlier origin, hence by a method that did not know them. None without enough such
    months, or without a failure among them.
    """
    found: list[Thresholds | None] = []
    for origin in panel.origins:
        months = months_labelled_at(panel.months, rules.cutoff(origin), rules)[-rules.validation_months :]
        rows = np.isin(panel.period, [panel.months.index(month) for month in months])
        enough = len(months) == rules.validation_months and (panel.target & ~panel.en_procedure)[rows].any()
        found.append(alert.thresholds(score[rows], panel.target[rows], panel.en_procedure[rows]) if enough else None)
    return tuple(found)


def level_alerts(panel: Panel, score: Floats, thresholds: tuple[Thresholds | None, ...]) -> tuple[Alert, Alert]:
    """Return the alerts of the two levels; a strong one is also a moderate one."""
    known = np.array([one is not None for one in thresholds])[panel.origin]
    limits = {
        "fort": [one.fort if one else np.inf for one in thresholds],
        "modere": [one.modere if one else np.inf for one in thresholds],
    }
    fort, modere = (Alert(name, score >= np.array(limit)[panel.origin], known) for name, limit in limits.items())
    return fort, modere


def fixed_size_lists(panel: Panel, score: Floats, rows: Flags) -> tuple[Alert, ...]:
    """Return the lists of the riskiest companies of each month among `rows`, of sizes scaled to their number.

    Equal scores are ranked by company, as on the published list.
    """
    places = np.flatnonzero(rows)
    order = places[np.lexsort((panel.company[places], -score[places], panel.period[places]))]
    counts = np.bincount(panel.period[order], minlength=len(panel.months))
    rank = np.arange(order.size) - np.repeat(np.cumsum(counts) - counts, counts)
    found = []
    for size in LIST_SIZES:
        length = np.maximum(np.rint(counts * size / NATIONAL_COMPANIES), 1)
        given = np.zeros(rows.size, dtype=bool)
        given[order[rank < length[panel.period[order]]]] = True
        found.append(Alert(f"liste_{size}", given, rows))
    return tuple(found)


def list_stability(panel: Panel, alert: Alert, rows: Flags, weights: Weights) -> Floats:
    """Return the share of the companies in alert that are so a month later too, among those still scored then."""
    after = panel.following
    listed = rows & alert.in_alert & (after >= 0)
    listed &= (alert.defined & ~panel.en_procedure)[after]
    stays, all_of_them = totals(panel.company, weights, listed & alert.in_alert[after], listed)
    return ratio(stays, all_of_them)


def lead_time(panel: Panel, alert: Alert, rows: Flags, weights: Weights) -> tuple[Floats, Floats]:
    """Return the median of the months between first alert and failure, and the share of failing companies warned.

    An alert counts within the eighteen months before the failure; failures whose eighteen months were not all scored are
    left out: their first alert may have come before the first month seen.
    """
    nothing = np.full(weights.shape[1], np.nan)
    if not alert.defined.any():
        return nothing, nothing
    eligible = panel.eligible(panel.months[panel.period[alert.defined].min()])
    announcing = rows & alert.defined & (panel.event >= 0)
    seen = np.zeros(eligible.size, dtype=bool)
    seen[panel.event[announcing]] = True
    first = np.full(eligible.size, np.iinfo(np.int64).max)
    warned_rows = announcing & alert.in_alert
    np.minimum.at(first, panel.event[warned_rows], panel.cutoffs[panel.period[warned_rows]].astype(np.int64))
    seen &= eligible
    warned = seen & (first < np.iinfo(np.int64).max)
    months = (panel.event_day[warned].astype(np.int64) - first[warned]) / _DAYS_OF_MONTH
    share = totals(panel.event_company[seen], weights, warned[seen], np.ones(int(seen.sum())))
    return median(months, panel.event_company[warned], weights), ratio(*share)
