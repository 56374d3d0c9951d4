"""Requests and answers of the service.

Names and shapes of ``/embedding``, ``/hidden``, ``/decode``, ``/sampling`` and ``/generate`` are
those of NVIDIA's MolMIM service, so that its clients work here; what is added to an answer stands
in fields of its own. A row that fails is null, with its reason at the same place of ``problems``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

ASPIRIN, CAFFEINE = "CC(=O)Oc1ccccc1C(=O)O", "Cn1cnc2c1c(=O)n(C)c(=O)n2C"

Number = Annotated[float, Field(allow_inf_nan=False)]
Smiles = Annotated[str, Field(max_length=10_000, examples=[ASPIRIN])]
Sequences = Annotated[
    list[Smiles], Field(min_length=1, description="SMILES.", examples=[[ASPIRIN, CAFFEINE]])
]
Problems = Annotated[list[str], Field(description="Why a row failed; empty for the others.")]
RandomSeed = Annotated[
    int | None, Field(ge=0, lt=2**31, description="The same seed gives the same molecules.")
]


class Request(BaseModel):
    """What all requests share: fields of other services are passed over."""

    model_config = ConfigDict(extra="ignore")


class MoleculesRequest(Request):
    """Molecules."""

    sequences: Sequences


class PredictRequest(MoleculesRequest):
    """Molecules to predict."""

    properties: Annotated[
        list[str] | None, Field(description="Names of properties; all if left out.")
    ] = Field(None, examples=[["esol", "bbbp"]])


class NeighborsRequest(MoleculesRequest):
    """Molecules whose nearest known molecules are wanted."""

    k: Annotated[int, Field(ge=1, le=100)] = 10
    source: Literal["all", "drugs", "zinc"] = "all"


class DecodeRequest(Request):
    """Codes, as `/hidden` gives them: n rows of one vector each."""

    hiddens: Annotated[list[list[list[Number]] | None], Field(min_length=1)]
    mask: list[list[bool]] | None = None


class SamplingRequest(MoleculesRequest):
    """Seeds to sample around."""

    beam_size: Annotated[int, Field(ge=1, le=10)] = 1
    num_molecules: Annotated[int, Field(ge=1, le=100, description="For each seed.")] = 1
    scaled_radius: Annotated[float, Field(ge=0, le=2, description="1 is the codes' spread.")] = 0.7
    seed: RandomSeed = None


class GenerateRequest(Request):
    """A seed to sample around (``none``) or to improve (``CMA-ES``)."""

    smi: Smiles
    algorithm: Literal["CMA-ES", "none"] = "CMA-ES"
    num_molecules: Annotated[int, Field(ge=1, le=100)] = 10
    property_name: Annotated[str, Field(description="QED, plogP or a predicted property.")] = "QED"
    minimize: bool = False
    min_similarity: Annotated[float, Field(ge=0, le=1)] = 0.7
    particles: Annotated[int, Field(ge=2, le=1_000)] = 30
    iterations: Annotated[int, Field(ge=1, le=1_000)] = 10
    scaled_radius: Annotated[float, Field(ge=0, le=2)] = 1.0
    seed: RandomSeed = None


class EmbeddingAnswer(BaseModel):
    """h of each molecule."""

    embeddings: list[list[float] | None]
    problems: Problems


class HiddenAnswer(BaseModel):
    """z of each molecule: one vector, and a mask that says so."""

    hiddens: list[list[list[float]] | None]
    mask: list[list[bool]]
    problems: Problems


class DecodeAnswer(BaseModel):
    """Standardized SMILES; empty where the decoder wrote no molecule."""

    generated: list[str]
    problems: Problems


class SamplingAnswer(BaseModel):
    """Unique valid molecules around each seed, fewer than wanted if tries ran out."""

    generated: list[list[str]]
    problems: Problems


class Made(BaseModel):
    """One molecule that was made."""

    smiles: str
    score: float | None
    similarity: float


class GenerateAnswer(BaseModel):
    """Molecules, the best first."""

    molecules: Annotated[str, Field(description="JSON: a list of {sample, score}, as MolMIM's.")]
    score_type: str
    generated: list[str]
    details: list[Made]
    calls: Annotated[int, Field(description="Molecules whose property was measured.")]


class PropertyAnswer(BaseModel):
    """What a predicted number is."""

    name: str
    title: str
    unit: str
    kind: str


class Prediction(BaseModel):
    """One molecule."""

    smiles: str
    standardized_smiles: str | None
    problem: str
    values: dict[str, float | None]


class PredictAnswer(BaseModel):
    """One prediction per molecule, in order."""

    properties: list[PropertyAnswer]
    predictions: list[Prediction]


class Neighbor(BaseModel):
    """A known molecule."""

    name: str
    smiles: str
    source: str
    chembl_id: str
    year: int | None
    cosine: float
    tanimoto: float


class NeighborsAnswer(BaseModel):
    """Nearest known molecules of each molecule, the nearest first."""

    neighbors: list[list[Neighbor]]
    problems: Problems


class HealthAnswer(BaseModel):
    """The service is there."""

    status: Literal["ready"] = "ready"
    version: str
    encoder: str


class ErrorItem(BaseModel):
    """What is wrong, and where."""

    loc: list[str | int]
    msg: str
    type: str


class ErrorAnswer(BaseModel):
    """Every answer that is not a 200."""

    detail: list[ErrorItem]
