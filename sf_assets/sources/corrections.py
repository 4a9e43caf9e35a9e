"""Files of mended records: where they stand, what they are called, and how they are written whatever they mend.

Each is a delimited text in UTF-8 with a line of column names, in the sub-folder `corrections` of a month, under the name of the
file it corrects. A file that is no text, such as a workbook, is mended by one whose name goes on with `.csv`.
"""

from dataclasses import replace
from pathlib import Path

from sf_assets.engine.storage.packed import plain_name
from sf_assets.sources.description import Cell, Source
from sf_assets.sources.recognition import recognised

# The line of the record that each mended one stands for.
LINE = Cell("ligne", column="corrected_line")
CORRECTIONS = "corrections"
_NO_TEXT = (".json", ".parquet", ".xlsx")
_SUFFIX = ".csv"


def correction_name(name: str) -> str:
    """Return the name of the file that corrects another one.

    >>> correction_name("sigfaible_cotisdues.csv.gz"), correction_name("groupes.xlsx")
    ('sigfaible_cotisdues.csv', 'groupes.xlsx.csv')
    """
    plain = plain_name(name)
    return f"{plain}{_SUFFIX}" if plain.endswith(_NO_TEXT) else plain


def corrects(correction: Path, path: Path) -> bool:
    """Tell whether a correction bears the name that corrects a file, packed or not."""
    return plain_name(correction.name) == correction_name(path.name)


def is_correction(path: Path) -> bool:
    """Tell whether a file stands where mended records do."""
    return path.parent.name == CORRECTIONS


def edition_of(source: Source, path: Path) -> Source:
    """Return the edition of a source that a file is, or that a file of mended records is to be read as."""
    if not is_correction(path):
        return recognised(source, path, path.name)
    plain = plain_name(path.name)
    other = plain.removesuffix(_SUFFIX)
    return recognised(source, path, other if other.endswith(_NO_TEXT) else plain, as_correction=_as_correction)


def _as_correction(edition: Source) -> Source:
    return replace(edition, cells=(*edition.cells, LINE), columns=(), trailer="", encoding="utf-8")
