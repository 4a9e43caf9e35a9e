"""The classes that describe a delivered file: its names, its format, its cells. `staging` reads files by these data."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from sf_assets.vocabulary.modes import FULL, Mode

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
    "destinataire",
    "zones",
    "droits",
    "lot",
    "utilite",
    "cle_age",
    "tranche",
]
OnError = Literal["record", "cell", "ignore"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a delivered file, and how it is read.

    `header` is matched without case. `reader` names the macro of `staging/readers.sql` that reads the text. `column` is the
    staging column; None reads the cell only to report its errors. `on_error` is what an unreadable cell quarantines: its
    `record`, the `cell` alone (the column is then NULL), or nothing (`ignore`). `required` refuses an empty cell. An
    `optional` header may be missing from the file.

    `member` is a path in the JSON object that the cell holds: the member is read instead of the cell. After `[*]` it is read
    in each element of a list, or in a single element written without a list; values are joined by commas. `digits` is the
    length of a numeric code: files that store it as a number have lost its leading zeros.
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

    Names and formats: `names` are the exact file names, `pattern` is a regular expression of further names; both apply to
    plain and packed files (`.gz`, `.zip`). `editions` are other formats of the same content, each with its own names,
    separator, encoding and cells; `.parquet` and `.xlsx` files are recognised by their extension. `columns` names the columns
    of files without a header, and `ragged` accepts their records of any width. `trims` removes blanks around values. The
    record that starts with `trailer` ends the file and counts as filtered. `undisclosed` is the text that the producer
    writes instead of a value it may not publish: the cell is then unknown. Of a workbook with several sheets, a source with
    `first_sheet` reads the first; other sources refuse it.

    Number of files: an `exclusive` source takes one file a month. A source that `rejects_copies` takes several files that
    complete one another, but refuses files whose names differ only by numbers: each would hold the whole content.

    Records: `key` names the identifier column, and is empty when records are about no company. `filtered` leaves out
    companies outside the perimeter. `skip` is an SQL condition on headers (in double quotes): records that meet it are not
    needed and count as filtered. `exempt` is a condition under which a record is loaded whatever company it is about, or
    none. `unique` is the key of a record, which the file must not repeat. `expected` sources are delivered every month.

    Rows: `wide` names the value of head-count files, whose months are columns. `yearly` marks files whose headers end with a
    year: a record becomes one row per year, from the first to the last. `keeps_line` stores the file and line of each row,
    where the order of files matters. `about_lists` is the header of the month of a list, in answers about published lists: a
    record about a company that was neither on that list nor on an earlier one is refused. `account` applies to files without
    the identifier: it holds the header of the account, and the column of the day on which the establishment of that account
    is looked up.

    Modes: a source is read in its `modes` only. A source that `shares` the files of another reads other columns of them, besides
    files of its own.
    """

    name: str
    producer: str
    grain: str
    names: tuple[str, ...]
    cells: tuple[Cell, ...]
    separator: str = ";"
    key: Literal["siren", "siret", ""] = "siret"
    lenient_quotes: bool = False
    filtered: bool = True
    expected: bool = True
    unique: tuple[str, ...] = ()
    wide: str | None = None
    yearly: bool = False
    account: tuple[str, str] | None = None
    about_lists: str = ""
    skip: str | None = None
    exempt: str | None = None
    keeps_line: bool = False
    columns: tuple[str, ...] = ()
    ragged: bool = False
    trims: bool = False
    trailer: str = ""
    first_sheet: bool = False
    undisclosed: str = ""
    encoding: str = "utf-8"
    pattern: str = ""
    exclusive: bool = False
    rejects_copies: bool = False
    editions: tuple["Source", ...] = ()
    modes: tuple[Mode, ...] = (FULL,)
    shares: str = ""
    legal_basis: str = "convention with the producer"

    @property
    def table(self) -> str:
        """The name of the staging table."""
        return f"stg_{self.name}"

    def lacks_key(self, header: Collection[str]) -> bool:
        """Tell whether a header has an account instead of the identifier."""
        keys = {cell.header.lower() for cell in self.cells if cell.column == self.key}
        return self.account is not None and keys.isdisjoint(name.lower() for name in header)

    def missing_from(self, names: Iterable[str]) -> list[str]:
        """Return the declared headers that are missing from these column names; an account replaces the identifier."""
        found = {name.lower() for name in names}
        return [
            cell.header
            for cell in self.cells
            if cell.header.lower() not in found and not cell.optional and not (cell.column == self.key and self.account)
        ]

    def names_exactly(self, name: str) -> bool:
        """Tell whether a file name without packing is an exact name of this source or of its editions."""
        return name in self.names or any(edition.names_exactly(name) for edition in self.editions)

    def matches(self, name: str) -> bool:
        """Tell whether a file name without packing matches the pattern of this source or of one of its editions."""
        by_pattern = bool(self.pattern) and re.fullmatch(self.pattern, name) is not None
        return by_pattern or any(edition.matches(name) for edition in self.editions)

    def edition_of(self, name: str) -> "Source":
        """Return the edition of a file name without packing; the source itself when no edition has that name."""
        for claim in (Source.names_exactly, Source.matches):
            for edition in self.editions:
                if claim(edition, name):
                    return edition
        return self
