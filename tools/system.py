"""What the project needs of the system beside Python: found, or installed where that is allowed (apt-get as root), or named.

`python tools/system.py libgomp1` provides one need, and fails where it cannot.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Need(NamedTuple):
    """A Debian package, what it is for, the marker of the tests that need it, and how to see that it is there."""

    package: str
    purpose: str
    marker: str
    is_there: Callable[[], bool]


def loads(library: str) -> bool:
    """Return whether a shared library can be loaded; elsewhere than on Linux, wheels bring their own."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return sys.platform != "linux"
    return True


def has_postgres() -> bool:
    """Return whether the programs of a Postgres server are here; Debian keeps them off the PATH."""
    return shutil.which("initdb") is not None or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


NEEDS = (
    # xllamacpp and the program that playwright drives browsers with are built against the system's libraries.
    Need("libgomp1", "the local model", "model", lambda: loads("libgomp.so.1")),
    Need("libatomic1", "the tests of the browser", "browser", lambda: loads("libatomic.so.1")),
    Need("postgresql", "the tests of Postgres", "postgres", has_postgres),
    Need("chromium", "the tests of the browser", "browser", lambda: shutil.which("chromium") is not None),
)


def provide(*packages: str) -> list[Need]:
    """Install what is missing of these packages; return what could not be."""
    missing = [need for need in NEEDS if need.package in packages and not need.is_there()]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        names = [need.package for need in missing]
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", *names]):
            purposes = " and ".join(dict.fromkeys(need.purpose for need in missing))
            print(f"  apt-get {' '.join(arguments)} (for {purposes})", flush=True)
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(["apt-get", "-qq", *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)
    missing = [need for need in missing if not need.is_there()]
    for need in missing:
        print(f"{need.package} is missing, for {need.purpose}: apt-get install {need.package} (as root)", file=sys.stderr)
    return missing


if __name__ == "__main__":
    sys.exit(bool(provide(*sys.argv[1:])))
