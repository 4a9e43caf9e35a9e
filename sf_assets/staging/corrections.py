"""Corrections: corrected records that replace quarantined records, which stay in the account of records.

A file of corrections has the columns of the delivered file and, before them, `ligne`: the line of the record that each
correction replaces. A correction is read like any other record. The original record counts as quarantined, even when only one
of its cells was refused, and `corrected_by` names the file that corrects it. Every record thus has one outcome, and none is
loaded twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import duckdb

from sf_assets.engine.sql import read_sql
from sf_assets.sources.corrections import LINE
from sf_assets.staging.reading import Count
from sf_assets.vocabulary.failures import UserError


class BadCorrection(UserError):
    """A correction replaces a record that is not quarantined, or one that another correction replaces already."""


def apply_corrections(
    connection: duckdb.DuckDBPyConnection, counts: Sequence[Count], originals: Mapping[str, str]
) -> list[Count]:
    """Replace the corrected records in the tables of `read_source`; return the counts adjusted accordingly.

    `originals` gives the delivered file of each file of corrections; both have been read together. The table `quarantine`
    gets the column `corrected_by`.

    Raises:
        BadCorrection: names the file, what was expected, the number of wrong corrections and the line of the first.

    """
    connection.execute("alter table quarantine add column corrected_by varchar")
    if not originals:
        return list(counts)
    # A correction that is quarantined itself replaces nothing. A yearly record has one row per year, hence `distinct`.
    connection.execute(
        read_sql("sf_assets.staging", "corrections", number=str(LINE.column)),
        {"corrections": list(originals), "files": list(originals.values())},
    )
    _refuse_unmatched(connection)
    connection.execute(
        """
        update quarantine set corrected_by = corrections.correction
        from corrections where quarantine.file = corrections.file and quarantine.line = corrections.original_line
        """
    )
    adjusted = [_adjusted(connection, count) for count in counts]
    connection.execute(
        """
        update typed_records as typed set disposition = 'quarantined'
        from corrections
        where typed.file = corrections.file and typed.line = corrections.original_line and typed.disposition = 'accepted'
        """
    )
    return adjusted


def _refuse_unmatched(connection: duckdb.DuckDBPyConnection) -> None:
    wrong = connection.execute(
        """
        select correction, file, count(*), min(line) from corrections
        where is_repeated or (file, original_line) not in (select file, line from quarantine) or original_line is null
        group by correction, file order by correction
        """
    ).fetchone()
    if wrong:
        correction, file, records, line = wrong
        raise BadCorrection(
            f"{correction}: expected in the column {LINE.header} the number of a quarantined line of {file}, each once, "
            f"found {records} other records, the first on line {line}. Correct the file, or take it out of the folder."
        )


def _adjusted(connection: duckdb.DuckDBPyConnection, count: Count) -> Count:
    """Return the count of a file after its corrected records have moved from accepted to quarantined."""
    corrected, moved, cells = connection.execute(
        read_sql("sf_assets.staging", "corrected_records"),
        {"file": count.file},
    ).fetchall()[0]
    return replace(
        count,
        accepted=count.accepted - moved,
        quarantined=count.quarantined + moved,
        cells=count.cells - int(cells),
        corrected=corrected,
    )
