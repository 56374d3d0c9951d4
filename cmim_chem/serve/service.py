"""The service over HTTP: routes, limits and token. The work itself is in `cmim_chem.serve.work`.

Nothing is stored: every request is answered from frozen weights, so one that was cut off by a kill
can be sent again, and a restarted service knows all there is to know.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

import cmim_chem
from cmim_chem.errors import InputError
from cmim_chem.generate.generator import Generator
from cmim_chem.serve import schemas
from cmim_chem.serve.batching import Batcher, BusyError
from cmim_chem.serve.errors import ERRORS, add_error_answers
from cmim_chem.serve.limits import TOKEN_VARIABLE, BodyLimit, Limits
from cmim_chem.serve.work import Worker, choose_names, generate, sample_around

T = TypeVar("T")
_BEARER = HTTPBearer(auto_error=False)


class Service:
    """The model behind the routes, with what bounds it.

    Parameters
    ----------
    generator : Generator
        The model.
    limits : Limits
        Bounds.
    """

    def __init__(self, generator: Generator, limits: Limits) -> None:
        self.generator = generator
        self.limits = limits
        self._batcher = Batcher(Worker(generator).work, limits.batch, limits.queue)
        # Searches take seconds to minutes: they must not stand before a prediction.
        self._searches = ThreadPoolExecutor(1, "search")
        self._searching = 0
        self._closing = False

    async def do(self, key: tuple[object, ...], items: Sequence[object]) -> Sequence[Any]:
        """Have rows worked on, within the limits."""
        if len(items) > self.limits.molecules:
            raise InputError(f"a request may have {self.limits.molecules:,} molecules")
        return await self._in_time(self._batcher.submit(key, items))

    async def search(self, job: Callable[[Callable[[], bool]], T]) -> T:
        """Have a long job done in a thread of its own; it is told when to stop."""
        if self._searching >= max(1, self.limits.queue // 8):
            raise BusyError("too many searches are waiting: try again later")
        # A little less than the limit, so that what was found can still be given.
        end = time.monotonic() + 0.9 * self.limits.seconds
        loop = asyncio.get_running_loop()
        self._searching += 1
        try:
            stop = lambda: self._closing or time.monotonic() > end  # noqa: E731
            return await self._in_time(loop.run_in_executor(self._searches, job, stop))
        finally:
            self._searching -= 1

    async def _in_time(self, answer: Awaitable[T]) -> T:
        return await asyncio.wait_for(answer, self.limits.seconds)

    def close(self) -> None:
        """Let what runs come to its end, and take nothing more."""
        self._closing = True
        self._batcher.close()
        self._searches.shutdown(cancel_futures=True)


def make_service(
    load: Callable[[], Generator], limits: Limits, token: str | None = None
) -> FastAPI:
    """Build the application.

    Parameters
    ----------
    load : callable
        Loads the model; called once, when the service starts.
    limits : Limits
        Bounds.
    token : str, optional
        What every request but the health checks must carry; that of `TOKEN_VARIABLE`, if any, if
        not given.

    Returns
    -------
    FastAPI
        An ASGI application.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = Service(load(), limits)
        yield
        app.state.service.close()

    app = FastAPI(
        title="cmim-chem",
        version=cmim_chem.__version__,
        description="Predictions, embeddings and molecules from SMILES. Shapes as MolMIM's.",
        lifespan=lifespan,
    )
    app.add_middleware(BodyLimit, limit=limits.body_bytes)
    expected = os.environ.get(TOKEN_VARIABLE) if token is None else token

    def check_token(
        given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    ) -> None:
        if expected and not (
            given and secrets.compare_digest(given.credentials.encode(), expected.encode())
        ):
            raise HTTPException(401, "send the bearer token", {"WWW-Authenticate": "Bearer"})

    add_error_answers(app)
    _add_health(app)
    routes = APIRouter(dependencies=[Depends(check_token)], responses=ERRORS)
    _add_predictions(routes)
    _add_codes(routes)
    _add_searches(routes)
    app.include_router(routes)
    return app


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Behind = Annotated[Service, Depends(_service)]


