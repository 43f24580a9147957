"""The inspector: what is in the state, where it came from, and the way back; shown by a widget, by HTML, or by Python alone."""

from __future__ import annotations

from .answers import OPS, answer
from .hearing import Hearing
from .looking import Inspector, inspector
from .news import News
from .place import Place
from .workflow import inspect_workflow

__all__ = ["OPS", "Hearing", "Inspector", "News", "Place", "answer", "inspect_workflow", "inspector"]
