"""Tolerances of the delivered files: how far their number of lines may be from the deliveries before, and why.

A file is a full stock, delivered again every month. Its size moves slowly: a jump means that the delivery changed.
"""

from sf_assets.engine.quality.measures import Margin, Tolerance

# A register of a few hundred companies may not change in a month; one of several thousand always does.
FEW_LINES = 5000
REGISTER = ("sirene", "sirene_ul", "sirene_histo")
# Head-counts, contributions, debts and demands gain a month of records every month: a thousand of them always change.
FEW_EVENTS = 1000

_MONTHLY = (
    "src_sirene", "src_sirene_ul", "src_sirene_histo", "src_effectif_ent", "src_effectif", "src_cotisation", "src_debit",
    "src_delai", "src_procol", "src_apconso", "src_apdemande",
)  # fmt: skip
# A month may lack these files; the last delivery then stays loaded. A file that comes is complete.
_OPTIONAL = (
    "src_admin_urssaf", "src_ccsf", "src_paydex", "src_tva_ca3", "src_tva_ca12", "src_ellisphere", "src_bdf", "src_diane",
    "src_bodacc",
)  # fmt: skip
ACCOUNTS = ("src_declarations_indmap", "src_declarations_af", "src_ratios_dirco", "src_ratios_inpi_bce")

TOLERANCES = (
    *(
        Tolerance(
            "lines_like_before",
            assets,
            "number of lines delivered",
            "select sum(lines) from {batch}",
            f"an optional file is a stock like the others: it may be missing, and then the last one is used, but {reason}",
            "Compare the file with the last one delivered: ask the producer whether the extraction is complete. Without it "
            "the last one stays in use.",
            change=Margin(fall, 0.5),
            level=Margin(0.4, 1.0),
            min_difference=50,
        )
        for assets, fall, reason in (
            (_OPTIONAL, 0.2, "it neither shrinks nor doubles from one delivery to the next"),
            # A window of three years holds four of accounts just before the oldest leaves.
            (ACCOUNTS, 0.25, "it loses at most its oldest year and does not double from one delivery to the next"),
        )
    ),
    Tolerance(
        "lines_like_before",
        _MONTHLY,
        "number of lines delivered",
        "select sum(lines) from {batch}",
        "one month more moves a stock of years by a few percent, and the register by less; fewer lines mean a truncated "
        "file, more lines mean records delivered twice",
        "Compare the file with last month's: ask the producer whether the extraction is complete.",
        change=Margin(0.2, 0.2),
        level=Margin(0.4, 0.4),
        min_difference=50,
    ),
)
