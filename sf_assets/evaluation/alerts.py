"""Simulated alerts of a backtest: levels by thresholds chosen on the past of each origin, and lists of a fixed size."""

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
# List sizes refer to the national perimeter of this many companies; lists of fewer companies are scaled down.
NATIONAL_COMPANIES = 350_000
_DAYS_OF_MONTH = 30.4375


@dataclass(frozen=True, slots=True)
class Alert:
    """One kind of alert over the rows of a panel.

    Attributes:
        name: `fort`, `modere` or `liste_<size>`.
        in_alert: whether each row is in alert.
        defined: whether the alert is defined for each row; it is not before an origin has thresholds.

    """

    name: str
    in_alert: Flags
    defined: Flags


def thresholds_by_origin(
    panel: Panel, score: Floats, rules: SplitRules, alert: AlertRule
) -> tuple[Thresholds | None, ...]:
    """Return the thresholds of each origin, chosen by `alert` on the last scored months whose labels were known then.

    An earlier origin scored these months, hence a method that had not learned from them. An origin has None without
    enough such months (`rules.validation_months`), or without a failure among them.
    """
    chosen: list[Thresholds | None] = []
    for origin in panel.origins:
        months = months_labelled_at(panel.months, rules.cutoff(origin), rules)[-rules.validation_months :]
        rows = np.isin(panel.period, [panel.months.index(month) for month in months])
        enough = len(months) == rules.validation_months and (panel.target & ~panel.en_procedure)[rows].any()
        chosen.append(alert.thresholds(score[rows], panel.target[rows], panel.en_procedure[rows]) if enough else None)
    return tuple(chosen)


def level_alerts(panel: Panel, score: Floats, thresholds: tuple[Thresholds | None, ...]) -> tuple[Alert, Alert]:
    """Return the strong and the moderate alerts; a row in strong alert is in moderate alert too."""
    defined = np.array([one is not None for one in thresholds])[panel.origin]
    limits = {
        "fort": [one.fort if one else np.inf for one in thresholds],
        "modere": [one.modere if one else np.inf for one in thresholds],
    }
    fort, modere = (Alert(name, score >= np.array(limit)[panel.origin], defined) for name, limit in limits.items())
    return fort, modere


def fixed_size_lists(panel: Panel, score: Floats, rows: Flags) -> tuple[Alert, ...]:
    """Return the lists of the riskiest companies of each month among `rows`, one per size of `LIST_SIZES`.

    Sizes are scaled from the national perimeter to the number of rows of the month. Equal scores are ranked by company, as
    on the published list.
    """
    places = np.flatnonzero(rows)
    order = places[np.lexsort((panel.company[places], -score[places], panel.period[places]))]
    counts = np.bincount(panel.period[order], minlength=len(panel.months))
    rank = np.arange(order.size) - np.repeat(np.cumsum(counts) - counts, counts)
    alerts = []
    for size in LIST_SIZES:
        length = np.maximum(np.rint(counts * size / NATIONAL_COMPANIES), 1)
        in_alert = np.zeros(rows.size, dtype=bool)
        in_alert[order[rank < length[panel.period[order]]]] = True
        alerts.append(Alert(f"liste_{size}", in_alert, rows))
    return tuple(alerts)


def list_stability(panel: Panel, alert: Alert, rows: Flags, weights: Weights) -> Floats:
    """Return, for each draw, the share of companies in alert that are in alert a month later, among those scored then."""
    after = panel.following
    listed = rows & alert.in_alert & (after >= 0)
    listed &= (alert.defined & ~panel.en_procedure)[after]
    staying, in_alert = totals(panel.company, weights, listed & alert.in_alert[after], listed)
    return ratio(staying, in_alert)


def lead_time(panel: Panel, alert: Alert, rows: Flags, weights: Weights) -> tuple[Floats, Floats]:
    """Return, for each draw, the median lead time in months and the share of failures preceded by an alert.

    The lead time is the time from the first alert to the failure. Only alerts within the eighteen months before the failure
    count. Failures whose eighteen months were not all scored are left out: their first alert may precede the first month
    scored. Both are NaN when the alert is defined for no row.
    """
    undefined = np.full(weights.shape[1], np.nan)
    if not alert.defined.any():
        return undefined, undefined
    eligible = panel.eligible(panel.months[panel.period[alert.defined].min()])
    before_failure = rows & alert.defined & (panel.event >= 0)
    seen = np.zeros(eligible.size, dtype=bool)
    seen[panel.event[before_failure]] = True
    first = np.full(eligible.size, np.iinfo(np.int64).max)
    warned_rows = before_failure & alert.in_alert
    np.minimum.at(first, panel.event[warned_rows], panel.cutoffs[panel.period[warned_rows]].astype(np.int64))
    seen &= eligible
    warned = seen & (first < np.iinfo(np.int64).max)
    months = (panel.event_day[warned].astype(np.int64) - first[warned]) / _DAYS_OF_MONTH
    share = totals(panel.event_company[seen], weights, warned[seen], np.ones(int(seen.sum())))
    return median(months, panel.event_company[warned], weights), ratio(*share)
