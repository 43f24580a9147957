"""Whether the JupyterLab here finds what shows our widgets."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from .check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: What a browser loads to show a widget of ours: its name among the extensions of JupyterLab, and the package that brings it.
EXTENSIONS = {"anywidget": "anywidget", "@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets"}
_STATIC = Path(__file__).parents[2] / "notebook" / "static"
#: What our widgets are made of.
FILES = ("live.js", "live.css", "inspector/inspector.js", "inspector/inspector.css")


def front_end(folders: Sequence[Path] | None = None) -> Iterator[Check]:
    """Look for JupyterLab, for the extensions that show widgets, and for our own files; in these folders of extensions."""
    missing = [name for name in FILES if not (_STATIC / name).is_file()]
    if missing:
        yield Check(
            "front end",
            "our files",
            "failed",
            f"{', '.join(missing)} not in {_STATIC}",
            "pip install --force-reinstall wf-notebook",
        )
    else:
        yield Check("front end", "our files", "ok", str(_STATIC))
    try:
        lab = version("jupyterlab")
    except PackageNotFoundError:
        yield Check("front end", "JupyterLab", "warning", "is not in this environment", "pip install 'wf-notebook[lab]'")
        return
    yield Check("front end", "JupyterLab", "ok", lab)
    for name, package in EXTENSIONS.items():
        yield _extension(name, package, _folders() if folders is None else folders)


def _extension(name: str, package: str, folders: Sequence[Path]) -> Check:
    again = f"pip install --force-reinstall {package}, and load the page again"
    there = next((each / name for each in folders if (each / name / "package.json").is_file()), None)
    if there is None:
        return Check("front end", package, "failed", f"JupyterLab finds no {name} in {', '.join(map(str, folders))}", again)
    try:
        found = json.loads((there / "package.json").read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError) as error:
        return Check("front end", package, "failed", f"{there / 'package.json'} cannot be read ({error})", again)
    return Check("front end", package, "ok", f"{found}, in {there}")


def _folders() -> list[Path]:
    """Return where JupyterLab looks for extensions."""
    try:
        from jupyter_core.paths import jupyter_path
    except ImportError:
        data = os.environ.get("JUPYTER_DATA_DIR") or Path.home() / ".local/share/jupyter"
        return [Path(data) / "labextensions", Path(sys.prefix) / "share/jupyter/labextensions"]
    return [Path(each) for each in jupyter_path("labextensions")]
