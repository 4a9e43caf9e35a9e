"""When a value becomes known: one line per source, the only place that says so.

A feature of a month may use a value only if this day is not after the month's cut-off. Queries receive the figures as
bound parameters. Debts, demands of short-time work and payment plans carry their own day; Sirene is the state at the
date.
"""

DELAYS: dict[str, int] = {
    # the 15th (14 days after the first) of the month after the month of `periode_fin`
    "cotisation_months": 1,
    "cotisation_days": 14,
    "effectif_months": 3,
    "apconso_months": 2,
    "procol_days": 30,
    "paydex_months": 1,
    "comptes_months": 7,
}
