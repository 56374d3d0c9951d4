"""Which encoder makes the z and h of a probe: the one that ships, or one that the probe brings.

An encoder that was fine-tuned for a table travels in the folder of its probe. Fine-tuning is
`cmim_chem.finetune`'s business, the folder that of `cmim_chem.probes.artifact`.
"""

from __future__ import annotations

from collections.abc import Sequence

from cmim_chem.embed import Embedder
from cmim_chem.errors import ArtifactError
from cmim_chem.probes.artifact import Probe


class Encoders:
    """The encoders of some probes; never changed once made.

    Parameters
    ----------
    shipped : Embedder
        Of every probe that brings none.
    probes : sequence of Probe
        Perhaps with encoders of their own.

    Raises
    ------
    ArtifactError
        If an encoder is damaged, or is not the one that its probe was fitted on.
    """

    def __init__(self, shipped: Embedder, probes: Sequence[Probe]) -> None:
        self.shipped = shipped
        self._own: dict[str, Embedder] = {}
        for probe in probes:
            digest = probe.card.encoder_digest
            if probe.encoder_files and digest not in self._own:
                self._own[digest] = _load(probe)

    def find(self, probe: Probe) -> Embedder:
        """Find the encoder of one of the probes."""
        return self._own[probe.card.encoder_digest] if probe.encoder_files else self.shipped

    def group(self, probes: Sequence[Probe]) -> list[tuple[Embedder, tuple[Probe, ...]]]:
        """Put probes of one encoder together.

        Parameters
        ----------
        probes : sequence of Probe
            Some of those given at first.

        Returns
        -------
        list of tuple of Embedder and tuple of Probe
            The encoder that ships, without a probe, if there are none.
        """
        found: dict[str, tuple[Embedder, tuple[Probe, ...]]] = {}
        for probe in probes:
            embedder = self.find(probe)
            _, others = found.get(embedder.digest, (embedder, ()))
            found[embedder.digest] = embedder, (*others, probe)
        return list(found.values()) or [(self.shipped, ())]


def _load(probe: Probe) -> Embedder:
    name = probe.card.name
    try:
        embedder = Embedder.from_files(probe.encoder_files)
    except ArtifactError as error:
        raise ArtifactError(
            f"the encoder that the probe {name} brings along cannot be read: fit it again ({error})"
        ) from error
    if embedder.digest != probe.card.encoder_digest:
        raise ArtifactError(
            f"the probe {name} was fitted on the encoder {probe.card.encoder_digest}, but brings"
            f" along {embedder.digest}: copy its folder again"
        )
    return embedder
