"""Neighbors in a library of one's own, with the shipped model."""

from __future__ import annotations

from tests.integration.stand_in import read_csv, run


def test_an_index_of_a_library_finds_its_molecules(tmp_path):
    library = tmp_path / "library.csv"
    library.write_text("smiles,name\nCCO,a\nnope,bad\nc1ccccc1,b\nOCC,c\nCC(=O)O,d\n")
    built = run("neighbors", "--build", library, "-o", tmp_path / "i.index")
    assert built.exit_code == 0, built.stderr
    assert "5 rows" in built.stderr
    assert "4 molecules, exact search" in built.stderr
    asked = ("neighbors", "--smiles", "CCO", "--smiles", "(", "-k", 2)
    result = run(*asked, "--index", tmp_path / "i.index")
    assert result.exit_code == 0, result.stderr
    found = read_csv(result.stdout)
    assert found["row"].tolist() == ["1", "4", ""]
    assert found["name"].tolist() == ["a", "c", ""]
    assert found["tanimoto"].tolist()[:2] == ["1.0", "1.0"]
    assert found["problem"][2].startswith("cannot parse")
    refused = run(*asked, "--index", tmp_path / "i.index", "--source", "drugs")
    assert refused.exit_code == 2
    assert run(*asked, "--index", tmp_path).exit_code == 2
    assert run("neighbors", "--build", library).exit_code == 2
    assert run("neighbors", library, "--build", library, "-o", tmp_path / "x").exit_code == 2
