"""What this process answers to HTTP: each page is a function and a line in `_ROUTES`."""

from __future__ import annotations

from functools import cache

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from exporter.prometheus import Exposition
from exporter.server import snapshots
from exporter.server.answers import HTML, answer, refusal, takes_gzip
from exporter.server.guard import Guard, SafeHeaders
from exporter.server.snapshots import Pages

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_PIECE = 1 << 18  # bytes handed to a connection at once: it is read while the rest is written
_NOWHERE = "there is no such page: the index shows what there is"


def app(exposition: Exposition, pages: Pages, *, token: str = "") -> Starlette:
    """The routes; with a *token* all but the probes want it, as a bearer or as the password of Basic."""
    made = Starlette(
        routes=_ROUTES,
        middleware=[Middleware(SafeHeaders), Middleware(Guard, token=token)],
        exception_handlers={404: _nowhere, HTTPException: refusal},
    )
    made.state.exposition = exposition
    made.state.pages = pages
    return made


class _Pieces(Response):
    """A large body that waits for its reader, and is in memory once however many read it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        for at in range(0, len(self.body), _PIECE):
            piece = self.body[at : at + _PIECE]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})


async def _metrics(request: Request) -> Response:
    exposition: Exposition = request.app.state.exposition
    packed = takes_gzip(request.headers.get("accept-encoding", ""))
    headers = {"Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if packed else {})
    return _Pieces(exposition.body(packed=packed), headers=headers, media_type=_TEXT)


async def _runbook(request: Request) -> Response:
    """What every alert means, and what to do: alerts lead here."""
    return answer(request, await run_in_threadpool(_runbook_text), HTML)


@cache
def _runbook_text() -> str:
    from exporter.alerts.runbook import HEAD, sections
    from exporter.report import Link, Part, sheet

    parts = [Part(*section) for section in sections()]
    return sheet("Runbook", HEAD, parts, links=[Link("All evaluations", "./")])


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("healthy\n")


async def _ready(request: Request) -> Response:
    if request.app.state.exposition.answered:
        return PlainTextResponse("ready\n")
    return PlainTextResponse("the store does not answer\n", 503)


async def _nowhere(request: Request, error: Exception) -> Response:
    """A path that leads nowhere, or a snapshot that is not there and says so itself."""
    if isinstance(error, HTTPException) and error.detail == "Not Found":
        error = HTTPException(404, _NOWHERE)
    return await refusal(request, error)


_ROUTES = [
    Route("/", snapshots.index),
    Route("/snapshots", snapshots.listed),
    Route("/snapshots/{number:int}.json", snapshots.one),
    Route("/snapshots/{number:int}", snapshots.page),
    Route("/snapshots/latest", snapshots.latest),
    Route("/runbook", _runbook),
    Route("/metrics", _metrics),
    Route("/-/healthy", _healthy),
    Route("/-/ready", _ready),
]
