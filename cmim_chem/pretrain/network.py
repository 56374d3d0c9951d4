"""What is trained: the encoder-decoder under an objective, with the heads of the chemistry factors.

One module with one `forward`, so that compiling and spreading over processes have one thing to
wrap. Only the encoder-decoder ships.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cmim_chem.model.chemistry import ChemistryHead
from cmim_chem.model.cmim import CMIM, mean_states
from cmim_chem.model.config import ModelConfig
from cmim_chem.model.loss import OBJECTIVES, Batch
from cmim_chem.pretrain.config import PretrainConfig


class Network(nn.Module):
    """Encoder-decoder, objective and heads of a run.

    Parameters
    ----------
    config : PretrainConfig
        The run; its seed fixes the weights.
    shape : ModelConfig
        Shape of the encoder-decoder.
    """

    def __init__(self, config: PretrainConfig, shape: ModelConfig) -> None:
        super().__init__()
        torch.manual_seed(config.seed)
        self.model = CMIM(shape)
        self._objective, self._tau = OBJECTIVES[config.objective], config.tau
        facts = config.facts
        heads = {
            # z has to keep whatever tells molecules apart, so reading a fact from it may take a
            # layer; from h the facts are read as a linear probe would read them.
            "z": lambda: ChemistryHead(shape.d_z, 2 * shape.d_z, facts),
            "h": lambda: ChemistryHead(shape.d_h, 0, facts),
        }
        places = config.chemistry_from.split("+") if facts else []
        self.heads = nn.ModuleDict({place: heads[place]() for place in places})

    def forward(self, batch: Batch, facts: dict[str, Tensor]) -> dict[str, Tensor]:
        """Terms of the objective and of the chemistry factors.

        Parameters
        ----------
        batch : Batch
            Molecules.
        facts : dict of str to Tensor
            Facts about them, shape (B, F), float32, for the heads there are.

        Returns
        -------
        dict of str to Tensor
            Each of shape (B,), float32, nats.
        """
        terms, z, states = self._objective(self.model, batch, self._tau)
        for place, head in self.heads.items():
            vector = z if place == "z" or states is None else mean_states(states, batch.x)
            found = head(vector, facts)
            terms = terms | {f"log_{name}_{place}": term for name, term in found.items()}
        return terms
