"""The description of a batch: a JSON file that says which files make it, whatever their names (rules §1.4)."""

import json
from collections.abc import Sequence
from pathlib import Path

from sf_assets.vocabulary.failures import UserError


class BadManifest(UserError):
    """The description is not what it should be; the message says where."""


def read_manifest(path: Path) -> dict[str, list[str]]:
    """Return the paths that a description gives for each type, as written and in its order; types without any are left out.

    The `key` inside repeats the name of the file, so that a copy for another month is never taken for this one's. Other
    members than `key` and `files` are not looked at. Raises `BadManifest` naming the file, the place, what was expected
    and what was found.
    """
    document = _members(_parsed(path), path.name, "an object with `key` and `files`")
    if document.get("key") != path.stem:
        raise BadManifest(f"{path.name}, key: expected {path.stem!r} as in its name, found {document.get('key')!r}")
    files = _members(document.get("files"), f"{path.name}, files", "an object: types and lists of paths")
    return {kind: _paths(given, f"{path.name}, files.{kind}") for kind, given in files.items() if given != []}


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
    """A name stands twice in an object: JSON would silently keep the last one."""


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise _Repeated(repr(name))
    return dict(pairs)


def _members(found: object, place: str, expected: str) -> dict[str, object]:
    if not isinstance(found, dict):
        raise BadManifest(f"{place}: expected {expected}, found {_shown(found)}")
    return found


def _paths(found: object, place: str) -> list[str]:
    if not isinstance(found, list):
        raise BadManifest(f"{place}: expected a list of paths, found {_shown(found)}")
    for number, path in enumerate(found):
        if not isinstance(path, str) or not path:
            raise BadManifest(f"{place}[{number}]: expected a path, found {_shown(path)}")
    return list(found)


def _shown(found: object) -> str:
    return "none" if found is None else json.dumps(found, ensure_ascii=False)[:40]
