"""Values that a Parquet file stores in the type of their reader: they are used as they are, their texts are not computed."""

from collections.abc import Mapping, Sequence

from sf_assets.sources.description import Cell, Source

# The reader and the stored type, with the condition under which the reader of the text would return the stored value.
_TYPED = {
    ("date_iso", "DATE"): "{0} between date '0001-01-01' and date '9999-12-31'",
    ("booleen", "BOOLEAN"): "{0} is not null",
}


class ParquetHeader(tuple[str, ...]):
    """The columns read from a Parquet file: their names, with the types of the stored values."""

    types: tuple[str, ...] = ()

    @classmethod
    def of(cls, types: Mapping[str, str]) -> "ParquetHeader":
        """Return the header of columns whose types are known by name."""
        header = cls(types)
        header.types = (*types.values(),)
        return header


def place_of(header: Sequence[str], name: str) -> int:
    """Return the place of a header from 1, without case: the right-most of equal headers, 0 when it is missing."""
    return max((place for place, other in enumerate(header, start=1) if other.lower() == name.lower()), default=0)


def field_of(header: Sequence[str], place: int) -> str:
    """Return the SQL of the text of a field; the fields of a Parquet file are columns."""
    return f"text_{place}" if isinstance(header, ParquetHeader) else f"fields[{place}]"


def stored_values(source: Source, header: Sequence[str]) -> dict[str, str]:
    """Return the column of the stored value of each cell that needs no reading, by label; none for a delimited text."""
    if not isinstance(header, ParquetHeader):
        return {}
    places = {cell.label: (cell, place_of(header, cell.header)) for cell in source.cells if not cell.member}
    return {
        label: f"stored_{place}"
        for label, (cell, place) in places.items()
        if place and (cell.reader, header.types[place - 1]) in _TYPED
    }


def usable_value(cell: Cell, column: str) -> str:
    """Return the SQL of a stored value; NULL where the reader of its text would refuse it."""
    (condition,) = (sql for (reader, _), sql in _TYPED.items() if reader == cell.reader)
    return f"case when {condition.format(column)} then {column} end"


def without_texts(condition: str, stored: Mapping[str, str]) -> str:
    r"""Return a condition that asks of stored values, not of their texts, whether cells are empty.

    >>> without_texts("\"dateFin\" = '' or \"siren\" = ''", {"dateFin": "stored_3"})
    'stored_3 is null or "siren" = \'\''
    """
    for label, column in stored.items():
        condition = condition.replace(f"\"{label}\" = ''", f"{column} is null")
        condition = condition.replace(f"\"{label}\" <> ''", f"{column} is not null")
    return condition
