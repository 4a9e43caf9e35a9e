"""What is asked of staging tables beyond their declaration: no record lost, not too many refused."""

from datetime import date

from sf_assets.engine.quality.rules import Outcome, Probe, Suite
from sf_assets.engine.quality.tolerance_checks import suite_of
from sf_assets.engine.storage import Session
from sf_assets.sources.description import Source
from sf_assets.sources.log import LOG
from sf_assets.sources.mended import CORRECTIONS
from sf_assets.sources.registry import FILTER, SOURCES
from sf_assets.staging.tables import FILTER_IMPORT, FILTER_STEPS, IMPORTS, QUARANTINE, STAGING
from sf_assets.staging.tolerances import REFUSED_SHARE, TOLERANCES

_TALLY = """
    select
        coalesce(sum(records), 0)::bigint, coalesce(sum(accepted), 0)::bigint,
        coalesce(sum(abs(records - accepted - filtered - quarantined)), 0)::bigint
    from lake.stg_import where month = $month and source = $source
"""


# Tables whose accepted records become several rows, or only those of a later file.
_SEVERAL_ROWS = {source.name for source in SOURCES if source.wide or source.yearly} | {"admin_urssaf", "bodacc"}


def _nothing_lost(source: Source) -> Probe:
    def judge(session: Session, month: date) -> Outcome:
        values = {"month": month, "source": source.name}
        records, accepted, lost = session.connection.execute(_TALLY, values).fetchall()[0]
        if source.name not in _SEVERAL_ROWS:
            ((rows,),) = session.connection.execute(
                f"select count(*) from lake.{source.table} where month = $month", {"month": month}
            ).fetchall()
            lost += abs(rows - accepted)
        return Outcome(passed=lost == 0, unexpected_count=lost, element_count=records)

    return Probe(
        "nothing_lost",
        judge,
        "records counted on arrival are accepted, filtered or quarantined, each exactly once"
        + ("" if source.name in _SEVERAL_ROWS else ", and each accepted one is one row"),
        "This is a fault of the reader: keep the file and report it.",
    )


# A correction that is refused in its turn stands for a record that counts already.
_UNMENDED = """
    select coalesce(sum(records), 0)::bigint, coalesce(sum(quarantined - coalesce(corrected, 0)), 0)::bigint
    from lake.stg_import where month = $month and source = $source and not contains(file, $corrections)
"""


def _few_refused(source: Source) -> Probe:
    def judge(session: Session, month: date) -> Outcome:
        values = {"month": month, "source": source.name, "corrections": f"/{CORRECTIONS}/"}
        records, refused = session.connection.execute(_UNMENDED, values).fetchall()[0]
        return Outcome(passed=refused <= REFUSED_SHARE * records, unexpected_count=refused, element_count=records)

    return Probe(
        "few_refused",
        judge,
        f"at most {REFUSED_SHARE:.0%} of the records are quarantined and not mended since",
        f"Look into stg_quarantine for the rule that refuses most, and ask {source.producer} what changed.",
    )


def _usable_filter(session: Session, month: date) -> Outcome:
    files, whole, accepted, refused = session.connection.execute(
        """
        select
            count(*), count(*) filter (not contains(file, $corrections)), coalesce(sum(accepted), 0)::bigint,
            coalesce(sum(quarantined - coalesce(corrected, 0)), 0)::bigint
        from lake.stg_import where month = $month and source = $source
        """,
        {"month": month, "source": FILTER.name, "corrections": f"/{CORRECTIONS}/"},
    ).fetchall()[0]
    usable = files == 0 or (whole == 1 and accepted > 0 and refused == 0)
    return Outcome(passed=usable, unexpected_count=0 if usable else files, element_count=files)


# A perimeter that is partly unreadable would silently drop companies from every table of the month.
_USABLE_FILTER = Probe(
    "usable_filter",
    _usable_filter,
    "an explicit perimeter is one file that holds at least one siren and nothing but sirens",
    "Mend the filter file, or take it out of the batch's folder to use the perimeter computed from head-counts; then "
    "materialise src_filter and stg_filter again.",
)

SUITES: dict[str, Suite] = {
    **{
        source.table: suite_of(
            STAGING[source.name],
            (_nothing_lost(source), _USABLE_FILTER if source is FILTER else _few_refused(source)),
            tolerances=TOLERANCES,
        )
        for source in SOURCES
    },
    **{
        table.name: suite_of(table, tolerances=TOLERANCES)
        for table in (FILTER_IMPORT, FILTER_STEPS, IMPORTS, QUARANTINE, LOG)
    },
}
