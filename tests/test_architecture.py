"""The shape of the code, read from its syntax trees: who may import whom, sizes and names.

Each check takes the source files and returns the sentences that are wrong with them, so that the
last part of this file can show on small bad trees that each of them really fails.
"""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("cmim_chem", "app", "benchmarks", "data", "tests")

# From the ground up; a unit imports from lower layers and from itself, never from its own layer.
LAYERS = (
    {"errors"},
    {"chem"},
    {"model"},
    {"pretrain", "embed"},
    {"features"},
    {"manifests"},
    {"metrics", "sources", "index_files", "reference_files"},
    {"probes", "index", "reference", "resampling"},
    {"predictions", "nearest"},
    {"encoders", "finetune"},
    {"evaluate", "assay_finetune"},
    {"predictor", "measurements", "assay_split", "assay_request"},
    {"plot", "report", "assay", "assay_check", "transformer", "landscape"},
    {"featurizer", "closeup", "assay_report", "attribution", "measured", "library_index"},
    {"insight"},
    {"generate", "score", "molecule_page"},
    {"serve"},
    {"cli"},
)
RANK = {unit: rank for rank, layer in enumerate(LAYERS) for unit in layer}

# What else a part of the tree must not import: a probe sees arrays, a page shows what it is given.
_PARTS = "chem", "model", "embed", "features"
_ARRAYS_ONLY = ("torch", "rdkit", *(f"cmim_chem.{part}" for part in _PARTS))
_SEE_ARRAYS = "probes index index_files reference reference_files metrics resampling".split()
FORBIDDEN = {
    "cmim_chem": ("app", "benchmarks", "data", "tests", "pickle", "joblib", "dill"),
    **{f"cmim_chem.{part}": _ARRAYS_ONLY for part in _SEE_ARRAYS},
    "app": ("torch", "rdkit", "sklearn", "benchmarks", "data", "tests", "pickle", "joblib"),
    "benchmarks": ("app", "tests", "pickle", "joblib"),
    "data": ("app", "tests", "pickle", "joblib"),
}
# The doors through which the app enters the library.
APP_MAY_IMPORT = (
    *"predictor predictions report closeup insight measured molecule_page".split(),
    *"measurements landscape reference".split(),
    *"generate assay assay_check probes.archive probes.card score.crew score.worker".split(),
    *"chem.bounds chem.columns chem.depict chem.read chem.sdf_write errors __version__".split(),
)

MAX_FILE_LINES = 280
MAX_FUNCTION_LINES = 50  # without the docstring
NAMELESS_ROOMS = {"utils", "util", "common", "helpers", "base", "misc", "manager"}


@dataclass(frozen=True)
class Source:
    """One Python file: its path below the root, its dotted name and what is in it."""

    path: Path
    text: str

    @property
    def module(self) -> str:
        return ".".join(self.path.with_suffix("").parts).removesuffix(".__init__")

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)


def read_sources(root: Path) -> list[Source]:
    paths = (path for folder in FOLDERS for path in sorted((root / folder).rglob("*.py")))
    return [Source(path.relative_to(root), path.read_text(encoding="utf-8")) for path in paths]


def list_imports(source: Source) -> Iterator[str]:
    """Every imported name in full, also from within functions: ``from a import b`` is ``a.b``."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


# ---------------------------------------------------------------------------- the checks


def check_direction(sources: list[Source]) -> Iterator[str]:
    """Within cmim_chem, imports go down the layers."""
    for source in sources:
        unit = source.module.removeprefix("cmim_chem.").split(".")[0]
        if not is_within(source.module, "cmim_chem") or unit == "cmim_chem":
            continue
        if unit not in RANK:
            yield f"{source.path}: give `{unit}` a place in LAYERS"
            continue
        for name in list_imports(source):
            other = name.removeprefix("cmim_chem.").split(".")[0]
            known = is_within(name, "cmim_chem") and other in RANK
            if known and other != unit and RANK[other] >= RANK[unit]:
                yield f"{source.path}: `{unit}` must not import `{other}`"


def check_forbidden(sources: list[Source]) -> Iterator[str]:
    """No part of the tree imports what it must not know."""
    for source in sources:
        for package, names in FORBIDDEN.items():
            if is_within(source.module, package):
                for name in list_imports(source):
                    if any(is_within(name, other) for other in names):
                        yield f"{source.path}: `{package}` must not import `{name}`"


def check_app(sources: list[Source]) -> Iterator[str]:
    """The app reaches the library through a few doors only."""
    doors = [f"cmim_chem.{door}" for door in APP_MAY_IMPORT]
    for source in sources:
        if is_within(source.module, "app"):
            for name in list_imports(source):
                if is_within(name, "cmim_chem") and not any(is_within(name, d) for d in doors):
                    yield f"{source.path}: the app must not import `{name}`"


def check_cycles(sources: list[Source]) -> Iterator[str]:
    """No module imports itself by way of others; imports are written in full."""
    known = {source.module for source in sources}
    graph: dict[str, set[str]] = {}
    for source in sources:
        names = list(list_imports(source))
        yield from (f"{source.path}: relative import `{n}`" for n in names if n.startswith("."))
        targets = {n if n in known else n.rpartition(".")[0] for n in names}
        graph[source.module] = (targets & known) - {source.module}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        yield "import cycle: " + " <- ".join(error.args[1])


def check_sizes(sources: list[Source]) -> Iterator[str]:
    """Files and functions fit a reader's head."""
    for source in sources:
        if (lines := source.text.count("\n")) > MAX_FILE_LINES:
            yield f"{source.path}: {lines} lines, {MAX_FILE_LINES} are allowed"
        for node in filter(is_function, ast.walk(source.tree)):
            if (lines := count_lines(node)) > MAX_FUNCTION_LINES:
                yield f"{source.path}: `{node.name}` has {lines} lines"


