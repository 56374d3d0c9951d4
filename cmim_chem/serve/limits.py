"""What one request may ask for, and what stops one that asks for more."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The environment variable whose value every request must then carry as a bearer token.
TOKEN_VARIABLE = "CMIM_SERVE_TOKEN"


@dataclass(frozen=True)
class Limits:
    """Bounds of the service.

    Attributes
    ----------
    molecules : int
        Molecules or codes in one request.
    samples : int
        Molecules that one request may have made.
    codes : int
        Codes that one search may decode: particles times iterations.
    seconds : float
        Time until a request is answered with an error; also how long shutting down may take.
    body_bytes : int
        Size of a request.
    queue : int
        Molecules that may wait, and an eighth of them as searches; more is answered with 503.
    batch : int
        Molecules of concurrent requests that are worked on together.
    """

    molecules: int = 1_000
    samples: int = 100
    codes: int = 20_000
    seconds: float = 120.0
    body_bytes: int = 16_000_000
    queue: int = 8_000
    batch: int = 256


class BodyLimit:
    """ASGI layer that answers 413 to a request that is too large, without reading it to its end.

    Parameters
    ----------
    app : callable
        The application behind.
    limit : int
        Bytes allowed.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return  # the client has left
            body += message.get("body", b"")
            if len(body) > self._limit:
                await self._refuse(send)
                return
            if not message.get("more_body", False):
                break
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self._app(scope, replay, send)

    async def _refuse(self, send: Send) -> None:
        text = f'{{"detail":[{{"loc":["body"],"msg":"a request may have {self._limit:,} bytes",'
        answer = (text + '"type":"too_large"}]}').encode()
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
