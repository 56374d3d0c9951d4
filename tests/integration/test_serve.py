"""The service: MolMIM's shapes, its own bounds, and answers that are right under load."""

from __future__ import annotations

import ast
import json
import sys
import time

import numpy as np
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as openapi

from cmim_chem.serve.limits import Limits
from cmim_chem.serve.service import make_service
from tests.integration.stand_in import run
from tests.unit.generating import Speller, make_generator

CHECKS = [
    not_a_server_error,
    openapi.status_code_conformance,
    openapi.response_schema_conformance,
    openapi.content_type_conformance,
]
SMALL = Limits(molecules=50, samples=20, codes=60, seconds=60.0, body_bytes=100_000)


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return make_generator(tmp_path_factory.mktemp("index"), Speller)


@pytest.fixture(scope="module")
def client(generator):
    with TestClient(make_service(lambda: generator, SMALL, token="")) as made:
        yield made


# --------------------------------------------------------------------------- MolMIM's shapes


def test_embedding_and_hidden(client, generator):
    answer = client.post("/embedding", json={"sequences": ["CCO", "C(", "OCC"]}).json()
    h = generator.predictor.embedder.embed(["CCO"]).h[0]
    assert answer["embeddings"][0] == answer["embeddings"][2] == h.tolist()
    assert answer["embeddings"][1] is None
    assert [bool(one) for one in answer["problems"]] == [False, True, False]
    answer = client.post("/hidden", json={"sequences": ["CCO", "CCN"]}).json()
    assert np.array(answer["hiddens"]).shape == (2, 1, generator.predictor.embedder.d_z)
    assert answer["mask"] == [[True], [True]]


def test_decode_takes_what_hidden_gives(client):
    hidden = client.post("/hidden", json={"sequences": ["CCO", "nonsense", "CCN"]}).json()
    answer = client.post("/decode", json=hidden).json()
    assert len(answer["generated"]) == len(answer["problems"]) == 3
    assert "not one vector" in answer["problems"][1]
    wrong = client.post("/decode", json={"hiddens": [[[1.0]]], "mask": [[True]]})
    assert wrong.status_code == 200
    assert "not one vector" in wrong.json()["problems"][0]


def test_an_interpolation_by_a_client_of_molmim(client):
    """As its examples do it: squeeze, mix, expand, decode."""
    answer = client.post("/hidden", json={"sequences": ["CCO", "CCN"]}).json()
    first, last = np.squeeze(np.array(answer["hiddens"]))
    rows = np.expand_dims([(1 - t) * first + t * last for t in (0, 0.5, 1)], axis=1)
    body = {"hiddens": rows.tolist(), "mask": [[True]] * 3}
    assert len(client.post("/decode", json=body).json()["generated"]) == 3


def test_sampling(client):
    body = {"sequences": ["CCO", "C("], "num_molecules": 3, "scaled_radius": 2.0, "beam_size": 1}
    answer = client.post("/sampling", json=body | {"seed": 1}).json()
    assert 0 < len(set(answer["generated"][0])) <= 3
    assert answer["generated"][1] == []
    assert answer["problems"][1]
    assert client.post("/sampling", json=body | {"seed": 1}).json() == answer


@pytest.mark.parametrize("algorithm", ["CMA-ES", "none"])
def test_generate_as_molmim_answers(client, algorithm):
    body = {"smi": "CCO", "algorithm": algorithm, "num_molecules": 2, "property_name": "QED",
            "minimize": False, "min_similarity": 0.1, "particles": 12, "iterations": 4,
            "scaled_radius": 2.0, "seed": 3}  # fmt: skip
    answer = client.post("/generate", json=body)
    assert answer.status_code == 200, answer.text
    molecules = answer.json()["molecules"]
    assert json.loads(molecules) == ast.literal_eval(molecules)  # clients do either
    assert all(set(one) == {"sample", "score"} for one in json.loads(molecules))
    assert 0 < len(json.loads(molecules)) <= 2
    assert answer.json()["score_type"] == "QED"
    assert client.post("/generate", json=body).json() == answer.json()


def test_predict_neighbors_health(client, generator):
    answer = client.post("/predict", json={"sequences": ["OCC", "?"]}).json()
    assert [one["standardized_smiles"] for one in answer["predictions"]] == ["CCO", None]
    assert answer["predictions"][1]["problem"]
    near = client.post("/neighbors", json={"sequences": ["?", "CCO"], "k": 2, "source": "zinc"})
    assert [len(one) for one in near.json()["neighbors"]] == [0, 2]
    assert near.json()["neighbors"][1][0]["name"] == "ethanol"
    for path in ("/health", "/v1/health/ready"):
        assert client.get(path).json()["encoder"] == generator.predictor.embedder.digest


