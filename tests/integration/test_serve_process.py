"""The service as a process: many clients at once, a polite end, a rude one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.unit.generating import Speller, make_generator

ROOT = Path(__file__).parents[2]
SERVER = """
import sys, uvicorn, logging
from pathlib import Path
from cmim_chem.serve.limits import Limits
from cmim_chem.serve.service import make_service
from tests.unit.generating import Speller, make_generator
import time
generator = make_generator(Path(sys.argv[2]), Speller)
plain = generator.predictor.embedder.embed
def embed(smiles, *, with_h=True):
    if "CCCCCCCC" in smiles: time.sleep(3)  # a request that takes its time
    return plain(smiles, with_h=with_h)
generator.predictor.embedder.embed = embed
uvicorn.run(make_service(lambda: generator, Limits(), token=""), port=int(sys.argv[1]),
            log_level="error", timeout_graceful_shutdown=30)
"""


class Server:
    """uvicorn in a process of its own, on a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-c", SERVER, str(self.port), str(self.folder)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        for _ in range(600):
            try:
                self.get("/health")
                return
            except httpx.TransportError:
                assert self.process.poll() is None, "the server ended at once"
                time.sleep(0.2)
        raise AssertionError("the server did not start")

    def get(self, path):
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=60)

    def post(self, path, body):
        return httpx.post(f"http://127.0.0.1:{self.port}{path}", json=body, timeout=60)


@pytest.fixture
def generator(tmp_path):
    """The server's, once more."""
    return make_generator(tmp_path / "here", Speller)


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path / "index")
    yield made
    made.process.kill()
    made.process.wait()


@pytest.mark.slow
def test_many_clients_at_once_get_their_own_answers(server, generator):
    """Fifty clients, a few requests each; ``CMIM_SERVE_SECONDS=60`` makes it a minute."""
    until = time.monotonic() + float(os.environ.get("CMIM_SERVE_SECONDS", "0"))
    molecules = ["C" * i + "O" for i in range(1, 8)] + ["C" * i + "N" for i in range(1, 6)]
    right = dict(zip(molecules, generator.predictor.embedder.embed(molecules).h, strict=True))
    wrong, count = [], [0]

    def ask(client):
        for turn in range(10_000):
            if turn >= 3 and time.monotonic() > until:
                break
            first, last = molecules[(client + turn) % 7], molecules[7 + client % 5]
            answer = server.post("/embedding", {"sequences": [first, "C(", last]})
            count[0] += 1
            got = answer.json().get("embeddings") or [None] * 3
            # Another process may add in another order: the last bits are free.
            good = got[1] is None and all(
                row is not None and np.allclose(row, right[smiles], atol=1e-5)
                for smiles, row in ((first, got[0]), (last, got[2]))
            )
            if not good:
                wrong.append(answer.text[:200])

    clients = [threading.Thread(target=ask, args=(i,)) for i in range(50)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    assert not wrong
    assert count[0] >= 150


@pytest.mark.slow
def test_a_request_in_flight_is_answered_before_the_server_ends(server):
    answers = []
    slow = threading.Thread(
        target=lambda: answers.append(server.post("/embedding", {"sequences": ["CCCCCCCC"]}))
    )
    slow.start()
    time.sleep(1.0)
    server.process.send_signal(signal.SIGTERM)
    slow.join()
    assert answers[0].status_code == 200
    assert server.process.wait(60) in (0, -signal.SIGTERM)


@pytest.mark.slow
def test_a_killed_server_starts_again_and_knows_the_same(server):
    before = server.post("/embedding", {"sequences": ["CCO"]}).json()
    failed = []

    def ask():
        try:
            server.post("/embedding", {"sequences": ["CCCCCCCC"]})
        except httpx.TransportError as error:
            failed.append(error)

    slow = threading.Thread(target=ask)
    slow.start()
    time.sleep(1.0)
    server.process.kill()
    server.process.wait()
    slow.join()
    assert failed
    server.start()
    assert server.post("/embedding", {"sequences": ["CCO"]}).json() == before
    assert server.post("/embedding", {"sequences": ["CCCCCCCC"]}).status_code == 200
