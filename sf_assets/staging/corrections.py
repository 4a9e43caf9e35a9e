"""Mended records: each takes the place of the record that was refused, which stays in the account.

A file of corrections has the columns of the file it mends and, before them, `ligne`: the line of the record that each of
its own stands for. A mended record is read like any other. Its original counts as quarantined, even when only one of its
cells was, and is marked with the file that mends it: every record still ends in one place, and none is loaded twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import duckdb

from sf_assets.sources.corrections import LINE
from sf_assets.staging.reading import Count
from sf_assets.vocabulary.failures import UserError


class BadCorrection(UserError):
    """A correction stands for no refused record, or for one that another stands for already."""


def apply_corrections(
    connection: duckdb.DuckDBPyConnection, counts: Sequence[Count], originals: Mapping[str, str]
) -> list[Count]:
    """Put mended records in the place of their originals in what `read_source` made; return the counts that follow.

    `originals` names the file that each file of corrections mends; they were read with them. The table `quarantine`
    gets the column `corrected_by`.

    Raises:
        BadCorrection: names the file, what was expected, how many records are wrong and the first one's line.

    """
    connection.execute("alter table quarantine add column corrected_by varchar")
    if not originals:
        return list(counts)
    # A correction that is refused in its turn replaces nothing. A record may have a row a year.
    connection.execute(
        f"""
        create or replace temp table mended as
        select
            sound.file as correction, line, pairs.original as file, read_entier({LINE.column}) as original_line,
            row_number() over (partition by pairs.original, original_line order by line) > 1 as is_repeated
        from (select distinct file, line, {LINE.column} from typed where disposition <> 'quarantined') as sound
        join (select unnest($corrections) as correction, unnest($files) as original) as pairs
            on sound.file = pairs.correction
        """,
        {"corrections": list(originals), "files": list(originals.values())},
    )
    _refuse_unmatched(connection)
    connection.execute(
        """
        update quarantine set corrected_by = mended.correction
        from mended where quarantine.file = mended.file and quarantine.line = mended.original_line
        """
    )
    adjusted = [_adjusted(connection, count) for count in counts]
    connection.execute(
        """
        update typed set disposition = 'quarantined'
        from mended
        where typed.file = mended.file and typed.line = mended.original_line and typed.disposition = 'accepted'
        """
    )
    return adjusted


def _refuse_unmatched(connection: duckdb.DuckDBPyConnection) -> None:
    wrong = connection.execute(
        """
        select correction, file, count(*), min(line) from mended
        where is_repeated or (file, original_line) not in (select file, line from quarantine) or original_line is null
        group by correction, file order by correction
        """
    ).fetchone()
    if wrong:
        correction, file, records, line = wrong
        raise BadCorrection(
            f"{correction}: expected in the column {LINE.header} the number of a refused line of {file}, each once, "
            f"found {records} records without, the first on line {line}. Mend the file, or take it out of the folder."
        )


def _adjusted(connection: duckdb.DuckDBPyConnection, count: Count) -> Count:
    """Return the count of a file once its mended records are in other hands."""
    corrected, moved, cells = connection.execute(
        """
        select
            count(*),
            count(*) filter (where kept.line is not null),
            coalesce(sum(notes.cells) filter (where kept.line is not null), 0)
        from mended
        left join (select distinct line from typed where file = $file and disposition = 'accepted') as kept
            on mended.original_line = kept.line
        left join (
            select line, count(*) as cells from quarantine where file = $file and level = 'cell' group by line
        ) as notes on mended.original_line = notes.line
        where mended.file = $file
        """,
        {"file": count.file},
    ).fetchall()[0]
    return replace(
        count,
        accepted=count.accepted - moved,
        quarantined=count.quarantined + moved,
        cells=count.cells - int(cells),
        corrected=corrected,
    )
