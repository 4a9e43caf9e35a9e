"""The modes of a deployment: every source of the service, or open data alone.

A mode is data: each source says in which modes it is read, and the tables of a mode follow from its sources.
"""

from typing import Literal

Mode = Literal["full", "open"]
FULL: Mode = "full"
OPEN: Mode = "open"
BOTH: tuple[Mode, ...] = (FULL, OPEN)
