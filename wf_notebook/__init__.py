"""Workflows of language models in Jupyter: plain Python, a kept session_state, a live output and a readable record."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

#: The public names and the rooms they live in; each is imported when it is first asked for.
_ROOMS = {
    "Agent": "agents",
    "RunEvent": "events",
    "RunResponse": "events",
    "Workflow": "workflow",
    "apprint_run_response": "render",
    "inspector": "inspection",
    "load_ipython_extension": "notebook",
    "load_notebook": "ipynb.loading",
    "logger": "run",
    "open_storage": "storage",
    "parallel": "branches",
    "pprint_run_response": "render",
    "register_codec": "codec",
    "register_merge": "merging",
    "step": "cache.functions",
    "trust": "codec",
    "unload_ipython_extension": "notebook",
}

__all__ = [
    "Agent",
    "RunEvent",
    "RunResponse",
    "Workflow",
    "apprint_run_response",
    "inspector",
    "load_ipython_extension",
    "load_notebook",
    "logger",
    "open_storage",
    "parallel",
    "pprint_run_response",
    "register_codec",
    "register_merge",
    "step",
    "trust",
    "unload_ipython_extension",
]

if TYPE_CHECKING:
    from .agents import Agent
    from .branches import parallel
    from .cache.functions import step
    from .codec import register_codec, trust
    from .events import RunEvent, RunResponse
    from .inspection import inspector
    from .ipynb.loading import load_notebook
    from .merging import register_merge
    from .notebook import load_ipython_extension, unload_ipython_extension
    from .render import apprint_run_response, pprint_run_response
    from .run import logger
    from .storage import open_storage
    from .workflow import Workflow


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_ROOMS[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS})
