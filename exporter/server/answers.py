"""How text is answered: packed for who takes it, told apart by its content, and what is wrong in words."""

from __future__ import annotations

import gzip
import json
from hashlib import sha256
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

HTML, JSON = "text/html", "application/json"
_LEVEL = 5  # of packing
_WORTH_PACKING = 1000  # bytes
_TITLES = {
    HTTPStatus.BAD_REQUEST: "That cannot be asked",
    HTTPStatus.NOT_FOUND: "Nothing is here",
    HTTPStatus.GONE: "This snapshot was deleted",
    HTTPStatus.SERVICE_UNAVAILABLE: "The store does not answer",
}


def answer(request: Request, text: str, media: str, status: int = 200) -> Response:
    """A whole document; 304 without it where the asker has the same already.

    Costs time where it is large: made in a thread.
    """
    body = text.encode()
    mark = f'W/"{sha256(body).hexdigest()[:32]}"'
    headers = {
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Encoding, Accept",
        "ETag": mark,
    }
    if media == HTML:
        from exporter.report import content_security_policy

        headers["Content-Security-Policy"] = content_security_policy()
    if status == HTTPStatus.OK and _has(request.headers.get("if-none-match", ""), mark):
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    if len(body) >= _WORTH_PACKING and takes_gzip(request.headers.get("accept-encoding", "")):
        body, headers["Content-Encoding"] = gzip.compress(body, _LEVEL, mtime=0), "gzip"
    return Response(body, status, headers, media)


async def refusal(request: Request, error: Exception) -> Response:
    """What is wrong, and what to do: as JSON where JSON was asked for, as a page in a browser."""
    if not isinstance(error, HTTPException):
        raise error
    path, text = request.url.path, error.detail
    if path.endswith(".json") or path == "/snapshots":
        made = answer(
            request, json.dumps({"error": text}, ensure_ascii=False), JSON, error.status_code
        )
    elif HTML in request.headers.get("accept", ""):
        made = answer(request, _notice(path, error), HTML, error.status_code)
    else:
        made = PlainTextResponse(f"{text}\n", error.status_code)
    made.headers.update(error.headers or {})
    return made


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header names gzip, and not only to refuse it."""
    for part in accepted.lower().split(","):
        name, _, quality = part.partition(";")
        if name.strip() == "gzip":
            return quality.replace(" ", "").rstrip("0.") != "q="
    return False


def _has(given: str, mark: str) -> bool:
    """Whether an If-None-Match header names the mark, or any."""
    return given.strip() == "*" or mark in (part.strip() for part in given.split(","))


def _notice(path: str, error: HTTPException) -> str:
    from exporter.report import Link, notice

    status = HTTPStatus(error.status_code)
    up = "../" * (path.count("/") - 1) or "./"  # relative: a proxy may have put a prefix before it
    title = _TITLES.get(status, status.phrase)
    return notice(title, error.detail, links=[Link("All evaluations", up)])
