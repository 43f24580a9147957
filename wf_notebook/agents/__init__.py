"""Agents: a model with instructions and tools, called by `agent.run(message)`; thin over pydantic-ai.

pydantic-ai and the model are loaded at the first call, so an agent costs nothing where it is only defined. What is no Agent is
called as one by an adapter.
"""

from __future__ import annotations

from .adapters import AgentLike, adapt, register_adapter, report_usage
from .agent import Agent

__all__ = ["Agent", "AgentLike", "adapt", "register_adapter", "report_usage"]
