#!/usr/bin/env bash
# pydantic-settings 2.16.3 (pydantic 2.14.3): a mapping set in the environment does not replace that of the file `.env`, it is
# merged with it.
#
# Expected: the environment wins over `.env`, and an argument over both: the setting is what the winner says, as for a number,
# a text or a list.
# Seen: so it is for lists; the keys of mappings are added up over the sources, and only a key that two of them give is
# decided by rank. A key of `.env` cannot be taken away: not by the environment, not by an argument, not by `{}`. An empty
# list does replace the list of the file. The maintainer calls it expected (pydantic-settings#457).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pydantic-settings==2.16.3 pydantic==2.14.3
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import os
import sys
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

file = Path(sys.argv[1]) / ".env"
file.write_text('APP_DELAYS={"urssaf": 1, "bodacc": 2}\nAPP_SOURCES=["urssaf", "bodacc"]\n')


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="APP_", env_file=file)
    delays: dict[str, int] = {}
    sources: list[str] = []


def settings(environment, **arguments):
    os.environ.update(environment)
    read = Settings(**arguments)
    for name in environment:
        del os.environ[name]
    return read.delays, read.sources


FILE = {"urssaf": 1, "bodacc": 2}
answers = {
    "file": (settings({}), (FILE, ["urssaf", "bodacc"])),
    "environment": (
        settings({"APP_DELAYS": '{"bodacc": 9}', "APP_SOURCES": '["bodacc"]'}),
        ({"urssaf": 1, "bodacc": 9}, ["bodacc"]),
    ),
    "empty environment": (settings({"APP_DELAYS": "{}", "APP_SOURCES": "[]"}), (FILE, [])),
    "arguments": (settings({}, delays={"insee": 3}, sources=[]), (FILE | {"insee": 3}, [])),
}
changed = 0
for source, (found, seen) in answers.items():
    print(f"{source:20} {found}{'' if found == seen else f'   CHANGED, was {seen}'}")
    changed += found != seen
sys.exit(bool(changed))
PYTHON
