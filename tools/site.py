"""Build the site of README, docs/ and notebooks/, in an environment of its own; a warning, such as of a broken link, is an error.

`python tools/site.py FOLDER` builds it into FOLDER/site, with the environment beside it; without a folder into build/docs.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Bring the environment up to date, and build."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "docs"
    python = folder / ".venv" / "bin" / "python"
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--allow-existing", "--python", sys.executable, folder / ".venv"], check=True)
    subprocess.run([*uv, "pip", "install", "--python", python, "--editable", f"{ROOT}[docs]"], check=True)
    sphinx = [str(python), "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", "--conf-dir", str(ROOT / "docs")]
    if code := subprocess.run([*sphinx, ROOT, folder / "site"], check=False).returncode:
        sys.exit(code)
    print(f"  {folder / 'site' / 'index.html'}")


if __name__ == "__main__":
    main()
