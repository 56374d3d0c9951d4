"""A probe as a folder: card, arrays and model texts, each under a checksum; no pickle.

    <name>/card.json  card.md  arrays.safetensors  task_00.txt.gz ...  manifest.json
    <name>/sureness.safetensors        absent from probes that cannot say how sure they are
    <name>/encoder/                    only of a probe whose encoder was fine-tuned for it

`manifest.json` lists the sha256 of every other file; the probe's digest is the sha256 over that
list. A folder is written beside its place and moved there in one step, and the same probe gives
the same bytes. Fitting is `probes.fit`; which probes ship is the predictor's business.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors import numpy as safetensors

from cmim_chem.errors import ArtifactError
from cmim_chem.probes.card import ProbeCard
from cmim_chem.probes.features import Features
from cmim_chem.probes.folder import (
    check_file,
    digest_files,
    is_occupied,
    list_files,
    move_into_place,
    read_encoder,
    read_json,
    to_json,
    write_encoder,
)
from cmim_chem.probes.model import FittedModel
from cmim_chem.probes.sureness import LEVEL, Assessment, Sureness

__all__ = ["Probe", "ProbeCard", "load_probe", "save_probe"]

# The second is that of a probe that brings its own encoder: earlier versions cannot read it.
FORMAT, FORMAT_WITH_ENCODER = 1, 2
MANIFEST = "manifest.json"
CARD = "card.json"
PAGE = "card.md"
ARRAYS = "arrays.safetensors"
SURENESS = "sureness.safetensors"


@dataclass(frozen=True, slots=True)
class Probe:
    """A fitted property model with its card; immutable.

    Attributes
    ----------
    card : ProbeCard
    model : FittedModel
    digest : str
        sha256 of the stored folder; empty for a probe that was never saved.
    sureness : Sureness or None
        None for a probe that has no intervals.
    encoder_files : mapping of str to bytes
        Checkpoint of the encoder whose z and h it reads; empty if that is the one that ships.
    """

    card: ProbeCard
    model: FittedModel
    digest: str = ""
    sureness: Sureness | None = None
    encoder_files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def blocks(self) -> tuple[str, ...]:
        """Feature blocks `predict` reads, e.g. ("h", "descriptors", "ecfp")."""
        return self.card.blocks

    def predict(self, features: Features) -> NDArray[np.float64]:
        """Predict every task for every row.

        Parameters
        ----------
        features : mapping of str to (n, d) float32
            At least `blocks`; rows of valid molecules only.

        Returns
        -------
        (n, t) float64
            In `card.units`: the unit of the table, or the calibrated probability of class 1.

        Raises
        ------
        InputError
            When a block is absent, has another width, or has rows without numbers.
        """
        predicted = self.model.predict(features)
        return predicted if self.sureness is None else self.sureness.calibrate(predicted)

    def assess(
        self, features: Features, predicted: NDArray[np.float64], level: float = LEVEL
    ) -> Assessment | None:
        """Say how sure predictions are.

        Parameters
        ----------
        features : mapping of str to (n, d) float32
            At least the blocks of `probes.domain.BLOCKS`.
        predicted : (n, t) float64
            What `predict` returned.
        level : float
            Between 0 and 1.

        Returns
        -------
        Assessment or None
            None for a probe that has no intervals.

        Raises
        ------
        InputError
            If the level is not between 0 and 1.
        """
        if self.sureness is None:
            return None
        return self.sureness.assess(features, predicted, level)


def save_probe(probe: Probe, folder: Path) -> str:
    """Write a probe; an older probe in the same place is replaced.

    Parameters
    ----------
    probe : Probe
        Fitted probe with its card.
    folder : Path
        Where to write it; parents are made.

    Returns
    -------
    str
        The digest of what was written.

    Raises
    ------
    ArtifactError
        When the place holds something that is not a probe, or cannot be written.
    """
    if folder.exists() and not (folder / MANIFEST).is_file() and is_occupied(folder):
        raise ArtifactError(f"{folder} is not a probe folder: choose a new or empty folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            digest = _write_files(probe, fresh)
            fresh.chmod(0o755)
            move_into_place(fresh, folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise ArtifactError(f"cannot write the probe {folder}: {error.strerror}") from error
    return digest


def load_probe(folder: Path, encoder_digest: str) -> Probe:
    """Read a probe and check every byte of it.

    Parameters
    ----------
    folder : Path
        What `save_probe` wrote.
    encoder_digest : str
        sha256 of the encoder that ships. A probe that brings its own is not compared with it, but
        with its own by who loads that (`cmim_chem.encoders`).

    Returns
    -------
    Probe

    Raises
    ------
    ArtifactError
        When a file is missing or changed, the format or head is unknown, or the probe was fitted
        on another encoder (both digests are named).
    """
    manifest = read_json(folder, MANIFEST)
    if manifest.get("format") not in (FORMAT, FORMAT_WITH_ENCODER):
        raise ArtifactError(
            f"{folder}: format {manifest.get('format')!r}, this version reads {FORMAT} and"
            f" {FORMAT_WITH_ENCODER}: update cmim-chem or fit the probe again"
        )
    files = manifest.get("files")
    if not isinstance(files, dict) or not {CARD, ARRAYS} <= set(files):
        raise ArtifactError(f"{folder / MANIFEST} does not list {CARD} and {ARRAYS}: fit it again")
    for name, expected in files.items():
        check_file(folder, name, expected)
    try:
        card = ProbeCard.from_json(read_json(folder, CARD))
    except ArtifactError as error:
        raise ArtifactError(f"{folder}: {error}") from error
    encoder_files = read_encoder(folder, files)
    if not encoder_files and card.encoder_digest != encoder_digest:
        raise ArtifactError(
            f"{folder}: the probe was fitted on the encoder {card.encoder_digest}, but this one is"
            f" {encoder_digest}: fit it again on this encoder, or load that one"
        )
    try:
        arrays = safetensors.load_file(folder / ARRAYS)
        texts = [gzip.decompress((folder / n).read_bytes()).decode() for n in _text_names(files)]
        model = FittedModel.from_parts(card.kind, (card.head, card.blocks), arrays, texts)
        sureness = _load_sureness(folder) if SURENESS in files else None
    except (SafetensorError, OSError, EOFError, ValueError) as error:
        raise ArtifactError(f"{folder}: unreadable numbers ({error}): fit it again") from error
    except ArtifactError as error:
        raise ArtifactError(f"{folder}: {error}") from error
    return Probe(card, model, digest_files(files), sureness, encoder_files)


def _write_files(probe: Probe, folder: Path) -> str:
    (folder / CARD).write_text(to_json(probe.card.to_json()), encoding="utf-8")
    (folder / PAGE).write_text(probe.card.to_markdown(), encoding="utf-8")
    safetensors.save_file(_contiguous(probe.model.arrays()), folder / ARRAYS)
    if probe.sureness is not None:
        safetensors.save_file(_contiguous(probe.sureness.arrays()), folder / SURENESS)
    for task, text in enumerate(probe.model.texts()):
        # Without a time stamp the same model is the same bytes.
        packed = gzip.compress(text.encode(), mtime=0)
        (folder / f"task_{task:02d}.txt.gz").write_bytes(packed)
    write_encoder(probe.encoder_files, folder)
    files = list_files(folder)
    form = FORMAT_WITH_ENCODER if probe.encoder_files else FORMAT
    manifest = {"format": form, "files": files}
    (folder / MANIFEST).write_text(to_json(manifest), encoding="utf-8")
    return digest_files(files)


def _load_sureness(folder: Path) -> Sureness:
    return Sureness.from_arrays(safetensors.load_file(folder / SURENESS))


def _contiguous(arrays: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _text_names(files: dict[str, str]) -> list[str]:
    return sorted(name for name in files if name.endswith(".txt.gz"))
