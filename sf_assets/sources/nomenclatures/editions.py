"""Label tables in their producer's own layout: INSEE publishes some in several files, or without a line of names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sf_assets.engine.storage.packed import plain_name


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an edition: its name (packing aside) by an example and by a pattern, and the columns that are read of it.

    Columns are found by their names; those of a list of codes, `code` is their pattern, by their places below a line of names
    of any wording. Without a separator, each line is one column, and there is no line of names.
    """

    name: str
    example: str
    pattern: str
    columns: tuple[str, ...]
    separator: str = ","
    code: str = ""

    def claims(self, name: str) -> bool:
        """Tell whether a file of this name is the part."""
        return re.fullmatch(self.pattern, plain_name(name)) is not None

    @property
    def query(self) -> str:
        """The SQL that reads the file `$path`: its columns, as texts."""
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
    """The files that make up the label table `table`, and the SQL that makes it of them.

    The query reads each part by its name, and the packaged table as `packaged_codes`.
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
        # Collectivities overseas are no departments: INSEE lists them apart, and they stay as they are.
        """
        select
            d.DEP as departement, d.LIBELLE as libelle_departement, d.REG as region, r.LIBELLE as libelle_region
        from departements as d left join regions as r using (REG)
        union all
        select * from packaged_codes where region = '00' and departement not in (select DEP from departements)
        """,
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
        """
        select
            n5[:2] || '.' || n5[3:] as niv5, n5[:2] || '.' || n5[3:4] as niv4, n5[:2] || '.' || n5[3:3] as niv3,
            n5[:2] as niv2, n1 as niv1, sections.libelle as niv1_libelle, sous_classes.libelle as niv5_libelle
        from (select code as n5, libelle from sous_classes) as sous_classes
        left join passage using (n5)
        left join sections on sections.code = n1
        """,
    ),
    Edition(
        "categories_juridiques",
        (Part("categories", "categories_juridiques.csv", r"categories_juridiques\.csv", ("line",), ""),),
        # Names have commas, and are not quoted; blanks end some. A line without a comma names nothing.
        """
        select
            split_part(line, ',', 1) as code,
            case when contains(line, ',') then trim(trim(line[strpos(line, ',') + 1:], ' '), '"') end as libelle
        from categories
        """,
    ),
)


def table_of(name: str) -> str | None:
    """Return the label table that a file belongs to in its producer's layout, None when it belongs to none.

    >>> table_of("v_departement_2026.csv"), table_of("naf5.csv.gz"), table_of("naf25_codes.csv")
    ('labels_departement_region', 'naf_codes', None)
    """
    return next((edition.table for edition in EDITIONS if any(part.claims(name) for part in edition.parts)), None)


def parts_of(table: str, paths: Sequence[Path]) -> tuple[Edition, dict[str, Path]] | None:
    """Return the edition of a label table that files make up, and the file of each part; None unless they are just that."""
    for edition in EDITIONS:
        if edition.table == table and len(paths) == len(edition.parts):
            found = {part.name: path for part in edition.parts for path in paths if part.claims(path.name)}
            if len(found) == len(edition.parts):
                return edition, found
    return None
