"""How a delivered file is described: its names, its format, its cells. Data only; `staging` reads by these descriptions."""

from dataclasses import dataclass
from typing import Literal

Reader = Literal[
    "text",
    "entier",
    "decimal_point",
    "decimal_virgule",
    "entier_tronque",
    "booleen",
    "date_iso",
    "date_fr",
    "date_compacte",
    "date_urssaf",
    "date_procol",
    "periode_debut",
    "periode_fin",
    "motif",
    "centimes",
    "ape",
    "code_commune",
    "code_postal",
    "indrep",
    "type_voie",
    "etat_actif",
    "effectif",
]
OnError = Literal["record", "cell", "ignore"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a delivered file, and what becomes of it.

    `header` is matched without case. `column` is the staging column, None when the cell is only read so that its errors
    are seen. An unreadable cell quarantines its `record`, or the `cell` alone (the column is then NULL), or nothing.
    `required` refuses an empty cell; an `optional` header may be missing from the file.
    """

    header: str
    reader: Reader = "text"
    column: str | None = None
    required: bool = False
    on_error: OnError = "record"
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of file, delivered by one producer, usually every month as a full stock.

    `names` are the exact file names (`.gz` is recognised for each); `key` names the identifier column and `filtered`
    whether companies outside the perimeter are left out. `unique` is the key that rows of the file must not repeat.
    `wide` marks head-count files, whose months are columns. `skip` is an SQL condition on headers (in double quotes)
    under which a record is none of ours and counts as filtered. `keeps_line` stores the line a row comes from, where
    the order of the file matters. `headless` files have no header of their own. `known` says when a value becomes public.
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
    skip: str | None = None
    keeps_line: bool = False
    headless: bool = False
    known: str = ""
    legal_basis: str = "convention with the producer"

    @property
    def table(self) -> str:
        """The name of the staging table."""
        return f"stg_{self.name}"
