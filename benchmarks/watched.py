"""A command as a user runs it: seconds on the wall, processor seconds, peak memory of its tree."""

from __future__ import annotations

import re
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SOON, _EVERY = 0.01, 0.2  # seconds until the first look, and between later ones at least
# Looking walks through all the memory of what is watched, on a processor that it wants for itself.
_SHARE = 0.01  # of the time, for looking


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes
    ----------
    wall, cpu : float
        Seconds, start-up included; `cpu` over all its processes.
    peak_mb : float
        Largest memory of all its processes together, shared pages counted once, in MB, as seen in
        Linux' /proc; 0 where that is missing.
    """

    wall: float
    cpu: float
    peak_mb: float


def run_watched(command: Sequence[str], kill_after: float | None = None) -> Cost:
    """Run a command to its end, or kill it.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    kill_after : float or None
        Seconds after which it is killed by SIGKILL.

    Returns
    -------
    Cost
        Of the command and all processes that it started and waited for.

    Raises
    ------
    RuntimeError
        If it fails by itself; the message holds the end of what it said.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        peaks = [0.0]
        ended = threading.Event()
        watch = threading.Thread(target=_watch, args=(process.pid, peaks, ended))
        watch.start()
        try:
            process.wait(kill_after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        ended.set()
        watch.join()
        wall = time.perf_counter() - began
        if process.returncode not in {0, -signal.SIGKILL}:
            said.seek(0)
            raise RuntimeError(f"{command[0]} failed: {said.read()[-2000:].decode()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(round(wall, 2), round(cpu, 2), round(peaks[0], 1))


def _watch(root: int, peaks: list[float], ended: threading.Event) -> None:
    pause = _SOON  # what is over in a blink is looked at too
    while not ended.wait(pause):
        began = time.thread_time()
        peaks[0] = max(peaks[0], sum(_read_memory(one) for one in _list_tree(root)))
        pause = max(min(2 * pause, _EVERY), (time.thread_time() - began) / _SHARE)


def _list_tree(root: int) -> list[int]:
    """Find a process and all that descend from it."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text()
        except OSError:
            continue
        parents[int(folder.name)] = int(text.rpartition(")")[2].split()[1])
    tree = [root]
    for one in tree:
        tree += [child for child, parent in parents.items() if parent == one]
    return tree


def _read_memory(process: int) -> float:
    """Proportional set size in MB."""
    try:
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{process}/smaps_rollup").read_text(), re.M)
    except OSError:
        return 0.0
    return int(found[1]) * 1024 / 1e6 if found else 0.0
