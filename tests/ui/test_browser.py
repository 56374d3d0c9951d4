"""The app on the shipped model in a real headless Chromium, from upload to download."""

from __future__ import annotations

import zipfile

import pytest
from rdkit import Chem

from app.screenshot import TRAINING_PATIENCE, wait_until_drawn
from tests.ui.browsing import (
    click_row,
    click_table,
    download,
    read_csv,
    show,
    take,
    upload,
    wait_for_results,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOLECULES = {
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "caffeine": "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "bad one": "not_a_smiles",
    "ethanol": "CCO",
    "benzoate": "[Na+].[O-]C(=O)c1ccccc1",
    "propranolol": "CC(C)NCC(O)COc1cccc2ccccc12",
    "bad two": "C1CC(",
}


def table_of_500() -> list[tuple[str, str, str]]:
    """500 rows with IDs; every 25th cannot be read."""
    good = [(name, smiles) for name, smiles in MOLECULES.items() if not name.startswith("bad")]
    rows = []
    for at in range(500):
        name, smiles = ("bad one", MOLECULES["bad one"]) if at % 25 == 24 else good[at % 5]
        rows.append((f"ID-{at:03d}", name, smiles))
    rows[7] = ("=1+1", "formula", "CCCC")
    rows[8] = ("-7", "number", "CCCN")
    return rows


def test_500_rows_from_upload_to_download(visit):
    rows = table_of_500()
    lines = [",".join(row) for row in rows]
    upload(visit, "my molecules.csv", "\n".join(["Compound ID,name,SMILES", *lines]))
    wait_for_results(visit, "480 of 500")
    visit.get_by_text("20 with a problem").wait_for()
    wait_until_drawn(visit)

    click_row(visit, 1)
    visit.get_by_role("heading", name="caffeine").wait_for()
    visit.get_by_role("heading", name="Nearest approved drugs").wait_for()
    visit.get_by_role("img", name="Structure of caffeine", exact=True).wait_for()
    visit.get_by_text("CAFFEINE", exact=True).first.wait_for()
    wait_until_drawn(visit)
    assert visit.get_by_text("cosine 0.").count() + visit.get_by_text("cosine 1.").count() == 20
    assert visit.get_by_text("Tanimoto 1.00").count() >= 1, "caffeine is an approved drug"

    # Sorted by solubility, the first row is another molecule; the download is not sorted.
    click_table(visit, 700, 54)
    wait_until_drawn(visit)
    click_row(visit, 0)
    visit.get_by_role("heading", name="caffeine").wait_for(state="detached")

    show(visit, "Table")
    visit.get_by_role("button", name="Filter").click()
    visit.get_by_role("textbox", name="Text in any column").fill("not_a_smiles")
    visit.keyboard.press("Enter")
    visit.get_by_text("20 of 500 rows pass the filters").wait_for()
    visit.keyboard.press("Escape")
    wait_until_drawn(visit)
    click_row(visit, 0)
    visit.get_by_role("alert").get_by_text("cannot parse").wait_for()

    check_answer(read_csv(download(visit)), rows)


def check_answer(answer: list[dict[str, str]], rows: list[tuple[str, str, str]]) -> None:
    """As many rows as were given, in their order, each with numbers or with a reason."""
    assert [row["Compound ID"] for row in answer] == [
        "'=1+1" if row[0] == "=1+1" else row[0] for row in rows
    ]
    assert [row["SMILES"] for row in answer] == [row[2] for row in rows]
    columns = list(answer[0])
    assert columns[:5] == ["Compound ID", "name", "SMILES", "standardized_smiles", "problem"]
    assert {"esol", "bbbp"} <= set(columns)
    for row, (_, name, _) in zip(answer, rows, strict=True):
        bad = name.startswith("bad")
        assert bool(row["esol"]) != bad
        assert bool(row["standardized_smiles"]) != bad
        if bad:
            assert row["problem"].startswith("cannot parse")
        else:
            assert Chem.MolFromSmiles(row["standardized_smiles"]) is not None
            float(row["esol"])


def test_an_sdf_and_its_properties_there_and_back(visit):
    blocks = []
    for key, name in enumerate(("aspirin", "caffeine", "ethanol")):
        molecule = Chem.MolFromSmiles(MOLECULES[name])
        molecule.SetProp("_Name", name)
        blocks.append(f"{Chem.MolToMolBlock(molecule)}> <key>\n{key}\n\n$$$$\n")
    upload(visit, "three.sdf", "".join(blocks))
    wait_for_results(visit, "3 of 3")
    answer = read_csv(download(visit))
    assert [row["name"] for row in answer] == ["aspirin", "caffeine", "ethanol"]
    assert [row["key"] for row in answer] == ["0", "1", "2"]
    assert all(float(row["esol"]) < 2 for row in answer)
    upload(visit, "again.sdf", download(visit, "SDF"))
    visit.get_by_role("heading", name="again.sdf").wait_for()
    again = read_csv(download(visit))
    assert [row["name"] for row in again] == ["aspirin", "caffeine", "ethanol"]
    assert [row["esol_input"] for row in again] == [row["esol"] for row in answer]
    assert [row["esol"] for row in again] == [row["esol"] for row in answer]
    upload(visit, "again.parquet", download(visit, "Parquet"))
    visit.get_by_role("heading", name="again.parquet").wait_for()
    assert [row["key"] for row in read_csv(download(visit))] == ["0", "1", "2"]


def test_pasted_molecules(visit):
    visit.get_by_role("tab", name="Paste").click()
    visit.get_by_role("textbox").fill("CCO ethanol\nCCN ethylamine")
    visit.get_by_role("button", name="Predict").click()
    wait_for_results(visit, "2 of 2")
    visit.get_by_role("heading", name="ethanol").wait_for()
    at_90 = read_csv(download(visit))
    visit.get_by_role("combobox", name="Intervals").click()
    visit.get_by_role("option", name="80 %").click()
    wait_until_drawn(visit)
    for wide, narrow in zip(at_90, read_csv(download(visit)), strict=True):
        assert narrow["esol"] == wide["esol"]
        assert float(wide["esol_lower"]) < float(narrow["esol_lower"]) < float(wide["esol"])
        assert float(wide["esol"]) < float(narrow["esol_upper"]) < float(wide["esol_upper"])


@pytest.mark.needs_data
def test_an_own_model_from_upload_to_prediction(visit, address, data_dir):
    visit.goto(f"{address}/train")
    visit.get_by_text("What a table should look like").wait_for()
    visit.locator("input[type=file]").set_input_files(data_dir / "moleculenet" / "SAMPL.csv")
    visit.get_by_text("different molecules with a label").wait_for()
    visit.get_by_role("textbox", name="Name of the property").fill("hydration")
    visit.get_by_role("textbox", name="Unit").fill("kcal/mol")
    visit.keyboard.press("Enter")
    wait_until_drawn(visit)
    visit.get_by_role("button", name="Fit", exact=True).click()
    visit.get_by_text("95 % interval of that score").wait_for(timeout=TRAINING_PATIENCE)
    visit.get_by_test_id("stVegaLiteChart").wait_for()
    with zipfile.ZipFile(take(visit, "Download the probe")) as archive:
        assert "hydration/manifest.json" in archive.namelist()
    visit.get_by_role("button", name="Use it to predict").click()
    visit.get_by_role("tab", name="Paste").click()
    visit.get_by_role("textbox").fill("CCO ethanol\nCCCCCC hexane")
    visit.get_by_role("button", name="Predict", exact=True).click()
    wait_for_results(visit, "2 of 2")
    ethanol, hexane = (float(row["hydration"]) for row in read_csv(download(visit)))
    assert ethanol < hexane - 2, "water likes ethanol, not hexane (-5.0 and 2.5 kcal/mol)"
