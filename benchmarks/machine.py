"""Where a number was measured: commit, processors, versions."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

import cmim_chem

PACKAGES = ("numpy", "scipy", "scikit-learn", "lightgbm", "torch", "rdkit", "deepchem")


@cache
def find_commit() -> str:
    """Commit of the checkout, ``-dirty`` if code differs from it; else the package's version."""
    root = Path(__file__).parents[1]
    try:
        if not (root / ".git").exists():  # installed, perhaps inside somebody else's repository
            raise FileNotFoundError(root / ".git")
        commit = _git(root, "rev-parse", "HEAD")
        # Results are written while this runs; they are not code.
        changed = _git(root, "status", "--porcelain", "--", ".", ":!benchmarks/results")
    except (OSError, subprocess.CalledProcessError):
        return f"version {cmim_chem.__version__}"
    return f"{commit}-dirty" if changed else commit


@cache
def describe_machine() -> dict[str, str | int]:
    """Processor, how many, and the versions that numbers may depend on."""
    versions = {name: metadata.version(name) for name in PACKAGES}
    processors = {"cpus": os.cpu_count() or 0, "cpu": _processor()}
    return {**processors, "python": platform.python_version(), **versions}


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()
