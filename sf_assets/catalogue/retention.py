"""How long each table and each folder is kept, and why; the register and the job `retention` read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Keep:
    """A number of months after the month of a row or folder, and the need that justifies it."""

    months: int
    reason: str


# By the first word of a table's name; names that do not begin so are below.
_BY_LAYER: Mapping[str, Keep] = MappingProxyType({
    "src": Keep(60, "facts about files, to explain a list for as long as it is kept"),
    "stg": Keep(24, "records as delivered, to compare deliveries and correct a month"),
    "clean": Keep(36, "states of companies, to compute features of a month again"),
    "feat": Keep(132, "models learn from ten years of months"),
    "model": Keep(60, "scores of past lists, to measure what became of them"),
    "list": Keep(60, "lists and publications, to measure them and answer for them"),
    "eval": Keep(132, "figures without identifiers, to compare years"),
    "check": Keep(60, "verdicts and acceptances, for as long as the lists they opened"),
})  # fmt: skip
_BY_NAME: Mapping[str, Keep] = MappingProxyType({
    # Refused records hold raw lines, which may name persons.
    "stg_quarantine": Keep(12, "raw lines, to correct a delivery within the year"),
    "stg_retour": Keep(24, "answers with free remarks, to measure lists two years long"),
    "stg_acces": Keep(60, "who could see which list, for as long as the list"),
    "siren_blacklist": _BY_LAYER["clean"],
    "perimeter_report": _BY_LAYER["clean"],
    "import_log": _BY_LAYER["stg"],
    "asset_inputs": _BY_LAYER["check"],
    "status": _BY_LAYER["check"],
    "erasures": _BY_LAYER["check"],
})  # fmt: skip
# Folders with one sub-folder per month: those of the tables that are read from them or written to them.
FOLDERS: Mapping[str, Keep] = MappingProxyType({
    "incoming": _BY_LAYER["stg"],
    "quarantine": _BY_NAME["stg_quarantine"],
    "exports": _BY_LAYER["clean"],
    "models": _BY_LAYER["model"],
    "lists": _BY_LAYER["list"],
    "explanations": _BY_LAYER["list"],
    "published": _BY_LAYER["list"],
})  # fmt: skip


def keep_of(table: str) -> Keep:
    """Return how long the rows of a table are kept.

    Raises:
        KeyError: nobody decided it; the message names the table.

    >>> keep_of("stg_debit").months, keep_of("stg_quarantine").months
    (24, 12)

    """
    keep = _BY_NAME.get(table) or _BY_LAYER.get(table.partition("_")[0])
    if keep is None:
        raise KeyError(f"{table}: expected a time of retention in catalogue/retention.py, found none")
    return keep
