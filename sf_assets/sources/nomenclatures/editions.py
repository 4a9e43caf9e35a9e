"""Label tables in the layout of their producer: INSEE publishes some in several files, or without a header."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage.packed import plain_name


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an edition.

    `example` and `pattern` are its name without packing; `columns` are the columns to read, found by their names. When `code`
    is set, the file is a list of codes of that pattern: its columns are found by position, below a header of any wording.
    When `separator` is empty, each line is one column, and the file has no header.
    """

    name: str
    example: str
    pattern: str
    columns: tuple[str, ...]
    separator: str = ","
    code: str = ""

    def claims(self, name: str) -> bool:
        """Tell whether a file name, packed or not, is that of this part."""
        return re.fullmatch(self.pattern, plain_name(name)) is not None

    @property
    def query(self) -> str:
        """The SQL that reads the columns of the file `$path` as texts."""
        types = ", ".join(f"'{column}': 'VARCHAR'" for column in self.columns)
        if not self.separator:
            form = f"header = false, auto_detect = false, delim = '\x01', quote = '', columns = {{{types}}}"
        elif self.code:
            form = f"skip = 1, header = false, auto_detect = false, delim = '{self.separator}', columns = {{{types}}}"
        else:
            form = f"header = true, all_varchar = true, delim = '{self.separator}', quote = '\"'"
        return f"select {', '.join(self.columns)} from read_csv($path, {form})"


@dataclass(frozen=True, slots=True)
class Edition:
    """The files of the label table `table` as its producer publishes it, and the SQL that builds the table from them.

    The query reads each part under its name, and the packaged table under `packaged_codes`.
    """

    table: str
    parts: tuple[Part, ...]
    query: str


EDITIONS = (
    Edition(
        "labels_departement_region",
        (
            Part(
                "departements",
                "v_departement_2026.csv",
                r"(v_)?departements?(_?[0-9]{4})?\.csv",
                ("DEP", "REG", "LIBELLE"),
            ),
            Part("regions", "v_region_2026.csv", r"(v_)?regions?(_?[0-9]{4})?\.csv", ("REG", "LIBELLE")),
        ),
        # Overseas collectivities are not departments: INSEE lists them elsewhere, so the packaged rows stay.
        read_sql("sf_assets.sources.nomenclatures", "departements_of_insee"),
    ),
    Edition(
        "naf_codes",
        (
            Part(
                "sous_classes",
                "naf5.csv",
                r"(naf5|naf2008_liste_n5)\.csv",
                ("code", "libelle"),
                ";",
                code="[0-9]{4}[A-Z]",
            ),
            Part(
                "sections",
                "naf1.csv",
                r"(naf1|naf2008_liste_n1)\.csv",
                ("code", "libelle"),
                ";",
                code="[A-Z]",
            ),
            Part("passage", "5to1.csv", r"5to1\.csv", ("n5", "n1"), ";"),
        ),
        read_sql("sf_assets.sources.nomenclatures", "naf_of_insee"),
    ),
    Edition(
        "categories_juridiques",
        (Part("categories", "categories_juridiques.csv", r"categories_juridiques\.csv", ("line",), ""),),
        # Names contain commas without quotes, and some end with blanks. A line without a comma has no name.
        read_sql("sf_assets.sources.nomenclatures", "categories_of_insee"),
    ),
)


def table_of(name: str) -> str | None:
    """Return the label table of a file name in its producer's layout, None for other files.

    >>> table_of("v_departement_2026.csv"), table_of("naf5.csv.gz"), table_of("naf25_codes.csv")
    ('labels_departement_region', 'naf_codes', None)
    """
    return next((edition.table for edition in EDITIONS if any(part.claims(name) for part in edition.parts)), None)


def parts_of(table: str, paths: Sequence[Path]) -> tuple[Edition, dict[str, Path]] | None:
    """Return the edition of which `paths` are exactly the files, and the file of each part; None for other files."""
    for edition in EDITIONS:
        if edition.table == table and len(paths) == len(edition.parts):
            found = {part.name: path for part in edition.parts for path in paths if part.claims(path.name)}
            if len(found) == len(edition.parts):
                return edition, found
    return None
