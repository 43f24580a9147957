"""What tests of keys share: programs whose steps are keyed in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAMS = Path(__file__).with_name("programs.py")


def digests_of(programs: dict[str, dict[str, str]], way: str, seed: int) -> dict[str, str]:
    """Return the digests of the steps of programs, found in a fresh process."""
    done = subprocess.run(
        [sys.executable, PROGRAMS],
        input=json.dumps({"way": way, "programs": programs}),
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def digests() -> Callable[..., dict[str, str]]:
    return digests_of
