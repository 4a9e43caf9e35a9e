"""Files of corrections: their folder, their names and their format.

A file of corrections holds corrected records of one delivered file. It is a delimited text in UTF-8 with a line of column
names, whatever the format of the delivered file. It is in the sub-folder `corrections` of the month, under the name of the
delivered file; `.csv` is appended when that file is not a text, such as a workbook.
"""

from dataclasses import replace
from pathlib import Path

from sf_assets.engine.storage.packed import plain_name
from sf_assets.sources.description import Cell, Source
from sf_assets.sources.recognition import recognise_edition

# The first column of a file of corrections: the line of the quarantined record that the correction replaces.
LINE = Cell("ligne", column="corrected_line")
CORRECTIONS = "corrections"
_NOT_TEXT = (".json", ".parquet", ".xlsx")
_SUFFIX = ".csv"


def correction_name(name: str) -> str:
    """Return the name of the file of corrections of a delivered file.

    >>> correction_name("sigfaible_cotisdues.csv.gz"), correction_name("groupes.xlsx")
    ('sigfaible_cotisdues.csv', 'groupes.xlsx.csv')
    """
    plain = plain_name(name)
    return f"{plain}{_SUFFIX}" if plain.endswith(_NOT_TEXT) else plain


def corrects(correction: Path, path: Path) -> bool:
    """Tell whether `correction` has the name of the corrections of the file `path`, packed or not."""
    return plain_name(correction.name) == correction_name(path.name)


def is_correction(path: Path) -> bool:
    """Tell whether a file is in a folder of corrections."""
    return path.parent.name == CORRECTIONS


def edition_of(source: Source, path: Path) -> Source:
    """Return the edition of a delivered file, or the edition by which a file of corrections is read."""
    if not is_correction(path):
        return recognise_edition(source, path, path.name)
    plain = plain_name(path.name)
    other = plain.removesuffix(_SUFFIX)
    return recognise_edition(source, path, other if other.endswith(_NOT_TEXT) else plain, as_correction=_as_correction)


def _as_correction(edition: Source) -> Source:
    return replace(edition, cells=(*edition.cells, LINE), columns=(), trailer="", encoding="utf-8")
