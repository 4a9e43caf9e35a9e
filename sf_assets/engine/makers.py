"""What makes a table besides its query: the modules of the project that compute it, the queries they read, the labels.

They are found by following imports, so that no list of them can be forgotten. The code version of an asset is a digest of
all of it: Dagster then says which assets were made by other code than that of today.
"""

import hashlib
import re
from collections.abc import Collection, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

ROOT = Path(str(files("sf_assets")))

# What carries, judges or shows tables once they are made, and the tables of contents that name every other module.
_APART = re.compile(
    r"sf_assets(\.(settings|definitions|sources|engine|vocabulary|engine\.(materialization|preview|resources|lineage|makers)"
    r"|vocabulary\.(schema|\w*fields|failures|disclosure|parameters|labels)|sources\.registry)"
    r"|(\.\w+)*\.(views|charts|suites|tables))?"
)
_CARRIERS = re.compile(r"sf_assets\.(engine\.(quality|storage|charts)|catalogue|operations|commands)\b")
_IMPORT = re.compile(r"^ *(?:from (sf_assets[\w.]*) import (\([^)]*\)|.*)|import (sf_assets[\w.]*))", re.MULTILINE)
_QUOTED = re.compile(r'"(\w+?)(?:\.sql)?"')


def digest_of(*roots: str, texts: Collection[str] = (), data: Collection[Path] = ()) -> str:
    """Return the version of what a table is made with: texts, files, and the modules of `roots` with all they import."""
    whole = hashlib.sha256("\0".join(texts).encode())
    for path in sorted({*data, *(path for root in roots for path in files_of(root))}):
        whole.update(_digest(path))
    return whole.hexdigest()[:12]


@cache
def files_of(module: str) -> frozenset[Path]:
    """Return the files of a module and of the modules it imports, however far, with the queries that these name."""
    met = {module}
    todo = [module]
    found: set[Path] = set()
    while todo:
        path = _path(todo.pop())
        text = path.read_text(encoding="utf-8")
        found |= {path, *_queries(path.parent, text)}
        new = {name for name in _imported(text) if not _APART.fullmatch(name) and not _CARRIERS.match(name)} - met
        met |= new
        todo += new
    return frozenset(found)


def _imported(text: str) -> Iterator[str]:
    for package, names, module in _IMPORT.findall(text):
        if module:
            yield module
            continue
        parts = {f"{package}.{name}" for name in re.findall(r"\b(\w+)(?: as \w+)?", names.split("#")[0])}
        yield from (part for part in parts if _is_module(part))
        yield package


def _is_module(name: str) -> bool:
    place = ROOT.parent.joinpath(*name.split("."))
    return place.with_suffix(".py").is_file() or place.joinpath("__init__.py").is_file()


def _path(module: str) -> Path:
    place = ROOT.parent.joinpath(*module.split("."))
    return file if (file := place.with_suffix(".py")).is_file() else place / "__init__.py"


def _queries(folder: Path, text: str) -> set[Path]:
    return {path for name in _QUOTED.findall(text) if (path := folder / f"{name}.sql").is_file()}


@cache
def _digest(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
