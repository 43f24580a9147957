"""Run all tests: first what they need of the system, then pytest with the arguments given here.

Where something is missing and cannot be installed, it is named, and the tests that need it are left out; with CI=true they run
all the same, and fail.
"""

from __future__ import annotations

import os
import sys

from system import NEEDS, provide


def main() -> None:
    """Become pytest."""
    arguments = sys.argv[1:]
    missing = provide(*(need.package for need in NEEDS))
    if missing and os.environ.get("CI") != "true":
        arguments += ["-m", " and ".join({f"not {need.marker}" for need in missing})]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
