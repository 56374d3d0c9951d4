"""Shape of the network: one frozen dataclass and the named presets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class ModelConfig:
    """Everything that fixes the shape of the network.

    Attributes
    ----------
    vocab_size : int
        Number of tokens, the special ones included.
    width : int
        Width of the residual stream of encoder and decoder.
    encoder_layers, decoder_layers : int
        Number of transformer blocks.
    heads : int
        Attention heads; divides `width`.
    d_z : int
        Width of the latent code z.
    pool_queries : int
        Learned queries that cross-attend to the encoded tokens (Perceiver pooling).
    memory_slots : int
        Vectors made of z that every decoder block attends to, beside the past tokens.
    max_tokens : int
        Longest molecule the model reads, in tokens, end mark not counted.
    mlp : int
        Hidden width of the blocks' perceptrons; 0 for four times `width`.
    readout : int
        Width of one more layer between the decoder's blocks and the map to logits, whose
        activations are then the decoder's last hidden states; 0 for none.
    sigma_floor : float
        Smallest standard deviation of q(z|x); MIM rewards confidence and needs a floor.
    gelu : str
        ``none`` or ``tanh``, as in `torch.nn.GELU`. The exact one is three times quicker on a
        processor; the default is that of checkpoints that do not say.
    """

    vocab_size: int
    width: int = 192
    encoder_layers: int = 4
    decoder_layers: int = 3
    heads: int = 6
    d_z: int = 256
    pool_queries: int = 8
    memory_slots: int = 8
    max_tokens: int = 250
    mlp: int = 0
    readout: int = 0
    sigma_floor: float = 0.05
    gelu: str = "tanh"

    def __post_init__(self) -> None:
        """Reject shapes that cannot be built."""
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        for field in ("vocab_size", "width", "encoder_layers", "decoder_layers", "d_z"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, not {getattr(self, field)}")
        if self.readout < 0:
            raise ValueError(f"readout must be 0, for none, or a width, not {self.readout}")
        if self.mlp < 0:
            raise ValueError(f"mlp must be a width, or 0 for four times width, not {self.mlp}")
        if not 0.0 < self.sigma_floor < 1.0:
            raise ValueError(f"sigma_floor must lie between 0 and 1, not {self.sigma_floor}")
        if self.gelu not in ("none", "tanh"):
            raise ValueError(f"gelu must be none or tanh, not {self.gelu}")

    @property
    def mlp_width(self) -> int:
        """Hidden width of the blocks' perceptrons."""
        return self.mlp or 4 * self.width

    @property
    def d_h(self) -> int:
        """Width of the decoder's last hidden states, and of their mean h."""
        return self.readout or self.width


# tiny: tests. small: for two cores, and what ships; reading takes little, writing needs its three
# layers (benchmarks/LOG.md). molmim: the 65 M parameters of MolMIM
# (arXiv 2208.09016: 6 + 6 layers, width 512, 8 heads).
PRESETS: dict[str, dict[str, int | str]] = {
    "tiny": {
        "width": 64,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "heads": 4,
        "d_z": 64,
        "pool_queries": 4,
        "memory_slots": 4,
        "gelu": "none",
    },
    "small": {
        "width": 192,
        "encoder_layers": 2,
        "decoder_layers": 3,
        "heads": 6,
        "mlp": 384,
        "readout": 768,
        "gelu": "none",
    },
    "molmim": {
        "width": 512,
        "encoder_layers": 6,
        "decoder_layers": 6,
        "heads": 8,
        "d_z": 512,
        "pool_queries": 16,
        "memory_slots": 16,
        "gelu": "none",
    },
}


# Types of the fields that a text such as ``sigma_floor=0.1`` is turned into; the others are int.
_NOT_INTEGER: dict[str, Callable[[str], float | str]] = {"sigma_floor": float, "gelu": str}


def preset(name: str, vocab_size: int, changes: Sequence[str] = ()) -> ModelConfig:
    """Configuration of a named preset.

    Parameters
    ----------
    name : str
        One of `PRESETS`.
    vocab_size : int
        Number of tokens of the corpus' vocabulary.
    changes : sequence of str
        Fields that differ from the preset, each as ``field=value``.

    Raises
    ------
    ValueError
        If there is no such preset or field, or the shape cannot be built.
    """
    if name not in PRESETS:
        raise ValueError(f"no preset {name!r}; choose one of {', '.join(PRESETS)}")
    values: dict[str, int | float | str] = dict(PRESETS[name])
    names = [field.name for field in fields(ModelConfig)[1:]]
    for change in changes:
        field, _, text = change.partition("=")
        if field not in names:
            raise ValueError(f"no field {field!r} in {change!r}; choose one of {', '.join(names)}")
        values[field] = _NOT_INTEGER.get(field, int)(text)
    return ModelConfig(vocab_size, **values)  # type: ignore[arg-type]
