"""The bank: codes of random molecules of the pretraining corpus, to start from without a seed.

MIM does not pull its codes towards P(z), so a draw from N(0, I), or even from Gaussians fitted to
the codes, decodes to molecules in a quarter of the cases (benchmarks/LOG.md). A code drawn from the
posterior of a real molecule does nearly always. The bank is `data.build_weights`'s work.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from cmim_chem.errors import ArtifactError

FILE = "bank.safetensors"


@dataclass(frozen=True, eq=False)
class Bank:
    """Codes to start from, and two facts about them.

    Attributes
    ----------
    codes : ndarray
        mu of m random molecules of the corpus, shape (m, d_z), float32.
    spread : float
        Standard deviation of the codes over molecules, the root mean square over dimensions: the
        unit of every radius, so that a radius means the same for codes of any scale.
    domain : float
        Cosine to the nearest molecule of the index that 99 of 100 molecules of the corpus exceed;
        below it a molecule counts as outside the domain of the predictions.
    encoder_digest : str
        sha256 of the encoder that the codes are of.
    """

    codes: NDArray[np.float32]
    spread: float
    domain: float
    encoder_digest: str

    def draw(self, n: int, chance: np.random.Generator) -> NDArray[np.float32]:
        """Pick codes at random; none twice before all have been picked.

        Parameters
        ----------
        n : int
            Codes wanted.
        chance : numpy.random.Generator
            Decides which.

        Returns
        -------
        ndarray
            Shape (n, d_z), float32.
        """
        rounds = -(-n // len(self.codes))
        picked = [chance.permutation(len(self.codes)) for _ in range(rounds)]
        return self.codes[np.concatenate(picked or [np.zeros(0, dtype=np.int64)])[:n]]


def make_bank(codes: NDArray[np.float32], domain: float, encoder_digest: str) -> Bank:
    """Measure the spread of codes and put them into a bank.

    Parameters
    ----------
    codes : ndarray
        Shape (m, d_z), float32, m at least 2.
    domain : float
        As in `Bank`.
    encoder_digest : str
        As in `Bank`.

    Returns
    -------
    Bank
        The codes as they are.
    """
    return Bank(codes, float(np.sqrt(codes.var(axis=0).mean())), domain, encoder_digest)


def save_bank(bank: Bank, path: Path) -> None:
    """Write a bank in one byte per number: a hundredth of the noise that decoding bears.

    Parameters
    ----------
    bank : Bank
        What to write.
    path : Path
        The file.
    """
    step = float(np.abs(bank.codes).max() / 127)
    small = np.round(bank.codes / step).astype(np.int8)
    facts = {"step": step, "spread": bank.spread, "domain": bank.domain}
    metadata = {"facts": json.dumps(facts), "encoder": bank.encoder_digest, "format": "1"}
    save_file({"codes": small}, path, metadata)


def load_bank(path: Path, encoder_digest: str) -> Bank:
    """Read a bank.

    Parameters
    ----------
    path : Path
        Written by `save_bank`.
    encoder_digest : str
        Digest of the encoder whose codes are wanted.

    Returns
    -------
    Bank
        Frozen.

    Raises
    ------
    ArtifactError
        If the file is missing, damaged or of another encoder.
    """
    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata()
            facts = json.loads(metadata["facts"])
            codes = file.get_tensor("codes").astype(np.float32) * np.float32(facts["step"])
            spread, domain = float(facts["spread"]), float(facts["domain"])
            made_for = metadata["encoder"]
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ArtifactError(
            f"{path}: no readable bank of codes ({error}); run `make weights` or restore the file"
        ) from error
    if made_for != encoder_digest:
        raise ArtifactError(f"{path}: made for another encoder; run `make weights` again")
    codes.flags.writeable = False
    return Bank(codes, spread, domain, made_for)
