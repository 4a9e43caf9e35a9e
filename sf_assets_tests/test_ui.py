"""What operators see, in a real browser: the graph by layer, a gate that is shut, a plot over months, the page of status.

With `SCREENSHOTS=<folder>` the pages are kept there as pictures: those of the README are made so.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sf_assets.settings import PREFIX
from sf_assets_dev.synthetic import write_batch
from sf_assets_tests.runs import Place

ROOT = Path(__file__).parents[1]
LAYERS = ("sources", "staging", "clean", "features", "model", "lists", "evaluation")
MONTHS = [date(2026, month, 1) for month in (7, 8, 9, 10)]
DEBIT = "sigfaible_debits.csv"
LARGEST = 100_000
_START_SECONDS = 120
_LOOK_SECONDS = 30


@dataclass(frozen=True)
class Site:
    """The pages of a deployment, seen by a browser."""

    address: str
    browser: Any

    def page(self, path: str, *, height: int = 900, sharp: int = 1) -> Any:
        """Open a page, light whatever the machine prefers; a picture has `sharp` dots for one."""
        size = {"width": 1200, "height": height}
        page = self.browser.new_page(viewport=size, color_scheme="light", device_scale_factor=sharp)
        page.set_default_timeout(_LOOK_SECONDS * 1000)
        page.goto(f"{self.address}{path}")
        return page


def keep(page: Any, name: str, **clip: int) -> None:
    """Keep a picture of a page in the folder asked for; pictures of a README are small."""
    folder = os.environ.get("SCREENSHOTS")
    page.wait_for_timeout(500)  # pages fade in
    picture = page.screenshot(clip=clip or None)
    assert len(picture) < LARGEST
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(picture)
    page.close()


@pytest.fixture(scope="module")
def site(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Start the web server on an instance of four months, the last of which has a file that is not as promised."""
    home = tmp_path_factory.mktemp("ui")
    shutil.copy(ROOT / "sf_assets" / "dagster.yaml", home)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "DAGSTER"))}
    environment |= {"DAGSTER_HOME": str(home), "SF_DATA_DIR": str(home / "data")}
    arguments = ["-m", "sf_assets.definitions", "-d", str(ROOT), "-h", "127.0.0.1", "-p", str(port)]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [Path(sys.executable).parent / "dagster-webserver", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        prepare(home)  # while the server loads the definitions
        address = f"http://127.0.0.1:{port}"
        until_it_answers(address, server, home / "log")
        yield Site(address, browser)
    finally:
        server.terminate()
        server.wait(20)


def prepare(home: Path) -> None:
    place = Place(home / "data")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        place.instance = instance
        write_batch(place.batch(MONTHS[0]), month=MONTHS[-1], companies=40, seed=1, oracle=home / "oracle.parquet")
        lines = (place.batch(MONTHS[0]) / DEBIT).read_text().splitlines(keepends=True)
        for place_of, month in enumerate(MONTHS):
            if place_of:
                shutil.copytree(place.batch(MONTHS[0]), place.batch(month))
            kept = lines[: len(lines) * (place_of + 60) // 64]  # debts grow a little every month
            (place.batch(month) / DEBIT).write_text("".join(kept))
        spoilt = place.batch(MONTHS[-1]) / DEBIT
        spoilt.write_text(spoilt.read_text().replace("Mt_PO", "Montant", 1))
        for month in MONTHS:
            place.build(month, "src_debit")
        assert "as_promised" in place.build(MONTHS[-1], "stg_debit").failures["stg_debit"]
        look = place.definitions.resolve_job_def("refresh_status")
        assert look.execute_in_process(instance=instance, raise_on_error=False).success


def until_it_answers(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{address}/server_info", timeout=5).close()  # noqa: S310 - our own server
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.3)
        else:
            return
    pytest.fail(f"the web server does not answer: {log.read_text()[-2000:]}")


def test_the_graph_shows_the_layers_in_order(site: Site) -> None:
    page = site.page("/asset-groups", height=1100, sharp=2)
    nodes = [page.locator("foreignObject", has_text=layer).first for layer in (*LAYERS, "cockpit")]
    for node in nodes:
        node.wait_for()
    page.wait_for_timeout(1500)  # the graph moves until it fits
    boxes = [node.bounding_box() for node in nodes]
    left = [box["x"] for box in boxes[:-1]]
    assert left == sorted(left)
    top = min(box["y"] for box in boxes) - 20
    keep(
        page,
        "graph",
        x=int(left[0]) - 20,
        y=int(top),
        width=int(boxes[-2]["x"] + boxes[-2]["width"] - left[0]) + 40,
        height=int(max(box["y"] + box["height"] for box in boxes) - top) + 20,
    )


def test_a_shut_gate_says_what_it_refuses_and_what_to_do(site: Site) -> None:
    page = site.page("/assets/src_debit?view=checks&checkDetail=as_promised")
    page.get_by_text("expected column Mt_PO").first.wait_for()
    assert page.get_by_text("This is a blocking asset check").is_visible()
    for name in ("advice", "month", "percent", "previous_percent", "sample_keys", "unexpected"):
        assert page.get_by_text(name, exact=True).first.is_visible()
    assert page.get_by_text("Ask for the file again").first.is_visible()
    keep(page, "gate", x=220, y=100, width=980, height=780)


def test_what_reads_a_refused_file_failed_at_the_gate(site: Site) -> None:
    page = site.page("/assets/src_debit?view=lineage")
    page.get_by_text("stg_debit").first.wait_for()
    page.close()
    page = site.page("/runs")
    page.get_by_text("Failure").first.wait_for()
    page.close()


def test_figures_are_plotted_over_the_months(site: Site) -> None:
    page = site.page("/assets/src_debit?view=overview", height=1800)
    page.get_by_role("button", name="Plots").click()
    plots = page.locator("canvas")
    plots.first.wait_for()
    page.wait_for_timeout(1500)  # plots draw themselves
    assert plots.count() >= 2
    for name in ("bytes", "lines"):
        assert page.get_by_text(name, exact=True).first.is_visible()
    page.close()


def test_the_page_of_status_says_what_blocks_and_shows_the_calendar_of_arrivals(site: Site) -> None:
    page = site.page("/assets/status?view=events")
    hidden = page.get_by_text("[Show Markdown]")
    hidden.last.wait_for()
    said = page.get_by_text(re.compile(r"blocked 0/\d+: src_debit as_promised"))
    if not said.count():  # a long page is behind its button
        hidden.first.click()
        said.wait_for()
        page.get_by_role("button", name="Close").click()
    hidden.last.click()
    picture = page.locator("img[alt='arrivals by source and month']")
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 200
    keep(page, "status")


def test_the_sample_of_a_check_names_the_file_and_the_column(site: Site) -> None:
    page = site.page("/assets/src_debit?view=checks&checkDetail=as_promised")
    page.get_by_text("Show JSON").click()
    page.get_by_text("expected column Mt_PO").first.wait_for()
    page.close()
