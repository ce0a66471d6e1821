"""Hostile names in a real browser: in titles, tables, legends, tooltips, events and report pages they are names.

playwright and its browser are no part of the project: where they are absent this is left out, and said.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from grafana.shown import panels_of

from tests_grafana.asking import FILES
from tests_grafana.chain import Chain
from tests_grafana.hostile import COLUMN, MODEL, PROJECT
from tests_grafana.outcome import Outcome

PATIENCE = 120_000  # milliseconds that a busy machine may take
BUSY = '[aria-label="Panel loading bar"], [data-testid="data-testid Panel loading bar"], .preloader'
PANELS = 'section[data-testid^="data-testid Panel header"]'
BROKEN = '[data-testid="data-testid Panel status error"]'
FOLDED = '[aria-label="Expand row"]'
OF_OTHERS = {"regression", "text", "champion-challenger"}  # of which the model has nothing
# Anything that names made: an element that can run something, which no page of either server has.
MADE = """() => [...document.querySelectorAll('*')].filter(e =>
  e.hasAttribute('onerror') || e.hasAttribute('onload')
  || (e.tagName === 'IMG' && e.getAttribute('src') === 'x')
  || (e.tagName === 'SCRIPT' && /^alert/.test(e.textContent))).map(e => e.outerHTML.slice(0, 200))"""
every = pytest.mark.parametrize("name", sorted(FILES))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser of the system, or else playwright's own."""
    playwright = pytest.importorskip(
        "playwright.sync_api",
        reason="left out: playwright cannot be imported, so there is no browser",
    )
    alone = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as program:
        found = program.chromium.launch(executable_path=shutil.which("chromium"), args=alone)
        yield found
        found.close()


class Seen:
    """A page, and what went wrong on it."""

    def __init__(self, browser: Any) -> None:
        self.page = browser.new_page(viewport={"width": 1600, "height": 12_000})
        self.page.set_default_timeout(PATIENCE)
        self.wrong: list[str] = []
        self.asked = ""  # all queries
        self.page.on("request", self._sent)
        self.page.on("dialog", self._opened)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("console", self._told)

    def open(self, address: str) -> None:
        """Open it, and wait until nothing more comes."""
        self.page.goto(address)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is asked and no panel waits."""
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_function(f"() => !document.querySelector('{BUSY}')")

    def point_at(self, selector: str, most: int) -> None:
        """Let the pointer rest on the first of these, so that their tooltips come."""
        for one in self.page.locator(selector).all()[:most]:
            box = one.bounding_box()
            if box:
                self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
                self.page.wait_for_timeout(150)
                self.wrong += self.page.evaluate(MADE)

    def texts(self) -> str:
        """What can be read."""
        return str(self.page.evaluate("() => document.body.innerText"))

    def _sent(self, request: Any) -> None:
        if "/api/ds/query" in request.url:
            self.asked += request.post_data or ""

    def _opened(self, dialog: Any) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _told(self, message: Any) -> None:
        if message.type == "error":
            self.wrong.append(f"console: {message.text}")


@pytest.fixture
def seen(browser: Any) -> Iterator[Seen]:
    """A page of this test's own."""
    found = Seen(browser)
    yield found
    found.page.close()


@every
def test_hostile_names_are_names_on_a_dashboard(
    chain: Chain, outcome: Outcome, seen: Seen, name: str
) -> None:
    said = {"var-project": PROJECT, "var-model": MODEL, "var-column": COLUMN}
    query = urlencode({"from": "now-14d", "to": "now", **said})
    seen.open(f"{chain.grafana}/d/evaluation-{name}?{query}")
    while seen.page.locator(FOLDED).count():
        seen.page.locator(FOLDED).first.click()
    panels = len(list(panels_of(FILES[name])))
    seen.page.locator(PANELS).nth(panels - 1).wait_for()
    seen.settle()
    assert seen.page.locator(BROKEN).count() == 0
    assert seen.page.evaluate(MADE) == []
    led = [a.get_attribute("href") for a in seen.page.get_by_text("open ↗", exact=True).all()]
    assert all(address.startswith(f"{chain.exporter}/snapshots/") for address in led), led[:2]
    seen.point_at(".u-over", 12)
    seen.point_at('[data-testid*="annotation-marker"]', 4)
    assert seen.wrong == []
    assert "alert(" in seen.texts()
    # a name that came out of Grafana as another finds nothing: no error, and no panel with figures
    assert name in OF_OTHERS or not re.search(r"array\['no \w+ yet'", seen.asked)
    outcome.shown[name] = panels


def test_hostile_names_are_names_on_report_pages(
    chain: Chain, outcome: Outcome, seen: Seen
) -> None:
    with psycopg.connect(chain.store) as connection:
        rows = connection.execute(
            "select distinct on (evaluation, segment) report_url from grafana.snapshots"
            " where project = %s order by evaluation, segment, time desc",
            [PROJECT],
        ).fetchall()
    assert len(rows) == 8
    for address in (chain.exporter, f"{chain.exporter}/snapshots", *(row[0] for row in rows)):
        seen.open(address)
        assert seen.page.evaluate(MADE) == []
        assert seen.wrong == [], address
        assert "alert(" in seen.texts(), address
    outcome.reports = 2 + len(rows)
