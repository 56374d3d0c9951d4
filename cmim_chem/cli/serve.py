"""`cmim serve`: predictions and molecules over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cmim_chem.cli.console import set_up_logging
from cmim_chem.cli.options import Model, Quiet
from cmim_chem.errors import InputError

HELP = """Serve predictions, embeddings and molecules over HTTP, on this computer.

The paths are /predict, /embedding, /hidden, /decode, /sampling, /generate, /neighbors and /health,
with requests and answers in the shapes of NVIDIA's MolMIM service; /docs explains them. With
CMIM_SERVE_TOKEN in the environment every request must carry it as a bearer token. Needs the extra:
pip install "cmim-chem[serve]".

\b
Examples:
  cmim serve
  CMIM_SERVE_TOKEN=secret cmim serve --host 0.0.0.0 --port 9000
"""


def serve(
    host: Annotated[str, typer.Option(help="Address; 0.0.0.0 for all networks.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port.")] = 8000,
    probe: Annotated[
        list[Path] | None, typer.Option(help="Folder of a probe of your own; may be repeated.")
    ] = None,
    max_molecules: Annotated[int, typer.Option(min=1, help="Molecules in one request.")] = 1_000,
    max_samples: Annotated[int, typer.Option(min=1, help="Molecules one request may make.")] = 100,
    max_seconds: Annotated[float, typer.Option(min=0.1, help="Time for one request.")] = 120.0,
    quiet: Quiet = False,
    model: Model = None,
) -> None:
    """Serve."""
    set_up_logging(quiet)
    try:
        import fastapi
        import uvicorn
    except ImportError as error:
        raise InputError(
            f'{error.name} is not installed: pip install "cmim-chem[serve]"'
        ) from error
    del fastapi

    from cmim_chem.generate.generator import Generator
    from cmim_chem.serve.limits import Limits
    from cmim_chem.serve.service import make_service

    limits = Limits(molecules=max_molecules, samples=max_samples, seconds=max_seconds)
    generator = Generator.load(model, tuple(probe or ()))  # a mistake here is told at once
    uvicorn.run(
        make_service(lambda: generator, limits),
        host=host,
        port=port,
        log_level="error" if quiet else "info",
        access_log=False,
        timeout_graceful_shutdown=int(limits.seconds) + 1,
    )
