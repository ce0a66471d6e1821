"""The index, the page and the JSON form of a snapshot, and the list of those that fit.

The store is read and pages are made in threads, a few at a time: neither stops `/metrics`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from exporter.errors import ExporterError, PlanError, StoreError
from exporter.logs import logger
from exporter.server.answers import HTML, JSON, answer
from exporter.server.questions import question_of, refuse_unknown
from exporter.snapshot import Snapshot
from exporter.store.links import Links
from exporter.store.reader import Gone, Reader

THREADS = 4  # that read the store at once
WAITING = 40  # requests that wait for one of them
STREAMS = 2500  # of which the index shows the newest snapshots
_SOON = {"Retry-After": "10"}
_log = logger(__name__)
Work = Callable[["Pages", Request], Response]


@dataclass
class Pages:
    """What is needed to make them."""

    reader: Reader
    timezone: tzinfo = UTC  # in which times are told and read
    project: str = ""  # the config's
    links: Links = field(default_factory=Links)  # what the config says, for its own project
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(THREADS))
    waiting: int = 0

    def grafana(self, project: str, told: Links) -> str:
        """Grafana's address for a project: as the store was told, or this config says; else nothing."""
        return told.grafana or (self.links.grafana if project == self.project else "")


async def index(request: Request) -> Response:
    """Projects, models and the newest snapshots of their streams."""
    return await _made(request, _index)


async def listed(request: Request) -> Response:
    """The heads of the snapshots that fit, as `exporter list --format json` writes them."""
    return await _made(request, _listed)


async def page(request: Request) -> Response:
    """The report of a snapshot."""
    return await _made(request, _page)


async def latest(request: Request) -> Response:
    """To the page of the newest snapshot that fits: where an alert leads."""
    return await _made(request, _latest)


async def one(request: Request) -> Response:
    """The JSON form of a snapshot."""
    return await _made(request, _one)


async def _made(request: Request, work: Work) -> Response:
    """What the work makes of the request, in a thread; what is wrong becomes a status and a sentence."""
    pages: Pages = request.app.state.pages
    if pages.waiting >= WAITING:
        raise HTTPException(503, "too many ask for snapshots at once: try again", _SOON)
    pages.waiting += 1
    try:
        async with pages.turns:
            return await run_in_threadpool(work, pages, request)
    except StoreError as error:
        _log.warning(str(error))  # where the store lies is for the log, not for whoever asks
        text = "try again in a moment; the exporter's log says what is the matter"
        raise HTTPException(503, f"the store does not answer: {text}", _SOON) from error
    except Gone as error:
        raise HTTPException(410, str(error)) from error
    except PlanError as error:
        raise HTTPException(400, str(error)) from error
    except ExporterError as error:
        raise HTTPException(404, str(error)) from error
    finally:
        pages.waiting -= 1


def _index(pages: Pages, request: Request) -> Response:
    from exporter.report import Link
    from exporter.report import index as document

    given = request.query_params
    refuse_unknown(given, ("project", "model"))
    project, model = given.get("project") or None, given.get("model") or None
    found = pages.reader.newest(project, model, STREAMS)
    whose = project or pages.project
    grafana = pages.grafana(whose, pages.reader.links(whose))
    links = [Link("All evaluations", "./")] if project or model else []
    links += [Link("Fleet in Grafana", _fleet(grafana))] if grafana else []
    links += [Link("Snapshots as JSON", "snapshots"), Link("Gauges for Prometheus", "metrics")]
    note = (
        f"Streams that are not shown: {found.left_out:,}, those of segments first."
        " Add ?project=… or ?model=… to the address."
        if found.left_out
        else ""
    )
    text = document(found.heads, links=links, timezone=pages.timezone, note=note)
    return answer(request, text, HTML)


def _listed(pages: Pages, request: Request) -> Response:
    heads = pages.reader.find(question_of(request.query_params, pages.timezone))
    text = json.dumps({"snapshots": [head.head() for head in heads]}, ensure_ascii=False)
    return answer(request, text, JSON)


def _page(pages: Pages, request: Request) -> Response:
    from exporter.report import Link, Neighbours
    from exporter.report import page as document

    snapshot, beside, told = pages.reader.show(request.path_params["number"])
    links = [Link("All evaluations", "../")]
    grafana = pages.grafana(snapshot.project, told)
    links += [Link(text, href) for text, href in _in_grafana(snapshot, grafana)]
    links += [Link("JSON", f"{snapshot.id}.json")]
    near = Neighbours(*beside)
    text = document(snapshot, neighbours=near, links=links, timezone=pages.timezone)
    return answer(request, text, HTML)


def _latest(pages: Pages, request: Request) -> Response:
    question = replace(question_of(request.query_params, pages.timezone), limit=1)
    found = pages.reader.find(question)
    if not found:
        raise ExporterError("no snapshot fits: the index shows what there is")
    return RedirectResponse(str(found[-1].id), headers={"Cache-Control": "no-store"})  # beside it


def _one(pages: Pages, request: Request) -> Response:
    snapshot = pages.reader.read(request.path_params["number"])
    return answer(request, snapshot.to_json(), JSON)


def _fleet(grafana: str) -> str:
    from exporter.grafana.addresses import fleet_address

    return fleet_address(grafana)


def _in_grafana(snapshot: Snapshot, grafana: str) -> Iterator[tuple[str, str]]:
    from exporter.grafana.addresses import addresses_of

    return addresses_of(snapshot, grafana) if grafana else iter(())
