"""Tolerances of the lists: how long a list may be, by itself and beside last month's, and why."""

from sf_assets.engine.quality.measures import Margin, Tolerance

# Both levels together covered 6 to 9 % of the companies in the published lists; above a fifth a list does not help.
LARGEST_LIST = 0.20
# A share of fewer companies, which somebody selected, cannot be compared with a whole country.
FEW_COMPANIES = 1000
# A list half as long again needs an explanation for its readers; a list that doubles is not published (`not_doubled`).
LIST_CHANGE = 0.5
# Contributions are sums of some fifty doubles, and probabilities are computed from their logit with twelve digits.
EXPLAINED_GAP = 1e-6

TOLERANCES = (
    Tolerance(
        "not_doubled",
        ("list_alerts",),
        "number of companies of the latest list",
        "select count(*) from {batch} where version = (select max(version) from lake.list_versions where month = {month})",
        "nobody can call twice as many companies, and risk does not double in a month: thresholds or features moved",
        "Compare the month's features and thresholds with last month's before anything is published.",
        change=Margin(None, 0.8),
        min_difference=12,
    ),
)
