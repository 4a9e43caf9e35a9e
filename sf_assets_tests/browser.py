"""A real browser without a window, for the tests of pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: install the extra `dev`")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def opened() -> Iterator[Any]:
    """Open a browser; skip the test where there is none."""
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(_BROWSERS)} (Debian package chromium)")
    with playwright.sync_playwright() as engine:
        # A browser that runs as root has no sandbox; it only sees our own pages.
        launched = engine.chromium.launch(executable_path=found, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield launched
        launched.close()
