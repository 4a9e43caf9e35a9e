"""Tolerances of the feature tables: how far the number of companies may be from the months before, and why."""

from sf_assets.engine.quality.measures import Margin, Tolerance

TOLERANCES = (
    Tolerance(
        "companies_like_before",
        ("feat_company_month",),
        "number of companies followed at the cut-off",
        "select count(*) from {batch}",
        "about one company in a hundred opens or closes in a month",
        "Compare clean_filter, then the head-counts and the states of head offices, with last month's.",
        change=Margin(0.1, 0.1),
        level=Margin(0.25, 0.25),
        min_difference=20,
    ),
)
