"""Seconds for 8 calls of agents on a model that waits so many ms, at once or in turn: wall time, the best of 3 after a first."""

from __future__ import annotations

import asyncio
import json
import sys
from functools import partial
from time import perf_counter

import pydantic_ai
from pydantic_ai.messages import ModelResponse, TextPart
from pydantic_ai.models.function import FunctionModel

from wf_notebook.agents import Agent
from wf_notebook.branches import parallel
from wf_notebook.events import RunResponse

way, milliseconds = sys.argv[1], int(sys.argv[2])


async def answer(_messages, _info):
    """Wait as a server is waited for, and answer."""
    await asyncio.sleep(milliseconds / 1000)
    return ModelResponse(parts=[TextPart("yes")])


async def bare():
    """Make all calls as pydantic-ai does without us."""
    answers = await asyncio.gather(*[agent.run("well?") for agent in bare_agents])
    return [RunResponse(answer.output) for answer in answers]


bare_agents = [pydantic_ai.Agent(FunctionModel(answer)) for _ in range(8)]
agents = [Agent(model=FunctionModel(answer)) for _ in range(8)]
calls = [partial(agent.run, "well?") for agent in agents]
ways = {
    "in turn": lambda: [call() for call in calls],
    "parallel": lambda: parallel(*calls),
    "bare": lambda: asyncio.run(bare()),
}


def seconds():
    """Make all calls."""
    began = perf_counter()
    responses = ways[way]()
    assert [response.content for response in responses] == ["yes"] * 8
    return perf_counter() - began


seconds()
print(json.dumps(min(seconds() for _ in range(3))))
