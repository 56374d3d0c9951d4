"""How well a model writes down what it has read."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from cmim_chem.chem.tokenizer import PAD, Tokenizer
from cmim_chem.model.cmim import CMIM
from cmim_chem.model.decoding import Decoding, write_tokens
from cmim_chem.pretrain.batches import collate, pad_length


@torch.no_grad()
def reconstruction(
    model: CMIM,
    tokenizer: Tokenizer,
    smiles: Sequence[str],
    batch_size: int = 128,
    spellings: Sequence[str] | None = None,
) -> tuple[float, float]:
    """Token accuracy under teacher forcing and exact greedy reconstruction, both from mu.

    Parameters
    ----------
    model : CMIM
        The network.
    tokenizer : Tokenizer
        Its vocabulary.
    smiles : sequence of str
        Standardized SMILES.
    batch_size : int
        Molecules at a time.
    spellings : sequence of str, optional
        What the encoder reads instead of each molecule's own SMILES.

    Returns
    -------
    token_accuracy : float
        Share of tokens, end marks included, that are the decoder's first choice.
    exact : float
        Share of molecules written back to the letter.
    """
    right = total = exact = 0
    device = model.logits.weight.device
    ordered = sorted(zip(smiles, spellings or smiles, strict=True), key=lambda pair: len(pair[0]))
    for start in range(0, len(ordered), batch_size):
        part, read = zip(*ordered[start : start + batch_size], strict=True)
        x = _collate(tokenizer, part).to(device)
        z = model.encode(_collate(tokenizer, read).to(device) if spellings else x).mu
        best = model.logits(model.decode(z, x)).argmax(-1)
        # One that outgrows the longest original is wrong already.
        written = write_tokens(model, z, Decoding(max_tokens=x.shape[1]))
        real = x != PAD
        right += int(((best == x) & real).sum())
        total += int(real.sum())
        exact += sum(
            ids is not None and tokenizer.decode(ids) == s
            for ids, s in zip(written, part, strict=True)
        )
    return right / max(total, 1), exact / max(len(ordered), 1)


def _collate(tokenizer: Tokenizer, smiles: Sequence[str]) -> torch.Tensor:
    sequences = [tokenizer.encode(s) for s in smiles]
    return torch.from_numpy(collate(sequences, pad_length(max(map(len, sequences)))))
