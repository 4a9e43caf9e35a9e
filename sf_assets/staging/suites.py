"""The checks of staging tables beyond their declared rules: no record lost, few records quarantined."""

from datetime import date

from sf_assets.engine.quality.rules import Outcome, Probe, Suite
from sf_assets.engine.quality.tolerance_checks import suite_of
from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Session
from sf_assets.sources.corrections import CORRECTIONS
from sf_assets.sources.description import Source
from sf_assets.sources.log import LOG
from sf_assets.sources.registry import FILTER, SOURCES
from sf_assets.staging.tables import FILTER_IMPORT, FILTER_STEPS, IMPORTS, QUARANTINE, STAGING
from sf_assets.staging.tolerances import REFUSED_SHARE, TOLERANCES

_TALLY = read_sql("sf_assets.staging", "tally")


# Tables whose number of rows differs from that of accepted records: several rows per record, or the rows of the last file only.
_SEVERAL_ROWS = {source.name for source in SOURCES if source.wide or source.yearly} | {"admin_urssaf", "bodacc"}


def _nothing_lost(source: Source) -> Probe:
    def check(session: Session, month: date) -> Outcome:
        values = {"month": month, "source": source.name}
        records, accepted, lost = session.connection.execute(session.on_copies(_TALLY, [month]), values).fetchall()[0]
        if source.name not in _SEVERAL_ROWS:
            ((rows,),) = session.connection.execute(
                f"select count(*) from {session.source_of(source.table, [month])} where month = $month",
                {"month": month},
            ).fetchall()
            lost += abs(rows - accepted)
        return Outcome(passed=lost == 0, unexpected_count=lost, element_count=records)

    return Probe(
        "nothing_lost",
        check,
        "records counted on arrival are accepted, filtered or quarantined, each exactly once"
        + ("" if source.name in _SEVERAL_ROWS else ", and each accepted one is one row"),
        "This is a bug of the reader: keep the file and report it.",
    )


# Quarantined records of files of corrections are left out: the records that they were to replace count already.
_UNCORRECTED = """
    select coalesce(sum(records), 0)::bigint, coalesce(sum(quarantined - coalesce(corrected, 0)), 0)::bigint
    from lake.stg_import where month = $month and source = $source and not contains(file, $corrections)
"""


def _few_refused(source: Source) -> Probe:
    def check(session: Session, month: date) -> Outcome:
        values = {"month": month, "source": source.name, "corrections": f"/{CORRECTIONS}/"}
        records, refused = session.connection.execute(session.on_copies(_UNCORRECTED, [month]), values).fetchall()[0]
        return Outcome(passed=refused <= REFUSED_SHARE * records, unexpected_count=refused, element_count=records)

    return Probe(
        "few_refused",
        check,
        f"at most {REFUSED_SHARE:.0%} of the records are quarantined and not yet corrected",
        f"Count them by rule (sf quarantine list), and ask {source.producer} what changed.",
        # A few answers are filled in by hand: one that is refused must not stop the list of the month.
        "warning" if source.about_lists else "error",
    )


def _usable_filter(session: Session, month: date) -> Outcome:
    query = session.on_copies(read_sql("sf_assets.staging", "filter_records"), [month])
    values = {"month": month, "source": FILTER.name, "corrections": f"/{CORRECTIONS}/"}
    files, delivered, accepted, refused = session.connection.execute(query, values).fetchall()[0]
    usable = files == 0 or (delivered == 1 and accepted > 0 and refused == 0)
    return Outcome(passed=usable, unexpected_count=0 if usable else files, element_count=files)


# A perimeter that is partly unreadable would silently drop companies from every table of the month.
_USABLE_FILTER = Probe(
    "usable_filter",
    _usable_filter,
    "an explicit perimeter is one file that holds at least one siren and nothing but sirens",
    "Correct the filter file, or take it out of the batch's folder to use the perimeter computed from head-counts; then "
    "run src_filter and what follows it.",
)

SUITES: dict[str, Suite] = {
    **{
        source.table: suite_of(
            STAGING[source.name],
            (_nothing_lost(source), _USABLE_FILTER if source is FILTER else _few_refused(source)),
            tolerances=TOLERANCES,
            beside=(IMPORTS,),
        )
        for source in SOURCES
    },
    **{
        table.name: suite_of(table, tolerances=TOLERANCES)
        for table in (FILTER_IMPORT, FILTER_STEPS, IMPORTS, QUARANTINE, LOG)
    },
}
