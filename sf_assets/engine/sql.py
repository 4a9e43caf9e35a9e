"""SQL files of the package. A statement longer than three lines is in a file beside the module that executes it."""

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

NOTHING: Mapping[str, str] = MappingProxyType({})


def read_text(folder: Traversable, name: str, parts: Mapping[str, str] = NOTHING) -> str:
    """Return the text of `<name>.sql` in a folder, with `parts` in the places `{<part>}` that it leaves open.

    Parts are SQL that declarations give, such as a list of columns; values are bound as parameters instead.

    Raises:
        KeyError: the text has no place for a part.

    """
    text = folder.joinpath(f"{name}.sql").read_text(encoding="utf-8")
    for part, sql in parts.items():
        if f"{{{part}}}" not in text:
            raise KeyError(f"{name}.sql: expected a place {{{part}}}, found none")
        text = text.replace(f"{{{part}}}", sql)
    return text


def read_sql(package: str, name: str, **parts: str) -> str:
    """Return the statement of `<name>.sql` of a package, without the comment that heads it; places without a part stay open.

    >>> read_sql("sf_assets.engine.quality", "newest_row_age", day="date_parution").splitlines()[-1]
    'from {batch} where date_parution < {month} + interval 2 month'
    """
    lines = read_text(files(package), name, parts).splitlines()
    start = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(lines[start:])
