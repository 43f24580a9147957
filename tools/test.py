"""Run all tests: first what they need of the system, then pytest with the arguments given here.

Chromium is installed where that is allowed (apt-get as root). Where it is not, the tests of the browser are left out and named;
with CI=true they are run all the same, and fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

REMEDY = "apt-get install --no-install-recommends chromium (as root)"


def install_chromium() -> bool:
    """Install Chromium if that is possible here; return whether it is on the PATH now."""
    if shutil.which("chromium"):
        return True
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
            print(f"  apt-get {' '.join(arguments)} (the tests of the browser need Chromium)", flush=True)
            done = subprocess.run(["apt-get", "-qq", *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)
            if done.returncode:
                break
    return shutil.which("chromium") is not None


def main() -> None:
    """Become pytest."""
    arguments = sys.argv[1:]
    if not install_chromium():
        if os.environ.get("CI") == "true":
            print(f"chromium is missing, its tests will fail: {REMEDY}", file=sys.stderr)
        else:
            print(f"chromium is missing, the tests of the browser are left out; to run them: {REMEDY}", file=sys.stderr)
            arguments += ["-m", "not browser"]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
