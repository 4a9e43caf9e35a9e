"""The description of a batch: a JSON file that lists its files by source, whatever their names (rules §1.4)."""

import json
from collections.abc import Sequence
from pathlib import Path

from sf_assets.vocabulary.failures import UserError


class BadManifest(UserError):
    """The description of a batch is wrong; the message names the place."""


def read_manifest(path: Path) -> dict[str, list[str]]:
    """Return the paths of each type in a description, as written and in its order; types without paths are left out.

    The member `key` must repeat the name of the file, so that a copy of another month's description is refused. Members
    other than `key` and `files` are ignored.

    Raises:
        BadManifest: names the file, the place, what was expected and what was found.

    """
    document = _members(_parsed(path), path.name, "an object with `key` and `files`")
    if document.get("key") != path.stem:
        raise BadManifest(f"{path.name}, key: expected {path.stem!r} as in its name, found {document.get('key')!r}")
    files = _members(document.get("files"), f"{path.name}, files", "an object: types and lists of paths")
    return {kind: _paths(paths, f"{path.name}, files.{kind}") for kind, paths in files.items() if paths != []}


def _parsed(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return json.loads(text, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        found = error.object[error.start : error.start + 1].hex()
        raise BadManifest(f"{path.name}, line {line}: expected UTF-8, found byte 0x{found}") from None
    except json.JSONDecodeError as error:
        found = repr(text[error.pos]) if error.pos < len(text) else "the end of the file"
        expected = error.msg.removeprefix("Expecting ") if error.msg.startswith("Expecting ") else f"JSON ({error.msg})"
        place = f"line {error.lineno}, column {error.colno}"
        raise BadManifest(f"{path.name}, {place}: expected {expected}, found {found}") from None
    except _Repeated as error:
        raise BadManifest(f"{path.name}: expected each name once in an object, found {error} twice") from None


class _Repeated(Exception):
    """A name is twice in an object: the JSON reader would silently use the last value."""


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise _Repeated(repr(name))
    return dict(pairs)


def _members(found: object, place: str, expected: str) -> dict[str, object]:
    if not isinstance(found, dict):
        raise BadManifest(f"{place}: expected {expected}, found {_quoted(found)}")
    return found


def _paths(found: object, place: str) -> list[str]:
    if not isinstance(found, list):
        raise BadManifest(f"{place}: expected a list of paths, found {_quoted(found)}")
    for number, path in enumerate(found):
        if not isinstance(path, str) or not path:
            raise BadManifest(f"{place}[{number}]: expected a path, found {_quoted(path)}")
    return list(found)


def _quoted(found: object) -> str:
    return "none" if found is None else json.dumps(found, ensure_ascii=False)[:40]
