"""Who may ask, and what every answer says to a browser."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from hmac import compare_digest

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "EXPORTER_TOKEN"  # noqa: S105  the variable's name
OPEN = ("/-/healthy", "/-/ready")  # probes have no token
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
_SAFE = {
    "Content-Security-Policy": _NOTHING,  # pages bring one of their own
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Guard:
    """Lets pass who knows the token, and everybody where there is none.

    A program sends it as a bearer, a browser as the password that it asks its user for.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] in OPEN or self._knows(scope):
            await self._app(scope, receive, send)
            return
        text = (
            f"a token is needed: Authorization: Bearer, with what {TOKEN} holds;"
            " in a browser any name, and the token as password\n"
        )
        refusal = PlainTextResponse(text, 401, {"WWW-Authenticate": "Bearer"})
        basic = 'Basic realm="Evaluation Exporter", charset="UTF-8"'
        refusal.headers.append("WWW-Authenticate", basic)
        await refusal(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        if not self._token:
            return True
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        return compare_digest(_secret_of(given), self._token)


class SafeHeaders:
    """Adds to every answer what keeps a browser from guessing, embedding and telling others."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, and add the headers to what is answered."""

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SAFE.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, safely)


def _secret_of(given: bytes) -> bytes:
    """What an Authorization header holds: a bearer's token or the password of Basic; else nothing."""
    kind, _, secret = given.partition(b" ")
    if kind.lower() == b"bearer":
        return secret.strip()
    if kind.lower() != b"basic":
        return b""
    try:
        return b64decode(secret.strip(), validate=True).partition(b":")[2]
    except Error:
        return b""
