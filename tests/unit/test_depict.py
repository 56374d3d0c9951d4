"""Pictures are well-formed, small, self-contained, and refuse what cannot be drawn."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote
from xml.etree import ElementTree

import pytest

from cmim_chem.chem.depict import svg, svg_data_uri, write_data_uri
from cmim_chem.errors import InputError

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
IMATINIB = "CN1CCN(Cc2ccc(C(=O)Nc3ccc(C)c(Nc4nccc(-c5cccnc5)n4)c3)cc2)CC1"
DIFFICULT = ["C", "[Na+].[Cl-]", "[NH3]->[Pt](Cl)Cl", "[2H]C([2H])O", "C/C=C/[C@H](F)Cl", "*CC*"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("smiles", [ASPIRIN, IMATINIB, *DIFFICULT])
def test_picture_is_well_formed_and_self_contained(smiles: str, dark: bool) -> None:
    picture = svg(smiles, 160, 100, dark=dark)
    root = ElementTree.fromstring(picture)
    assert root.get("width") == "160"
    assert root.get("height") == "100"
    assert len(root) > 0
    assert {child.tag for child in root} == {"{http://www.w3.org/2000/svg}path"}
    # The only address is the name of the SVG namespace: nothing is loaded from anywhere.
    assert re.findall(r"https?://[^\"']+", picture) == ["http://www.w3.org/2000/svg"]


def test_every_coordinate_stays_inside_the_picture() -> None:
    picture = svg(IMATINIB, 160, 100)
    data = " ".join(re.findall(r' d="([^"]*)"', picture))
    # Without marked atoms every command of the path is absolute: x and y take turns.
    numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", data)]
    assert len(numbers) > 100
    assert all(0 <= x <= 160 for x in numbers[::2])
    assert all(0 <= y <= 100 for y in numbers[1::2])


def test_picture_is_small_enough_for_thousands_of_rows() -> None:
    assert len(svg_data_uri(ASPIRIN, 160, 100)) < 3_500
    assert len(svg_data_uri(IMATINIB, 160, 100)) < 6_500


def test_same_molecule_gives_the_same_picture() -> None:
    assert svg(ASPIRIN, 160, 100) == svg(ASPIRIN, 160, 100)


def test_background_is_transparent_and_colors_follow_the_page() -> None:
    light, dark = svg(ASPIRIN, 160, 100), svg(ASPIRIN, 160, 100, dark=True)
    assert "<rect" not in light
    assert light != dark

    def brightness(picture: str) -> list[float]:
        colors = re.findall(r'(?:fill|stroke)="#([0-9A-Fa-f]{6})"', picture)
        channels = [[int(color[i : i + 2], 16) / 255 for i in (0, 2, 4)] for color in colors]
        return [0.21 * red + 0.72 * green + 0.07 * blue for red, green, blue in channels]

    assert max(brightness(light)) < 0.5
    assert min(brightness(dark)) > 0.5


def test_marked_atoms_are_drawn_behind_the_molecule() -> None:
    plain, marked = svg(ASPIRIN, 160, 100), svg(ASPIRIN, 160, 100, highlight=[0, 1])
    assert "#FFD68C" not in plain
    assert "#FFD68C" in re.findall(r"<path [^>]*", marked)[0]


def test_data_address_holds_the_same_picture() -> None:
    address = svg_data_uri(ASPIRIN, 160, 100)
    head, body = address.split(",", 1)
    assert head == "data:image/svg+xml"
    assert not set(body) & set('"<>#')
    assert unquote(body) == svg(ASPIRIN, 160, 100).replace('"', "'")


@pytest.mark.parametrize("text", ["100 %41 <é> #a &amp; ~", '<path d="M 1,2"/>', ""])
def test_addresses_are_quoted_as_the_standard_library_does(text: str) -> None:
    wanted = quote(text.replace('"', "'"), safe=" /:,='.-")
    assert write_data_uri(text) == f"data:image/svg+xml,{wanted}"


@pytest.mark.parametrize("smiles", ["", "not_a_smiles", "C1CC", "<script>alert(1)</script>"])
def test_what_cannot_be_drawn_is_refused_in_words(
    smiles: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="not a valid SMILES"):
        svg(smiles, 160, 100)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("atoms", [[13], [-1]])
def test_marking_an_atom_that_is_not_there_is_refused(atoms: list[int]) -> None:
    with pytest.raises(InputError, match="13 atoms"):
        svg(ASPIRIN, 160, 100, highlight=atoms)
