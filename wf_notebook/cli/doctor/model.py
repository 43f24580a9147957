"""Which model an agent uses that names none, whether it is there, and whether it answers."""

from __future__ import annotations

import os
from time import perf_counter
from typing import TYPE_CHECKING

from ...errors import NoModel, WorkflowError
from .check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator


def model() -> Iterator[Check]:
    """Look at the model; a local one is asked, one of a provider is not, as that is paid for."""
    from ...agents import Agent
    from ...agents.resolve import default, resolve

    chosen = os.environ.get("WF_MODEL")
    by = "by WF_MODEL" if chosen else "as WF_MODEL is not set"
    try:
        name = chosen or default()
    except NoModel:
        yield Check(
            "model", "which", "failed", "none is used where an agent names none",
            "set WF_MODEL=openai:gpt-5.2 (its key in OPENAI_API_KEY), or pip install 'wf-notebook[local]' and wf models pull",
        )  # fmt: skip
        return
    yield Check("model", "which", "ok", f"{name}, {by}")
    try:
        found = resolve(name)
    except WorkflowError as error:
        fact, _, remedy = str(error).partition("; ")
        fact, remedy = (fact, remedy) if remedy else (str(error).partition(": ")[0], str(error).partition(": ")[2])
        yield Check("model", "is it there", "failed", fact, remedy)
        return
    if not found.cost_free:
        yield Check("model", "is it there", "ok", "its package and its key are; it was not asked, as that is paid for")
        return
    yield Check("model", "is it there", "ok", "on this machine")
    began = perf_counter()
    try:
        said = Agent(model=name, model_settings={"max_tokens": 8}).run("Say hello.").content
    except WorkflowError as error:
        yield Check("model", "does it run", "failed", str(error), "wf models pull --force fetches it again")
    else:
        yield Check("model", "does it run", "ok", f"it said {str(said)[:30]!r} after {perf_counter() - began:.1f} s")
