"""Substructures that chemists are warned of: two published lists, as RDKit holds them.

An alert is a reason to look twice, no verdict: some approved drugs set one off.
"""

from __future__ import annotations

from functools import cache

from rdkit import rdBase
from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogParams

from cmim_chem.chem.parse import parse_standardized


def find_alerts(smiles: str) -> tuple[str, ...]:
    """Substructures of a molecule that are on a list.

    Parameters
    ----------
    smiles : str
        A standardized SMILES.

    Returns
    -------
    tuple of str
        Such as ``PAINS: quinone A``: assay interference (Baell and Holloway, J. Med. Chem. 2010,
        53, 2719) and groups unwanted in screening (Brenk et al., ChemMedChem 2008, 3, 435).

    Raises
    ------
    InputError
        If the SMILES does not parse.
    """
    with rdBase.BlockLogs():
        matches = _load_lists().GetMatches(parse_standardized(smiles))
    found = (
        f"{'PAINS' if 'PAINS' in match.GetProp('FilterSet') else 'Brenk'}: "
        f"{_name_alert(match.GetDescription())}"
        for match in matches
    )
    return tuple(dict.fromkeys(found))


def _name_alert(description: str) -> str:
    """Words of an entry, which is written as quinone_A(370) or Aliphatic_long_chain."""
    return description.split("(")[0].replace("_", " ").strip()


@cache
def _load_lists() -> FilterCatalog:
    params = FilterCatalogParams()
    params.AddCatalog(FilterCatalogParams.FilterCatalogs.PAINS)
    params.AddCatalog(FilterCatalogParams.FilterCatalogs.BRENK)
    return FilterCatalog(params)
