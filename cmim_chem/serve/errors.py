"""Answers of the service that are not a 200: one shape for all, in words that name the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from cmim_chem.errors import ArtifactError, InputError
from cmim_chem.serve import schemas
from cmim_chem.serve.batching import BusyError

#: What the OpenAPI description says of them.
ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"model": schemas.ErrorAnswer, "description": text}
    for code, text in {
        400: "the request is not JSON",
        401: "the bearer token is missing or wrong",
        413: "the request is too large",
        422: "a field makes no sense; loc says which",
        503: "too many requests are waiting",
        504: "there was not enough time",
    }.items()
}

_HEADERS = {503: {"Retry-After": "5"}, 401: {"WWW-Authenticate": "Bearer"}}


def add_error_answers(app: FastAPI) -> None:
    """Turn errors into answers.

    Parameters
    ----------
    app : FastAPI
        The application.
    """

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # Without the input, which may hold what JSON cannot write.
        items = [
            schemas.ErrorItem(loc=list(e["loc"]), msg=str(e["msg"]), type=str(e["type"]))
            for e in error.errors()
        ]
        return JSONResponse(schemas.ErrorAnswer(detail=items).model_dump(), 422)

    @app.exception_handler(InputError)
    @app.exception_handler(ArtifactError)
    async def impossible(_: Request, error: Exception) -> JSONResponse:
        return _answer(422, str(error), "input", ["body"])

    @app.exception_handler(BusyError)
    async def busy(_: Request, error: BusyError) -> JSONResponse:
        return _answer(503, str(error), "busy")

    @app.exception_handler(TimeoutError)
    async def late(_: Request, error: TimeoutError) -> JSONResponse:
        return _answer(504, "there was not enough time: ask for less at once", "timeout")

    @app.exception_handler(HTTPException)
    async def other(_: Request, error: HTTPException) -> JSONResponse:
        return _answer(error.status_code, str(error.detail), "http")


def _answer(status: int, message: str, kind: str, where: Sequence[str | int] = ()) -> JSONResponse:
    item = schemas.ErrorItem(loc=list(where), msg=message, type=kind)
    content = schemas.ErrorAnswer(detail=[item]).model_dump()
    return JSONResponse(content, status, _HEADERS.get(status))