def _add_health(app: FastAPI) -> None:
    @app.get("/health")
    @app.get("/v1/health/ready")
    @app.get("/v1/health/live")
    async def health(service: Behind) -> schemas.HealthAnswer:
        digest = service.generator.predictor.embedder.digest
        return schemas.HealthAnswer(version=cmim_chem.__version__, encoder=digest)


def _add_predictions(app: APIRouter) -> None:
    @app.post("/predict")
    async def predict(request: schemas.PredictRequest, service: Behind) -> schemas.PredictAnswer:
        predictor = service.generator.predictor
        names = choose_names(predictor, request.properties)
        found = await service.do(("predict", names), request.sequences)
        shown = [schemas.PropertyAnswer(name=p.name, title=p.title, unit=p.unit, kind=p.kind)
                 for p in predictor.select(names)]  # fmt: skip
        return schemas.PredictAnswer(properties=shown, predictions=list(found))

    @app.post("/neighbors")
    async def neighbors(
        request: schemas.NeighborsRequest, service: Behind
    ) -> schemas.NeighborsAnswer:
        found = await service.do(("neighbors", request.k, request.source), request.sequences)
        return schemas.NeighborsAnswer(
            neighbors=[near for _, near in found], problems=[problem for problem, _ in found]
        )


def _add_codes(app: APIRouter) -> None:
    @app.post("/embedding")
    async def embedding(
        request: schemas.MoleculesRequest, service: Behind
    ) -> schemas.EmbeddingAnswer:
        found = await service.do(("embed",), request.sequences)
        return schemas.EmbeddingAnswer(
            embeddings=[None if problem else h.tolist() for problem, _, h in found],
            problems=[problem for problem, _, _ in found],
        )

    @app.post("/hidden")
    async def hidden(request: schemas.MoleculesRequest, service: Behind) -> schemas.HiddenAnswer:
        found = await service.do(("embed",), request.sequences)
        return schemas.HiddenAnswer(
            hiddens=[None if problem else [z.tolist()] for problem, z, _ in found],
            mask=[[not problem] for problem, _, _ in found],
            problems=[problem for problem, _, _ in found],
        )

    @app.post("/decode")
    async def decode(request: schemas.DecodeRequest, service: Behind) -> schemas.DecodeAnswer:
        width = service.generator.predictor.embedder.d_z
        rows = [one[0] if one and len(one) == 1 else [] for one in request.hiddens]
        # A row of another shape becomes a code that cannot be decoded, and keeps its place.
        codes = [row if len(row) == width else [float("nan")] * width for row in rows]
        found = await service.do(("decode",), codes)
        wrong = f"not one vector of {width} numbers"
        return schemas.DecodeAnswer(
            generated=[one.smiles or "" for one in found],
            problems=[one.problem if len(row) == width else wrong
                      for one, row in zip(found, rows, strict=True)],
        )  # fmt: skip


def _add_searches(app: APIRouter) -> None:
    @app.post("/sampling")
    async def sampling(request: schemas.SamplingRequest, service: Behind) -> schemas.SamplingAnswer:
        wanted = len(request.sequences) * request.num_molecules
        if wanted > service.limits.samples:
            raise InputError(f"a request may ask for {service.limits.samples:,} molecules in all")
        seed = secrets.randbelow(2**31) if request.seed is None else request.seed
        return await service.search(
            lambda stop: sample_around(service.generator, request, seed, stop)
        )

    @app.post("/generate")
    async def make(request: schemas.GenerateRequest, service: Behind) -> schemas.GenerateAnswer:
        if request.particles * request.iterations > service.limits.codes:
            raise InputError(f"particles times iterations may be {service.limits.codes:,}")
        seed = secrets.randbelow(2**31) if request.seed is None else request.seed
        return await service.search(lambda stop: generate(service.generator, request, seed, stop))