def is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def count_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from ``def`` to the end, without the docstring."""
    lines = (node.end_lineno or 0) - node.lineno + 1
    if ast.get_docstring(node) is not None:
        lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
    return lines


def check_names(sources: list[Source]) -> Iterator[str]:
    """No rooms without a name, and packages whose __init__ is empty or one line."""
    for source in sources:
        if nameless := NAMELESS_ROOMS & set(source.path.with_suffix("").parts):
            yield f"{source.path}: `{nameless.pop()}` says nothing about what is inside"
        if source.path.name == "__init__.py" and len(source.text.strip().splitlines()) > 1:
            yield f"{source.path}: more than one line"


def check_torch_load(sources: list[Source]) -> Iterator[str]:
    """torch.load unpickles code unless it is told ``weights_only=True``."""
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                safe = [k for k in node.keywords if ast.unparse(k) == "weights_only=True"]
                if not safe:
                    yield f"{source.path}:{node.lineno}: torch.load without weights_only=True"


CHECKS: tuple[Callable[[list[Source]], Iterator[str]], ...] = (
    check_direction,
    check_forbidden,
    check_app,
    check_cycles,
    check_sizes,
    check_names,
    check_torch_load,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_code_keeps_to_its_plan(check):
    problems = list(check(read_sources(ROOT)))
    assert not problems, "\n".join(problems)


HEAVY = (("cli.main", "torch rdkit deepchem streamlit pandas sklearn lightgbm scipy"),)
HEAVY += (("predictor", "sklearn lightgbm scipy.optimize scipy.stats matplotlib"),)


@pytest.mark.parametrize(("module", "heavy"), HEAVY)
def test_it_starts_without_heavy_imports(module, heavy):
    code = f"import sys, cmim_chem.{module}; print(*{set(heavy.split())} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


# ---------------------------------------------------------------------------- they really fail

LONG = "def f():\n" + "    x = 1\n" * 51


@pytest.mark.parametrize(
    ("check", "files", "complaint"),
    [
        (check_direction, {"cmim_chem/embed.py": "import cmim_chem.predictor"}, "`predictor`"),
        (check_direction, {"cmim_chem/chem/x.py": "from cmim_chem import cli"}, "`cli`"),
        (check_direction, {"cmim_chem/embed.py": "from cmim_chem.pretrain.a import b"}, "`embed`"),
        (check_direction, {"cmim_chem/new.py": ""}, "LAYERS"),
        (check_forbidden, {"cmim_chem/probes/x.py": "def f():\n    import torch.nn"}, "torch"),
        (check_forbidden, {"cmim_chem/index.py": "from cmim_chem.chem import read"}, "chem"),
        (check_forbidden, {"cmim_chem/model/x.py": "from data.drugs import y"}, "data.drugs"),
        (check_forbidden, {"cmim_chem/probes/x.py": "import pickle"}, "pickle"),
        (check_forbidden, {"app/main.py": "from rdkit import Chem"}, "rdkit"),
        (check_app, {"app/views/x.py": "from cmim_chem.embed import Embedder"}, "Embedder"),
        (check_cycles, {"app/a.py": "import app.b", "app/b.py": "from app.a import x"}, "cycle"),
        (check_cycles, {"app/a.py": "def f(): import app.b", "app/b.py": "import app.a"}, "cycle"),
        (check_cycles, {"app/a.py": "from . import b", "app/b.py": ""}, "relative"),
        (check_sizes, {"data/x.py": "\n" * 281}, "281 lines"),
        (check_sizes, {"data/x.py": LONG}, "`f` has 52 lines"),
        (check_names, {"cmim_chem/chem/utils.py": ""}, "utils"),
        (check_names, {"app/common/x.py": ""}, "common"),
        (check_names, {"app/__init__.py": "a = 1\nb = 2"}, "more than one line"),
        (check_torch_load, {"app/x.py": "y = torch.load(p, weights_only=False)"}, "x.py:1"),
    ],
)  # fmt: skip
def test_each_check_finds_what_it_is_for(tmp_path, check, files, complaint):
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert complaint in "\n".join(check(read_sources(tmp_path)))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_no_check_complains_of_a_good_tree(tmp_path, check):
    files = {
        "cmim_chem/__init__.py": '__version__ = "0"',
        "cmim_chem/errors.py": "",
        "cmim_chem/predictor.py": "import torch\nfrom cmim_chem.errors import CmimError",
        "cmim_chem/cli/main.py": "def f():\n    from cmim_chem.predictor import Predictor",
        "app/main.py": "import streamlit\nfrom cmim_chem.predictor import Predictor",
        "data/x.py": "import cmim_chem.embed\ny = torch.load(p, weights_only=True)",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert not list(check(read_sources(tmp_path)))
