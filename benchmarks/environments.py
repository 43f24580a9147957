"""An environment of its own for each peer, under build/bench: made once, and again when its packages change."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from .table import PEERS

BENCH = Path(__file__).resolve().parent.parent / "build" / "bench"


def python(peer: str | None) -> Path:
    """Return the Python of a peer; None is ourselves."""
    return Path(sys.executable) if peer is None else BENCH / peer / ".venv" / "bin" / "python"


def make(peer: str) -> None:
    """Make a peer's environment, if it is not there as it should be."""
    stamp = BENCH / peer / "installed"
    wanted = "\n".join([sys.version, *PEERS[peer]])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted and python(peer).exists():
        return
    shutil.rmtree(BENCH / peer, ignore_errors=True)
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, BENCH / peer / ".venv"], check=True)
    subprocess.run([*uv, "pip", "install", "--python", python(peer), *PEERS[peer]], check=True)
    stamp.write_text(wanted, encoding="utf-8")
