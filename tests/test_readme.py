"""The tree in the README and the files of the repository are the same."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TREE_HEADING = "## What is where"


def read_tree(readme: str) -> tuple[set[str], set[str]]:
    """Files of the README's tree, and the folders whose content it lists (the root is ``""``)."""
    block = re.search(rf"{TREE_HEADING}\n.*?```\w*\n(.*?)```", readme, re.DOTALL)
    assert block, f'README.md has no tree under "{TREE_HEADING}"'
    files: set[str] = set()
    detailed: set[str] = {""}
    folders: list[tuple[int, str]] = [(-1, "")]
    for line in filter(str.strip, block[1].splitlines()):
        indent = len(line) - len(line.lstrip())
        while folders[-1][0] >= indent:
            folders.pop()
        entry = folders[-1][1] + line.split()[0]
        detailed.add(folders[-1][1])
        if entry.endswith("/"):
            folders.append((indent, entry))
        else:
            files.add(entry)
    return files, detailed


def compare_tree(readme: str, tracked: list[str]) -> Iterator[str]:
    """What the README's tree has too much or too little, in the folders that it goes into."""
    files, detailed = read_tree(readme)
    yield from (f"README.md lists {file}, which is not there" for file in files - set(tracked))
    for path in map(Path, tracked):
        folder = "" if path.parent == Path() else f"{path.parent.as_posix()}/"
        silent = path.name.startswith(".") or path.name in ("__init__.py", "py.typed")
        if folder in detailed and path.as_posix() not in files and not silent:
            yield f"README.md does not list {path.as_posix()}"


def test_the_readme_lists_the_files_that_are_there():
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    tracked = [name for name in done.stdout.splitlines() if (ROOT / name).exists()]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    problems = sorted(compare_tree(readme, tracked))
    assert not problems, "\n".join(problems)


README = f"""# Name
{TREE_HEADING}

Some words.

```text
lib/             a folder that is gone into
  a.py           a file
  inner/         a folder that is not
data/            another
  b.py           a file
README.md        this
```
"""
TRACKED = ["README.md", "lib/a.py", "lib/inner/x.py", "lib/__init__.py", "data/b.py", ".gitignore"]


def test_a_true_tree_is_accepted():
    assert not list(compare_tree(README, TRACKED))


@pytest.mark.parametrize("path", ["lib/new.py", "data/new.toml", "LICENSE"])
def test_a_file_that_is_not_listed_is_found(path):
    assert list(compare_tree(README, [*TRACKED, path])) == [f"README.md does not list {path}"]


def test_a_file_that_is_gone_is_found():
    found = list(compare_tree(README, [path for path in TRACKED if path != "data/b.py"]))
    assert found == ["README.md lists data/b.py, which is not there"]
