"""Which notebook a kernel runs, as far as it is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def notebook_file(namespace: Mapping[str, Any]) -> Path | None:
    """Return the notebook of this kernel: what VS Code says in the namespace, or Jupyter Server in the environment; else None.

    >>> notebook_file({"__vsc_ipynb_file__": "nowhere.ipynb"}) is None
    True
    """
    for said in (namespace.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if isinstance(said, str) and said.endswith(".ipynb") and Path(said).is_file():
            return Path(said)
    return None
