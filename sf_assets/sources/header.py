"""The header of a delivered file against the columns that its source declares."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from sf_assets.engine.storage.packed import UnreadableFile
from sf_assets.sources.description import Source
from sf_assets.sources.monthly import months_of, odd_months_of
from sf_assets.sources.yearly import names_of, years_of

_LISTED = 4
_SEPARATORS = {";": "semicolons", ",": "commas", "\t": "tabs", "|": "bars"}


def require_columns(file: str, line: int, header: Sequence[str], source: Source) -> None:
    """Return when a header has the columns of its source; `line` is its number in the file.

    Raises:
        UnreadableFile: names the missing columns, and the undeclared ones that resemble them most: a renamed column first;
            or the separator, when the columns are there behind another one.

    """
    names = names_of(header) if source.yearly else header
    if missing := source.missing_from(names):
        expected = f"column {missing[0]}" if len(missing) == 1 else f"columns {', '.join(dict.fromkeys(missing))}"
        declared = {cell.header.lower() for cell in source.cells}
        known = len({name.lower() for name in names} & declared)
        # A line without any declared name may be a record, whose cells must stay out of messages.
        if not known and (found := _separator_of(header, declared)):
            raise UnreadableFile(
                f"{file}, line {line}: expected columns separated by {_SEPARATORS.get(source.separator, source.separator)}, "
                f"found them separated by {_SEPARATORS[found]}"
            )
        unknown = [name for name in header if name.lower() not in declared] if known else []
        unknown.sort(key=lambda name: max(_likeness(name, one) for one in missing), reverse=True)
        others = f"; undeclared: {', '.join(unknown[:_LISTED])}" if unknown else ""
        raise UnreadableFile(
            f"{file}, line {line}: expected {expected} in the header, "
            f"found {len(header)} columns, {known} of them declared{others}"
        )
    if source.yearly and not years_of(header):
        raise UnreadableFile(f"{file}, line {line}: expected columns that end with a year, found none")
    if source.wide and (odd := odd_months_of(header) or ([] if months_of(header) else ["none"])):
        raise UnreadableFile(f"{file}, line {line}: expected head-count columns effAAAAXY, found {odd[0]}")


def _separator_of(header: Sequence[str], declared: set[str]) -> str | None:
    """Return the separator that gives most declared names of a header that was read as a single column, if any does."""
    names = {one: {name.strip('"').lower() for name in header[0].split(one)} & declared for one in _SEPARATORS}
    best = max(names, key=lambda one: len(names[one]))
    return best if len(header) == 1 and len(names[best]) > 1 else None


def _likeness(name: str, other: str) -> float:
    return SequenceMatcher(None, name.lower(), other.lower()).ratio()
