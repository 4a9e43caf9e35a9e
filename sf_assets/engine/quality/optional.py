"""Tolerances of the sources that a month may lack: the last delivery then stays, so that one that comes is complete."""

from sf_assets.engine.quality.measures import Margin, Tolerance, newest_announcement, recent

_SOURCES = (
    "admin_urssaf ccsf paydex declarations_indmap declarations_af ratios_dirco ratios_inpi_bce tva_ca3 tva_ca12 ellisphere bdf "
    "diane bodacc"
)

OPTIONAL = (
    Tolerance(
        "lines_like_before",
        tuple(f"src_{name}" for name in _SOURCES.split()),
        "number of lines delivered",
        "select sum(lines) from {batch}",
        "an optional file is a stock like the others: it may stay away, and then the last one serves, but it neither shrinks nor "
        "doubles from one delivery to the next",
        "Compare the file with the last one delivered: ask the producer whether the extraction is complete. Without it the "
        "last one stays in force.",
        change=Margin(0.2, 0.5),
        level=Margin(0.4, 1.0),
        least=50,
    ),
    Tolerance(
        "announcements_like_before",
        ("stg_bodacc",),
        "days from the newest announcement to the end of the month",
        newest_announcement("date_parution"),
        "the bulletin appears on five days a week: an export whose last announcement is weeks older than last time is last "
        "month's, and the failures since would be missing. Under forty announcements a quarter it says nothing",
        "Look at the day the export was made, and download it again.",
        change=Margin(None, 15),
        level=Margin(None, 20),
        relative=False,
    ),
    Tolerance(
        "recent_steps_there",
        ("stg_bodacc",),
        "announcements of the last three months, over those of a quarter of the two years before",
        # Corrections about other companies than ours are no steps of theirs.
        recent("case when siren is not null then date_parution end"),
        "2020 saw six tenths of the procedures of 2019: below a quarter of the usual the end of the file is missing, and "
        "failures would be taken for companies that do well. Under twelve announcements a quarter it says nothing",
        "Look at the newest dates of the file and download the whole export again: labels depend on it.",
        low=0.25,
    ),
)
