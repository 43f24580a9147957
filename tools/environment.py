"""Make .venv and install the project into it, as every make target needs; run by a bare python3.

What is there and works is kept and brought up to date; what is broken or half-made is made again.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

EXTRAS = "dev,lab,local,openai,postgres"
OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".installed"
LOG = ROOT / "build" / "environment.log"


def main() -> None:
    """Bring .venv up to date, and write the stamp that tells make so."""
    if not works():
        make_venv()
    STAMP.unlink(missing_ok=True)
    started = time.monotonic()
    if not any(install(command) for command in installers()):
        print("\n".join(LOG.read_text(errors="replace").splitlines()[-15:]), file=sys.stderr)
        sys.exit("the packages could not be installed: see above; is the network up? then run make again")
    STAMP.write_text(stamp(), encoding="utf-8")
    print(f"  packages installed in .venv ({time.monotonic() - started:.0f} s)")


def works() -> bool:
    """Return whether .venv runs, is new enough, has pip and was made here (it holds absolute paths)."""
    if not PYTHON.exists() or (STAMP.exists() and STAMP.read_text(encoding="utf-8") != stamp()):
        return False
    check = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    return subprocess.run([PYTHON, "-c", check], capture_output=True, check=False).returncode == 0


def stamp() -> str:
    """Return where and for which Python .venv is made; the Makefile computes the same."""
    version = subprocess.run([PYTHON, "-V"], capture_output=True, text=True, check=False).stdout.strip()
    return f"{ROOT} {version}"


def make_venv() -> None:
    """Make .venv anew, with the Python that runs this."""
    python = sys.executable
    print(f"  making .venv with {python} ({platform.python_version()})", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([python, "-m", "venv", VENV], capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        if "ensurepip" in made.stdout + made.stderr:
            sys.exit(f"{python} cannot make virtual environments: apt-get install python3-venv")
        sys.exit(f"{python} could not make {VENV}: {made.stderr.strip() or made.stdout.strip()}")


def installers() -> list[list[str]]:
    """Return the commands that install the project, the quickest first."""
    quiet = ["--disable-pip-version-check", "--no-warn-script-location"]
    pip = [str(PYTHON), "-m", "pip", "install", "--no-input", "--progress-bar=off", *quiet]
    uv = [["uv", "pip", "install", f"--python={PYTHON}"]] if shutil.which("uv") else []
    return [[*command, "--editable", f"{ROOT}[{EXTRAS}]"] for command in [*uv, pip]]


def install(command: list[str]) -> bool:
    """Run an installer, showing how far it is; return whether it succeeded."""
    LOG.parent.mkdir(exist_ok=True)
    terminal = sys.stdout.isatty()
    started = said = time.monotonic()
    name = "uv" if command[0] == "uv" else "pip"
    print(f"  installing packages with {name}: a minute or two, the first time", flush=True)
    with LOG.open("w") as log, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as process:
        while True:
            try:
                return process.wait(timeout=0.5) == 0
            except subprocess.TimeoutExpired:
                now = time.monotonic()
                line = f"  {now - started:3.0f} s  {progress()}"
                if terminal:
                    print(f"\r{line[: shutil.get_terminal_size().columns - 1]}\033[K", end="", flush=True)
                elif now - said > 15:  # noqa: PLR2004 - seconds
                    said = now
                    print(line, flush=True)
            finally:
                if terminal and process.returncode is not None:
                    print("\r\033[K", end="")


def progress() -> str:
    """Return what the installer does now: what it fetches, or how many of the packages are in place."""
    lines = LOG.read_text(errors="replace").splitlines()
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    if not last.startswith("Installing collected packages:"):
        return last[:90]
    there = len(list(VENV.glob("lib/python*/site-packages/*.dist-info")))
    total = last.count(",") + 1
    return f"{min(there, total)} of {total} packages in place"


if __name__ == "__main__":
    os.chdir(ROOT)
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted; the next make goes on from here")
