"""A trained encoder as a folder: ``config.json``, ``vocab.json``, ``model.safetensors``.

No pickle: loading a checkpoint cannot run code. The digest over the three files is the identity
that probes and index are tied to. The state of a training run is `cmim_chem.pretrain.trainer`'s.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from cmim_chem.chem.tokenizer import Tokenizer
from cmim_chem.errors import ArtifactError
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.config import ModelConfig

FILES = ("config.json", "vocab.json", "model.safetensors")


def save_checkpoint(
    folder: Path,
    model: CMIM,
    tokenizer: Tokenizer,
    training: Mapping[str, object],
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write a model.

    Parameters
    ----------
    folder : Path
        Made if missing.
    model : CMIM
        The network.
    tokenizer : Tokenizer
        Its vocabulary.
    training : mapping
        Facts about the training, kept in ``config.json`` under ``training``.
    dtype : torch.dtype
        Type the weights are stored in; bfloat16 halves the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = {"format": 1, "model": asdict(model.config), "training": dict(training)}
    text = json.dumps(config, indent=1)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")
    tokenizer.save(folder / "vocab.json")
    weights = {k: v.detach().to(dtype).contiguous() for k, v in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors")


def load_checkpoint(folder: Path) -> tuple[CMIM, Tokenizer]:
    """Read a model for inference: float32 weights, evaluation mode.

    Parameters
    ----------
    folder : Path
        A folder written by `save_checkpoint`.

    Raises
    ------
    ArtifactError
        If a file is missing or damaged, or the weights do not fit the configuration.
    """
    try:
        raw = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config = ModelConfig(**raw["model"])
        weights = load_file(folder / "model.safetensors")
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ArtifactError(
            f"{folder}: not a readable checkpoint ({error}); restore {', '.join(FILES)}"
        ) from error
    tokenizer = Tokenizer.load(folder / "vocab.json")
    if len(tokenizer) != config.vocab_size:
        raise ArtifactError(
            f"{folder}: vocab.json has {len(tokenizer)} tokens, the model {config.vocab_size};"
            " the files are of different checkpoints"
        )
    model = CMIM(config)
    try:
        model.load_state_dict({k: v.float() for k, v in weights.items()})
    except RuntimeError as error:
        raise ArtifactError(
            f"{folder}: model.safetensors does not fit config.json; the files are of different"
            " checkpoints"
        ) from error
    return model.eval().requires_grad_(False), tokenizer


def digest_checkpoint(folder: Path) -> str:
    """sha256 over the files of a checkpoint, as hexadecimal text.

    Raises
    ------
    ArtifactError
        If a file is missing.
    """
    digest = hashlib.sha256()
    for name in FILES:
        try:
            digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
        except OSError as error:
            raise ArtifactError(f"{folder}: {name} is missing; restore the checkpoint") from error
    return digest.hexdigest()