# -------------------------------------------------------------------------------- the bounds


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/embedding", {"sequences": ["C"] * 51}, 422),
        ("/embedding", {"sequences": []}, 422),
        ("/embedding", {}, 422),
        ("/predict", {"sequences": ["C"], "properties": ["beauty"]}, 422),
        ("/sampling", {"sequences": ["C"] * 3, "num_molecules": 10}, 422),
        ("/generate", {"smi": "C("}, 422),
        ("/generate", {"smi": "C", "particles": 30, "iterations": 3}, 422),
        ("/generate", {"smi": "C", "particles": 2, "iterations": 2, "property_name": "?"}, 422),
        ("/embedding", {"sequences": ["C" * 9_000] * 12}, 413),
        ("/nowhere", {}, 404),
    ],
)
def test_what_is_refused_says_why(client, path, body, status):
    answer = client.post(path, json=body)
    assert answer.status_code == status
    assert answer.json()["detail"][0]["msg"]


def test_numbers_that_json_does_not_know_are_refused(client):
    answer = client.post("/decode", content='{"hiddens": [[[NaN, Infinity]]]}')
    assert answer.status_code == 422
    assert client.post("/decode", content="{").status_code == 422


def test_a_token_is_asked_for(generator):
    with TestClient(make_service(lambda: generator, SMALL, token="sesame")) as client:
        body = {"sequences": ["C"]}
        assert client.post("/embedding", json=body).status_code == 401
        wrong = {"Authorization": "Bearer guess"}
        assert client.post("/embedding", json=body, headers=wrong).status_code == 401
        right = {"Authorization": "Bearer sesame"}
        assert client.post("/embedding", json=body, headers=right).status_code == 200
        assert client.get("/health").status_code == 200


def test_what_takes_too_long_is_answered(generator, monkeypatch):
    limits = Limits(seconds=0.2)
    monkeypatch.setattr(Speller, "embed", lambda *_, **__: time.sleep(1))
    with TestClient(make_service(lambda: generator, limits, token="")) as client:
        answer = client.post("/embedding", json={"sequences": ["C"]})
    assert answer.status_code == 504
    assert answer.json()["detail"][0]["type"] == "timeout"


def test_too_many_at_once_are_sent_away(generator):
    with TestClient(make_service(lambda: generator, Limits(queue=2), token="")) as client:
        answer = client.post("/embedding", json={"sequences": ["C"] * 3})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


PATHS = ("predict", "embedding", "hidden", "decode", "sampling", "generate", "neighbors", "health")


@pytest.mark.parametrize("path", PATHS)
def test_its_own_description_breaks_it_nowhere(generator, path):
    limits = Limits(molecules=20, samples=4, codes=8, seconds=60.0)
    application = make_service(lambda: generator, limits, token="")
    described = schemathesis.openapi.from_asgi("/openapi.json", application)
    [operation] = [
        one.ok() for one in described.get_all_operations() if one.ok().path == f"/{path}"
    ]

    @settings(max_examples=25, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy())
    def fuzz(case):
        case.call_and_validate(checks=CHECKS)

    fuzz()


# -------------------------------------------------------------------------------- the command


def test_help_and_a_missing_extra(monkeypatch):
    result = run("serve", "--help")
    assert result.exit_code == 0
    assert "\n    cmim serve" in result.output
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = run("serve")
    assert result.exit_code == 2
    assert "cmim-chem[serve]" in result.stderr


def test_the_command_hands_its_limits_over(monkeypatch, generator):
    import uvicorn

    from cmim_chem.generate.generator import Generator

    seen = {}
    monkeypatch.setattr(Generator, "load", lambda folder=None, extra_probes=(): generator)
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: seen.update(options, app=app))
    assert run("serve", "--port", "9000", "--max-molecules", "2").exit_code == 0
    assert seen["host"] == "127.0.0.1"
    assert seen["port"] == 9000
    with TestClient(seen["app"]) as client:
        assert client.post("/hidden", json={"sequences": ["C"] * 2}).status_code == 200
        assert client.post("/hidden", json={"sequences": ["C"] * 3}).status_code == 422
