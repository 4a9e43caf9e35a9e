"""How a delivered file is described: its names, its format, its cells. Data only; `staging` reads by these descriptions."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

Reader = Literal[
    "text",
    "accents",
    "sans_blancs",
    "entier",
    "decimal_point",
    "decimal_virgule",
    "pourcentage",
    "entier_tronque",
    "booleen",
    "oui_non",
    "date_iso",
    "date_fr",
    "date_compacte",
    "date_urssaf",
    "date_procol",
    "date_abregee",
    "periode_debut",
    "periode_fin",
    "motif",
    "centimes",
    "ape",
    "nomenclature",
    "code_commune",
    "code_postal",
    "indrep",
    "type_voie",
    "etat_actif",
    "effectif",
    "sirens",
    "objet",
    "type_avis",
    "nature",
    "date_bodacc",
    "date_cloture",
    "montant",
    "ratio",
]
OnError = Literal["record", "cell", "ignore"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a delivered file, and what becomes of it.

    `header` is matched without case. `column` is the staging column, None when the cell is only read so that its errors
    are seen. An unreadable cell quarantines its `record`, or the `cell` alone (the column is then NULL), or nothing.
    `required` refuses an empty cell; an `optional` header may be missing from the file. `member` is the path to a member of
    the JSON object that the cell holds, and is then what is read; after `[*]`, in each element of a list or in the one
    element that stands without, separated by commas. `digits` is the length of a code of digits, whose first zeros a file
    that holds it as a number has lost.
    """

    header: str
    reader: Reader = "text"
    column: str | None = None
    required: bool = False
    on_error: OnError = "record"
    optional: bool = False
    member: str = ""
    digits: int = 0

    @property
    def label(self) -> str:
        """The name of the cell in queries and messages."""
        return f"{self.header}.{self.member}" if self.member else self.header


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of file, delivered by one producer, usually every month as a full stock.

    `names` are the exact file names and `pattern` a regular expression of others (packed, in `.gz` or `.zip`, or not); an
    `exclusive` source takes one file a month, a `rejects_copies` one several that complete one another, but no two of one name in
    which numbers differ: each would state the whole. `editions` are other formats of the same content, each with its own names,
    separator, encoding and cells; `.parquet` and `.xlsx` say their format themselves.

    `key` names the identifier column and `filtered` whether companies outside the perimeter are left out. `unique` is
    the key that rows of the file must not repeat. `wide` marks head-count files, whose months are columns. `skip` is an
    SQL condition on headers (in double quotes) under which a record is none of ours and counts as filtered, and `exempt`
    one under which a record is kept whatever company it is about, or none.
    `keeps_line` stores the file and line a row comes from, where the order of files matters.

    `columns` names the columns of files without a header, and `ragged` takes their records whatever their width. `yearly`
    marks files whose headers end with a year: a record becomes a row per year, from the first to the last. `trims` drops
    blanks around values; the record that starts with `trailer` closes the file and counts as filtered. `undisclosed` is what
    the producer writes in the place of what it may not tell: unknown, in every cell.

    `account` says how files without the identifier get it: the header of an account, and the column of the day on which
    that account's establishment is looked up.
    """

    name: str
    producer: str
    grain: str
    names: tuple[str, ...]
    cells: tuple[Cell, ...]
    separator: str = ";"
    key: Literal["siren", "siret"] = "siret"
    lenient_quotes: bool = False
    filtered: bool = True
    expected: bool = True
    unique: tuple[str, ...] = ()
    wide: str | None = None
    yearly: bool = False
    account: tuple[str, str] | None = None
    skip: str | None = None
    exempt: str | None = None
    keeps_line: bool = False
    columns: tuple[str, ...] = ()
    ragged: bool = False
    trims: bool = False
    trailer: str = ""
    undisclosed: str = ""
    encoding: str = "utf-8"
    pattern: str = ""
    exclusive: bool = False
    rejects_copies: bool = False
    editions: tuple["Source", ...] = ()
    legal_basis: str = "convention with the producer"

    @property
    def table(self) -> str:
        """The name of the staging table."""
        return f"stg_{self.name}"

    def lacks_key(self, header: Collection[str]) -> bool:
        """Tell whether a header has an account in the place of the identifier."""
        keys = {cell.header.lower() for cell in self.cells if cell.column == self.key}
        return self.account is not None and keys.isdisjoint(name.lower() for name in header)

    def missing_from(self, names: Iterable[str]) -> list[str]:
        """Return the headers that a file of these column names lacks; an account stands for the identifier."""
        found = {name.lower() for name in names}
        return [
            cell.header
            for cell in self.cells
            if cell.header.lower() not in found and not cell.optional and not (cell.column == self.key and self.account)
        ]

    def names_exactly(self, name: str) -> bool:
        """Tell whether a file name, packing aside, is one of this source or of its editions."""
        return name in self.names or any(edition.names_exactly(name) for edition in self.editions)

    def matches(self, name: str) -> bool:
        """Tell whether a file name, packing aside, has the pattern of this source or of one of its editions."""
        by_pattern = bool(self.pattern) and re.fullmatch(self.pattern, name) is not None
        return by_pattern or any(edition.matches(name) for edition in self.editions)

    def edition_of(self, name: str) -> "Source":
        """Return the edition that a file name, packing aside, belongs to; the source itself when none claims it."""
        for claim in (Source.names_exactly, Source.matches):
            for edition in self.editions:
                if claim(edition, name):
                    return edition
        return self
