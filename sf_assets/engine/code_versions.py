"""Code versions of assets: a digest of the modules that compute a table, the queries that they read, and its label tables.

Modules are found by following imports, so that no list has to be maintained. Dagster compares code versions to show which
assets were computed by other code than today's.
"""

import hashlib
import re
from collections.abc import Collection, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

ROOT = Path(str(files("sf_assets")))

# Modules that do not decide the rows of a table: declarations, metadata, charts, and modules that import all the others.
_EXCLUDED = re.compile(
    r"sf_assets(\.(settings|definitions|sources|engine|vocabulary|engine\.(materialization|preview|resources|lineage|code_versions)"
    r"|vocabulary\.(schema|\w*fields|failures|disclosure|parameters|labels)|sources\.registry)"
    r"|(\.\w+)*\.(views|charts|suites|tables))?"
)
_EXCLUDED_PACKAGES = re.compile(r"sf_assets\.(engine\.(quality|storage|charts)|catalogue|operations|commands)\b")
_IMPORT = re.compile(r"^ *(?:from (sf_assets[\w.]*) import (\([^)]*\)|.*)|import (sf_assets[\w.]*))", re.MULTILINE)
_QUOTED = re.compile(r'"(\w[\w.]*)"')


def code_digest(*roots: str, texts: Collection[str] = (), data: Collection[Path] = ()) -> str:
    """Return the digest of texts, data files, and the modules `roots` with every module that they import."""
    digest = hashlib.sha256("\0".join(texts).encode())
    for path in sorted({*data, *(path for root in roots for path in source_files(root))}):
        digest.update(_digest(path))
    return digest.hexdigest()[:12]


@cache
def source_files(module: str) -> frozenset[Path]:
    """Return the files of a module and of the modules it imports, at any depth, with the files that they name."""
    visited = {module}
    pending = [module]
    paths: set[Path] = set()
    while pending:
        own, imported = _read_module(pending.pop())
        paths |= own
        new = imported - visited
        visited |= new
        pending += new
    return frozenset(paths)


@cache
def _read_module(module: str) -> tuple[frozenset[Path], frozenset[str]]:
    """Return the file of a module with the files that it names, and the modules that it imports."""
    path = _path(module)
    text = path.read_text(encoding="utf-8")
    imported = (name for name in _imported(text) if not _is_excluded(name))
    return frozenset({path, *_files_named(path.parent, text)}), frozenset(imported)


def _is_excluded(module: str) -> bool:
    return bool(_EXCLUDED.fullmatch(module) or _EXCLUDED_PACKAGES.match(module))


def _imported(text: str) -> Iterator[str]:
    for package, names, module in _IMPORT.findall(text):
        if module:
            yield module
            continue
        members = {f"{package}.{name}" for name in re.findall(r"\b(\w+)(?: as \w+)?", names.split("#")[0])}
        yield from (member for member in members if _is_module(member))
        yield package


def _is_module(name: str) -> bool:
    path = ROOT.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or path.joinpath("__init__.py").is_file()


def _path(module: str) -> Path:
    path = ROOT.parent.joinpath(*module.split("."))
    return file if (file := path.with_suffix(".py")).is_file() else path / "__init__.py"


def _files_named(folder: Path, text: str) -> set[Path]:
    """Return the files of a folder that a text names: queries, with or without their ending, templates, styles, scripts."""
    names = {ending for name in _QUOTED.findall(text) for ending in (name, f"{name}.sql")}
    return {path for name in names if (path := folder / name).is_file()}


@cache
def _digest(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
